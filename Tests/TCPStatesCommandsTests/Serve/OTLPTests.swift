import Foundation
import Glibc
import OTLPReading
import SockDiag
import TCPStateLab
import Testing

@testable import TCPStatesCommands

#if Serve
    @Suite("What serve sends to an OpenTelemetry collector")
    struct OTLPTests {
        private let url = ["--otlp", "http://127.0.0.1:4318"]

        private func count(_ state: String, in request: LabCollector.Request) throws -> Double? {
            let attributes = ["network.type": "ipv4", "network.connection.state": state]
            return try request.metrics.value("system.network.connection.count", attributes)
        }

        /// Opens a connection on loopback and closes it; the client's is over when it has closed.
        private func connect(_ lab: Lab, to listener: KernelSocket) throws {
            let client = try lab.unconnected()
            try client.connect(to: listener.local)
            try lab.accepted(from: listener).close()
            client.close()
        }

        private func connections(_ request: LabCollector.Request) throws -> Double? {
            try request.metrics.value("tcpstates_connections_total", ["role": "server", "outcome": "success"])
        }

        @Test(arguments: ["trace", "poll"])
        func `A collector is told the counts that list shows, whose they are and since when`(source: String) throws {
            if source == "trace", !Program.isRoot { try Test.cancel("to trace the kernel takes root") }
            let lab = try Lab.orCancel()
            defer { lab.close() }
            let held = try [lab.server(in: .closeWait), lab.server(in: .closeWait), lab.server(in: .finWait2)]
            let collector = try LabCollector(in: lab)
            let options = ["--source", source, "--otlp-interval", "100ms", "--otlp-header", "X-Scope-OrgID=a=b"]
            let exporting = try Exporting(in: lab, url + options)
            let first = try collector.request()
            #expect(first.path == "/v1/metrics")
            #expect(first.headers["content-type"] == "application/x-protobuf")
            #expect(first.headers["host"] == "127.0.0.1:4318" && first.headers["x-scope-orgid"] == "a=b")
            #expect(first.headers["user-agent"] == "tcpstates/\(TCPStates.version)")
            #expect(try count("close_wait", in: first) == 2)
            #expect(try count("fin_wait_2", in: first) == 1)
            #expect(try count("closing", in: first) == 0)
            let metrics = try first.metrics
            #expect(metrics.points.count { $0.name == "system.network.connection.count" } == 24)
            #expect(metrics.value("tcpstates_watch_info", ["source": source]) == 1)
            var host = utsname()
            uname(&host)
            let name = withUnsafeBytes(of: host.nodename) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            #expect(metrics.resource["service.name"] == .text("tcpstates"))
            #expect(metrics.resource["service.version"] == .text(TCPStates.version))
            #expect(metrics.resource["host.name"] == .text(name))
            let instance = try #require(metrics.resource["service.instance.id"]?.description)
            #expect(UUID(uuidString: instance) != nil)
            let sockets = try #require(metrics.points.first { $0.name == "system.network.connection.count" })
            #expect(sockets.start > 0 && sockets.start <= sockets.time)
            // The kernel has counted before anybody watched.
            let kernel = try #require(metrics.points.first { $0.name == "tcpstates_sent_segments_total" })
            #expect(kernel.start > 0 && kernel.start < sockets.start && kernel.kind == "counter")
            try collector.answer(first)
            let second = try collector.request()
            let later = try #require(second.metrics.points.first { $0.name == sockets.name })
            #expect(later.start == sockets.start && later.time > sockets.time)
            try collector.answer(second)
            // One connection is kept, so that nobody sees those of the exports come and go.
            try collector.answer(collector.request())
            #expect(collector.connectionCount == 1)
            collector.end()
            _ = try exporting.end()
            withExtendedLifetime(held) {}
        }

        @Test func `Its instance has the same number when it is started anew, and another one elsewhere`() throws {
            let lab = try Lab.orCancel()
            defer { lab.close() }
            let collector = try LabCollector(in: lab)
            func instance(_ options: [String]) throws -> String {
                let exporting = try Exporting(in: lab, url + options)
                let request = try collector.request()
                try collector.answer(request)
                exporting.process.signal(SIGKILL)
                _ = try exporting.process.wait()
                return try #require(request.metrics.resource["service.instance.id"]?.description)
            }
            let first = try instance([])
            #expect(try instance([]) == first)
            #expect(try instance(["--listen", "127.0.0.1:19294"]) != first)
        }

        @Test func `A collector that is away costs a line, and the counters are right when it is back`() throws {
            let lab = try Lab.orCancel()
            defer { lab.close() }
            let listener = try lab.loopbackListener()
            // Those of the exports are no part of it.
            let own = "sport = :\(listener.local.port)"
            let exporting = try Exporting(in: lab, url + ["--otlp-interval", "50ms", own])
            let away = "cannot reach the collector at 127.0.0.1:4318: Connection refused"
            try exporting.wait(forLine: away)
            for _ in 0..<7 { try connect(lab, to: listener) }
            // As many attempts fail as are wanted: each is a connection that was refused.
            try lab.awaitRefusals(3)
            let collector = try LabCollector(in: lab)
            try collector.answer(collector.request())
            let said = try exporting.wait(forLine: "the collector at 127.0.0.1:4318 is there again")
            #expect(said.split(separator: "\n").count { $0.contains(away) } == 1, "\(said)")
            try collector.answer(collector.request { try connections($0) == 7 })
            collector.end()
            let lines = try exporting.end()
            #expect(lines.count { $0.contains("is there again") } == 1)
        }

        @Test(arguments: ["429 Too Many Requests", "502 Bad Gateway", "503 Service Unavailable", "504 Gateway Timeout"])
        func `A collector that asks to wait is waited for, and then told all`(status: String) throws {
            let lab = try Lab.orCancel()
            defer { lab.close() }
            let listener = try lab.loopbackListener()
            let collector = try LabCollector(in: lab)
            let own = "sport = :\(listener.local.port)"
            let exporting = try Exporting(in: lab, url + ["--otlp-interval", "50ms", own])
            let first = try collector.request()
            try collector.answer(first, status, ["Retry-After: 2"])
            for _ in 0..<3 { try connect(lab, to: listener) }
            let second = try collector.request()
            #expect(second.time - first.time >= .seconds(2))
            try collector.answer(second, status)
            // Without a word of how long it is a time that grows with each refusal; there is another attempt.
            try collector.answer(collector.request { try connections($0) == 3 })
            try exporting.wait(forLine: "http://127.0.0.1:4318/v1/metrics takes it again")
            collector.end()
            let lines = try exporting.end()
            #expect(lines.count { $0.contains("/v1/metrics answers \(status)") } == 1, "\(lines)")
        }

        @Test func `What a collector refuses is told once, with its reason, and the next is sent as always`() throws {
            let lab = try Lab.orCancel()
            defer { lab.close() }
            let collector = try LabCollector(in: lab)
            let exporting = try Exporting(in: lab, url + ["--otlp-interval", "50ms"])
            // google.rpc.Status with a message, and text.
            let reason = [0x12, 0x09] + Array("no\u{1b}[31mgo".utf8)
            for _ in 0..<3 {
                try collector.answer(collector.request(), "400 Bad Request", body: reason)
            }
            try collector.answer(
                collector.request(),
                "404 Not Found",
                body: Array("404 page\n".utf8),
                type: "text/plain"
            )
            // Two values are not taken: ExportMetricsPartialSuccess.
            let partial = [0x0a, 0x07, 0x08, 0x02, 0x12, 0x03] + Array("old".utf8)
            for _ in 0..<2 { try collector.answer(collector.request(), body: partial) }
            try collector.answer(collector.request())
            try exporting.wait(forLine: "has refused 2 data points: old; this is said once")
            collector.end()
            let lines = try exporting.end()
            let place = "http://127.0.0.1:4318/v1/metrics"
            #expect(lines.count { $0.contains("\(place) answers 400 Bad Request: no\\x1b[31mgo;") } == 1, "\(lines)")
            #expect(lines.count { $0.contains("\(place) answers 404 Not Found: 404 page;") } == 1, "\(lines)")
            #expect(lines.count { $0.contains("has refused") } == 1)
        }

        @Test func `A connection that the collector ends between two exports is made anew without a word`() throws {
            let lab = try Lab.orCancel()
            defer { lab.close() }
            let collector = try LabCollector(in: lab)
            let exporting = try Exporting(in: lab, url + ["--otlp-interval", "50ms"])
            try collector.answer(collector.request())
            // It is ended as a request is on its way.
            collector.drop(try collector.request())
            try collector.answer(collector.request(), "200 OK", ["Connection: close"])
            try collector.answer(collector.request())
            #expect(collector.connectionCount == 3)
            collector.end()
            let lines = try exporting.end()
            #expect(!lines.contains { $0.contains("is there again") }, "\(lines)")
        }

        @Test func `At SIGTERM all is sent once more`() throws {
            let lab = try Lab.orCancel()
            defer { lab.close() }
            let listener = try lab.loopbackListener()
            let collector = try LabCollector(in: lab)
            let exporting = try Exporting(
                in: lab,
                url + ["--otlp-interval", "1h", "--otlp-events", "--source", "poll"]
            )
            try collector.answer(collector.request { $0.path == "/v1/metrics" })
            let held = try lab.unconnected()
            try held.connect(to: listener.local)
            exporting.process.signal(SIGTERM)
            let last = try collector.request { $0.path == "/v1/metrics" }
            #expect(try count("established", in: last) ?? 0 >= 1)
            try collector.answer(last)
            #expect(try exporting.process.wait().status == .exited(0))
        }

        @Test func `A collector that never answers does not keep it from ending`() throws {
            let lab = try Lab.orCancel()
            defer { lab.close() }
            let collector = try LabCollector(in: lab)
            let exporting = try Exporting(in: lab, url + ["--otlp-interval", "50ms", "--otlp-events"])
            _ = try collector.request()
            let lines = try exporting.end()
            #expect(lines.count { $0.contains("sending metrics to http://127.0.0.1:4318/v1/metrics") } == 1)
            // It is this side that gives up, and in order.
            #expect(!lines.contains { $0.contains("cannot reach") || $0.contains("ERROR") }, "\(lines)")
        }

        @Test(arguments: ["trace", "poll"])
        func `Each transition is sent as a log record, and not whose it is`(source: String) throws {
            if source == "trace", !Program.isRoot { try Test.cancel("to trace the kernel takes root") }
            let lab = try Lab.orCancel()
            defer { lab.close() }
            let listener = try lab.loopbackListener()
            let collector = try LabCollector(in: lab)
            let exporting = try Exporting(
                in: lab,
                url + ["--otlp-interval", "1h", "--otlp-events", "--source", source, "--interval", "100ms"]
            )
            try collector.answer(collector.request { $0.path == "/v1/metrics" })
            let client = try lab.unconnected()
            try client.connect(to: listener.local)
            let accepted = try lab.accepted(from: listener)
            client.close()
            var events: [EventsRequest.Event] = []
            while !events.contains(where: { $0.attributes["to"] == .text("CLOSE_WAIT") }) {
                let request = try collector.request { $0.path == "/v1/logs" }
                let told = try request.events
                #expect(told.resource["service.name"] == .text("tcpstates"))
                events += told.events
                try collector.answer(request)
            }
            let event = try #require(events.first { $0.attributes["to"] == .text("CLOSE_WAIT") })
            #expect(event.name == "tcpstates.transition" && event.severity == 9)
            #expect(event.time > 0 && event.observed >= event.time)
            #expect(event.attributes["local_port"] == .number(Int64(listener.local.port)))
            #expect(event.attributes["source"] == .text(source))
            for event in events {
                #expect(!event.attributes.keys.contains { ["processes", "pid"].contains($0) || $0.hasPrefix("by.") })
            }
            collector.end()
            _ = try exporting.end()
            accepted.close()
        }

        @Test func `Events that a collector does not take are bounded, counted, and told as a loss`() throws {
            if !Program.isRoot { try Test.cancel("to trace the kernel takes root") }
            let lab = try Lab.orCancel()
            defer { lab.close() }
            let listener = try lab.loopbackListener()
            let collector = try LabCollector(in: lab)
            let served = try Served(in: lab, url + ["--otlp-interval", "1h", "--otlp-events"])
            try collector.answer(collector.request { $0.path == "/v1/metrics" })
            try connect(lab, to: listener)
            // This one is not answered until there is no room.
            let held = try collector.request { $0.path == "/v1/logs" }
            func lost() throws -> Int {
                let text = try served.privately("/metrics").body
                let line = text.split(separator: "\n").first { $0.hasPrefix("tcpstates_unexported_events_total ") }
                return try #require(line?.split(separator: " ").last.flatMap { Int($0) })
            }
            #expect(try lost() == 0)
            try served.wait("a loss", within: .seconds(120)) {
                for _ in 0..<50 { try connect(lab, to: listener) }
                return try lost() > 0
            }
            try collector.answer(held)
            var told = 0
            while told == 0 {
                let request = try collector.request { $0.path == "/v1/logs" }
                #expect(request.body.count < 2 << 20)
                for event in try request.events.events where event.name == "tcpstates.gap" {
                    #expect(event.attributes["source"] == .text("reader") && event.severity == 13)
                    if case .number(let number)? = event.attributes["lost"] { told += Int(number) }
                }
                try collector.answer(request)
            }
            #expect(try lost() == told)
            collector.end()
            #expect(try served.end() == .exited(0))
        }

        @Test func `OpenTelemetry's variables are heeded, and an option before them`() throws {
            let lab = try Lab.orCancel()
            defer { lab.close() }
            let collector = try LabCollector(in: lab)
            let exporting = try Exporting(
                in: lab,
                ["--otlp-header", "x-three=option", "--otlp-events"],
                environment: [
                    "OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318/base/",
                    "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://127.0.0.1:4318/own?key=1",
                    "OTEL_EXPORTER_OTLP_HEADERS": "x-one=a%20b, x-two = 2,x-three=variable,",
                    "OTEL_EXPORTER_OTLP_TIMEOUT": "5000", "OTEL_METRIC_EXPORT_INTERVAL": "100",
                    "OTEL_SERVICE_NAME": "sockets", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
                    "OTEL_RESOURCE_ATTRIBUTES": "service.name=other,team=w%2Cb,host.name=h1",
                ]
            )
            let request = try collector.request { $0.path == "/own?key=1" }
            #expect(request.path == "/own?key=1")
            #expect(request.headers["x-one"] == "a b" && request.headers["x-two"] == "2")
            #expect(request.headers["x-three"] == "option")
            let resource = try request.metrics.resource
            #expect(resource["service.name"] == .text("sockets") && resource["team"] == .text("w,b"))
            #expect(resource["host.name"] == .text("h1"))
            try collector.answer(request)
            try exporting.wait(forLine: "sending each transition to http://localhost:4318/base/v1/logs")
            let next = try collector.request { $0.path == "/own?key=1" }
            exporting.process.signal(SIGKILL)
            _ = try exporting.process.wait()
            withExtendedLifetime(next) {}
        }

        @Test(
            arguments: [
                (["--otlp", "https://c.example:4318"], "asks for TLS, which is a collector's task"),
                (["--otlp", "127.0.0.1:4318"], "'127.0.0.1:4318' is no http:// URL"),
                (["--otlp", "grpc://h:4317"], "is no http:// URL"), (["--otlp", "http://"], "has no host"),
                (["--otlp", "http://a b/"], "characters that no URL has"),
                (["--otlp", "http://h:0"], "has no port from 1 to 65535"),
                (["--otlp", "http://h:99999"], "has no port"), (["--otlp", "http://[::1:4318"], "has no host"),
                (["--otlp", "http://me:secret@h:4318"], "has a user name"),
                (["--otlp", "http://h", "--otlp-header", "secret"], "no header"),
                (["--otlp", "http://h", "--otlp-header", "a b=c"], "no header 'a b'"),
                (["--otlp", "http://h", "--otlp-header", "a=b\r\nc: d"], "no header 'a'"),
                (["--otlp", "http://h", "--otlp-header", "Content-Length=3"], "no header 'Content-Length'"),
                (["--otlp", "http://h", "--otlp-interval", "soon"], "no time 'soon'"),
            ]
        )
        func `A wrong option is told in a line that names it`(options: [String], complaint: String) throws {
            let result = try Tool.run(["serve"] + options)
            #expect(result.status == 64)
            #expect(result.errors.contains(complaint), "\(result.errors)")
            #expect(result.errors.contains("--otlp"))
        }

        @Test(
            arguments: [
                ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://h:4318", "asks for TLS"),
                ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "h:4318", "is no http:// URL"),
                ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "there is http/protobuf alone"),
                ("OTEL_EXPORTER_OTLP_HEADERS", "a", "no pair at 'a'"),
                ("OTEL_EXPORTER_OTLP_HEADERS", "a=%zz", "no pair at 'a'"),
                ("OTEL_EXPORTER_OTLP_HEADERS", "a=%0d%0ab", "no header 'a'"),
                ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s", "milliseconds from 1 on"),
                ("OTEL_METRIC_EXPORT_INTERVAL", "0", "milliseconds from 1 on"),
                ("OTEL_RESOURCE_ATTRIBUTES", "team", "no pair at 'team'"),
            ]
        )
        func `A wrong variable is told in a line that names it`(name: String, value: String, complaint: String) throws {
            let lab = try Lab.orCancel()
            defer { lab.close() }
            var environment = ["PATH": "/bin", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"]
            environment[name] = value
            let result = try lab.spawn(Tool.path, ["serve"], environment: environment)
            #expect(result.status == .exited(1))
            #expect(result.standardError.hasPrefix("tcpstates: \(name)"), "\(result.standardError)")
            #expect(result.standardError.contains(complaint), "\(result.standardError)")
            #expect(result.standardError.split(separator: "\n").count == 1)
        }

        @Test(arguments: ["--otlp-events", "--otlp-header=a=b", "--otlp-interval=1s"])
        func `What would be sent nowhere is told`(option: String) throws {
            let lab = try Lab.orCancel()
            defer { lab.close() }
            let result = try lab.spawn(Tool.path, ["serve", option], environment: ["PATH": "/bin"])
            #expect(result.status == .exited(1))
            #expect(result.standardError.contains("has nowhere to send to; give --otlp http://127.0.0.1:4318"))
        }

        @Test func `A variable that turns it off does, but for what the command line asks for`() throws {
            let lab = try Lab.orCancel()
            defer { lab.close() }
            let collector = try LabCollector(in: lab)
            let off = ["OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"]
            let silent = try Exporting(in: lab, ["--listen", "127.0.0.1:19299"], environment: off)
            try silent.wait(forLine: "serving")
            #expect(try silent.end().count == 1)
            let exporting = try Exporting(in: lab, url, environment: off)
            try collector.answer(collector.request())
            collector.end()
            _ = try exporting.end()
        }

        @Test func `A URL is read as it is written, and a signal's path is below its own`() throws {
            let plain = try CollectorURL("http://collector:4318")
            #expect((plain.host, plain.port, plain.path) == ("collector", 4318, "/"))
            #expect(plain.path(of: "metrics") == "/v1/metrics")
            let long = try CollectorURL("HTTP://[fe80::1]:80/otel/?key=a%20b#part")
            #expect((long.host, long.port, long.path) == ("fe80::1", 80, "/otel/?key=a%20b"))
            #expect(long.path(of: "logs") == "/otel/v1/logs?key=a%20b")
            #expect(try CollectorURL("http://h?x").path(of: "logs") == "/v1/logs?x")
            #expect(try CollectorURL("http://10.0.0.1/a").path(of: "metrics") == "/a/v1/metrics")
        }
    }
#endif
