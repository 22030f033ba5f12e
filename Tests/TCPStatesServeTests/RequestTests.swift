#if Serve
    import NIOCore
    import NIOHTTP1
    import TCPRecords
    import Testing

    @testable import TCPStatesServe

    @Suite struct RequestTests {
        private func request(_ uri: String = "/", _ headers: HTTPHeaders = [:]) -> Request {
            Request(HTTPRequestHead(version: .http1_1, method: .GET, uri: uri, headers: headers))
        }

        @Test(
            arguments: [
                ("", false), ("*/*", false), ("text/plain;version=0.0.4", false), ("application/json", false),
                ("application/openmetrics-text", true),
                ("application/openmetrics-text; version=1.0.0; charset=utf-8", true),
                ("application/openmetrics-text;version=0.0.1", false),
                ("application/openmetrics-text;version=2.0.0", false),
                ("application/openmetrics-text;version=1.0.0;q=0", false), ("APPLICATION/OpenMetrics-text", true),
                // Prometheus 2.42
                (
                    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
                        + "text/plain;version=0.0.4;q=0.5,*/*;q=0.1", true
                ),
                // Prometheus 3
                (
                    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
                        + "application/openmetrics-text;version=0.0.1;q=0.5,"
                        + "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
                    true
                ),
                ("text/plain;version=0.0.4,application/openmetrics-text;version=1.0.0;q=0.5", false),
            ]
        )
        func `OpenMetrics is written where it is asked for, and no other text is wanted more`(
            accept: String,
            isOpen: Bool
        ) {
            #expect((request("/metrics", ["Accept": accept]).format == .openMetrics) == isOpen)
        }

        @Test(
            arguments: [
                ("10", 9000), ("0.5", 450), ("0", 10), ("-3", 10), ("1e9", 60_000), ("inf", 60_000), ("nan", 10_000),
                ("soon", 10_000),
            ] as [(String, Int64)]
        )
        func `A scrape is answered before the time that it has is up`(header: String, milliseconds: Int64) {
            let asked = request("/metrics", ["X-Prometheus-Scrape-Timeout-Seconds": header])
            #expect(asked.patience == .milliseconds(milliseconds))
            #expect(request().patience == .seconds(10))
        }

        @Test(
            arguments: [
                ("/sockets", "/sockets", nil), ("/sockets?", "/sockets", nil), ("/sockets?filter=", "/sockets", ""),
                ("/sockets?filter=sport+%3D+%3A443", "/sockets", "sport = :443"), ("/a?b=c&filter=%", "/a", "%"),
                ("/a?filter=%4", "/a", "%4"), ("/a?filter=%zz%41", "/a", "%zzA"), ("/a?filter=a=b", "/a", "a=b"),
                ("?filter=x", "", "x"), ("/a?filter=%ff", "/a", "\u{fffd}"), ("/a?filter=%+1", "/a", "% 1"),
                ("", "", nil),
            ] as [(String, String, String?)]
        )
        func `A query is decoded as forms encode it, and nonsense is no failure`(
            uri: String,
            path: String,
            filter: String?
        ) {
            let asked = request(uri)
            #expect(asked.path == path)
            #expect(asked.parameters["filter"] == filter)
        }
    }
#endif
