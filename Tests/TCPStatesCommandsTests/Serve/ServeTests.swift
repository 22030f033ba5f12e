import Foundation
import Glibc
import SockDiag
import TCPStateLab
import Testing

@testable import TCPStatesCommands

#if Serve
    /// The server in a namespace of its own, asked as Prometheus, a browser and everybody else may ask it.
    @Suite struct ServeTests {
        /// The values of a metric, by their labels as they are written.
        private func values(_ metric: String, in text: String) -> [String: Double] {
            var values: [String: Double] = [:]
            for line in text.split(separator: "\n") where line.hasPrefix(metric) {
                guard let end = line.lastIndex(of: " ") else { continue }
                let labels = line[..<end].dropFirst(metric.count)
                if labels.isEmpty || labels.hasPrefix("{") { values[String(labels)] = Double(line[end...].dropFirst()) }
            }
            return values
        }

        @Test(arguments: ["trace", "poll"])
        func `A scrape counts the sockets that list names, in both families and all states`(source: String) throws {
            if source == "trace", !Program.isRoot { try Test.cancel("to trace the kernel takes root") }
            let lab = try Lab.orCancel()
            defer { lab.close() }
            for network in [LabNetwork.ipv4, .ipv6] {
                for state in [TCPState.established, .finWait2, .closeWait, .lastAck, .timeWait] {
                    try lab.server(in: state, over: network)
                }
                try lab.client(in: .synSent, over: network)
            }
            let served = try Served(in: lab, ["--source", source])
            let later = try lab.server(in: .closeWait)
            let names: [TCPState: String] = [
                .established: "established", .finWait2: "fin_wait_2", .closeWait: "close_wait", .lastAck: "last_ack",
                .timeWait: "time_wait", .synSent: "syn_sent", .listen: "listen",
            ]
            var listed: [String: Int] = [:]
            // Tracepoints are read a moment after what they report.
            try served.wait("what list says") {
                let list = try lab.spawn(Tool.path, ["list", "--json", "--state", "all"])
                listed = [:]
                for socket in try parse(list.standardOutput) {
                    let family = try #require(socket["family"] as? String)
                    let state = try #require((socket["state"] as? String).flatMap { TCPState($0) })
                    listed["{family=\"\(family)\",state=\"\(names[state] ?? "?")\"}", default: 0] += 1
                }
                let scrape = try served.privately("/metrics")
                let told = values("tcpstates_sockets", in: scrape.body).filter { $0.value > 0 }.mapValues { Int($0) }
                return told == listed
            }
            #expect(listed["{family=\"ipv4\",state=\"close_wait\"}"] == 2)
            let scrape = try served.privately("/metrics").body
            #expect(values("tcpstates_sockets", in: scrape).count == 24)
            #expect(values("tcpstates_watch_info", in: scrape) == ["{source=\"\(source)\"}": 1])
            let oldest = values("tcpstates_state_oldest_seconds", in: scrape)
            #expect((oldest["{state=\"close_wait\"}"] ?? 0) > 0)
            #expect(oldest["{state=\"closing\"}"] == 0)
            #expect(try served.end() == .exited(0))
            withExtendedLifetime(later) {}
        }

        @Test func `Each of the two texts comes with its own type, and the one that Prometheus asks for first`() throws
        {
            let lab = try Lab.orCancel()
            defer { lab.close() }
            let served = try Served(in: lab)
            let classic = try served.answer("/metrics")
            #expect(classic.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
            #expect(!classic.body.contains("# EOF"))
            let accept = "Accept: application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
            let open = try served.answer("/metrics", [accept, "Accept-Encoding: gzip"])
            #expect(open.headers["content-type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8")
            #expect(open.body.hasSuffix("\n# EOF\n"))
            #expect(open.headers["content-encoding"] == nil)
            let head = try served.answer("/metrics", method: "HEAD")
            #expect(head.status == 200 && (Int(head.headers["content-length"] ?? "") ?? 0) > 1000)
        }

        @Test func `Other names in a request than its own are refused, and every other method than GET and HEAD`()
            throws
        {
            let lab = try Lab.orCancel()
            defer { lab.close() }
            let served = try Served(in: lab, ["--allow-host", "DB1.example"])
            for host in [
                "localhost", "localhost:19293", "127.0.0.1:19293", "[::1]:19293", "192.0.2.7", "db1.example:80",
            ] {
                #expect(try served.answer("/metrics", host: host).status == 200, "\(host)")
            }
            for host in [
                "evil.example", "127.0.0.1.evil.example", "localhost.evil.example:19293", "", "[evil]:1", "::1",
            ] {
                #expect(try served.answer("/metrics", host: host).status == 403, "\(host)")
            }
            #expect(try served.answer("/metrics", host: nil).status == 403)
            #expect(try served.answer("/metrics", ["Host: evil.example"]).status == 403)
            for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
                let answer = try served.answer("/metrics", ["Content-Length: 0"], method: method)
                #expect(answer.status == 405 && answer.headers["allow"] == "GET, HEAD", "\(method)")
                #expect(!answer.headers.keys.contains { $0.hasPrefix("access-control") })
            }
            let healthy = try served.answer("/-/healthy", ["Origin: http://evil.example"])
            #expect(healthy.headers["content-security-policy"] == "default-src 'self'")
            #expect(!healthy.headers.keys.contains { $0.hasPrefix("access-control") })
            #expect(try served.answer("/nothing").status == 404)
            let scrapes = values("tcpstates_scrapes_total", in: try served.answer("/metrics").body)
            #expect(scrapes["{code=\"405\"}"] == 4 && scrapes["{code=\"403\"}"] == 8)
        }

        @Test func `A request that is too long is refused, and the answer is read though more was sent`() throws {
            let lab = try Lab.orCancel()
            defer { lab.close() }
            let served = try Served(in: lab)
            let long = try served.answer("/metrics", ["X: " + String(repeating: "x", count: 20_000)])
            #expect(long.status == 431)
            let web = try served.connection()
            try web.send(
                "GET /metrics HTTP/1.1\r\nHost: localhost\r\nX: " + String(repeating: "x", count: 15_000) + "\r\n\r\n"
            )
            #expect(try web.answer().status == 200)
            // One connection for as many requests as wanted.
            for _ in 0..<20 {
                try web.send("GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n")
                #expect(try web.answer().body == "healthy\n")
            }
            // Several at once are answered in their order.
            let paths = ["/-/healthy", "/metrics", "/nothing", "/-/ready", "/metrics"]
            try web.send(paths.map { "GET \($0) HTTP/1.1\r\nHost: localhost\r\n\r\n" }.joined())
            #expect(try paths.map { _ in try web.answer().status } == [200, 200, 404, 200, 200])
            let garbage = try served.connection()
            try garbage.send("\u{1}\u{2} garbage\r\n\r\n")
            #expect(try garbage.end().hasPrefix("HTTP/1.1 400 "))
        }

        @Test
        func `Nothing is left of clients that go away, whatever they had begun, and others are answered meanwhile`()
            throws
        {
            let lab = try Lab.orCancel()
            defer { lab.close() }
            let served = try Served(in: lab)
            let before = served.descriptorCount
            let request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
            for round in 0..<1000 {
                let web = try served.connection()
                try web.send(request)
                // By a FIN with the answer on its way, which it meets with a RST, and by a RST at once.
                if round % 2 == 0 { web.abort() }
            }
            for round in 0..<1000 {
                let web = try served.connection()
                try web.send(String(request.prefix(round % (request.count - 1))))
                if round % 2 == 0 { web.abort() }
            }
            let slow = try (0..<100).map { _ in
                let web = try served.connection()
                try web.send("GET /metr")
                return web
            }
            let during = try served.answer("/metrics")
            #expect(during.status == 200)
            for web in slow { _ = try web.end() }
            let list = ["list", "--json", "--state", "close-wait", "process = tcpstates"]
            try served.wait("the end of all connections") { served.descriptorCount <= before }
            let left = try lab.spawn(Tool.path, list)
            #expect(left.status == .exited(0))
            #expect(left.standardOutput.isEmpty, "\(left.standardOutput)")
            #expect(try served.end() == .exited(0))
        }

        private let events = "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n"

        /// The records of a stream.
        private func records(_ stream: String) throws -> [[String: Any]] {
            // The last line may not be whole.
            let lines = stream.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).dropLast()
                .filter { $0.hasPrefix("data: ") }
            return try parse(lines.map { String($0.dropFirst(6)) }.joined(separator: "\n"))
        }

        @Test(arguments: ["trace", "poll"])
        func `Each transition is told as it happens, and not whose it is`(source: String) throws {
            if source == "trace", !Program.isRoot { try Test.cancel("to trace the kernel takes root") }
            let lab = try Lab.orCancel()
            defer { lab.close() }
            let served = try Served(in: lab, ["--source", source, "--interval", "100ms"])
            let web = try served.connection()
            try web.send(events)
            _ = try web.read { $0.contains("retry: 3000\n\n") }
            let connection = try lab.server(in: .established)
            try connection.peer.send(.fin)
            let text = try web.read { $0.contains("\"to\":\"CLOSE_WAIT\"") && $0.hasSuffix("\r\n") }
            #expect(
                text.contains("content-type: text/event-stream") || text.contains("Content-Type: text/event-stream")
            )
            let told = try records(text)
            #expect(told.contains { $0["to"] as? String == "CLOSE_WAIT" })
            for record in told {
                #expect(record["processes"] == nil && record["by"] == nil && record["pid"] == nil, "\(record)")
            }
            // What is told is the record of watch.
            #expect(told.allSatisfy { $0["schema"] as? Int == 1 })
            #expect(try served.end() == .exited(0))
            #expect(try web.end().hasSuffix("0\r\n\r\n"))
        }

        @Test func `A client that does not read its events is let go of, and the others are told on`() throws {
            let lab = try Lab.orCancel()
            defer { lab.close() }
            // What the kernel keeps for a client is little, so that what the server keeps is soon too much.
            try lab.sysctl("net.ipv4.tcp_wmem", "4096 16384 16384")
            let served = try Served(in: lab)
            let (slow, reading) = (try served.connection(), try served.connection())
            for web in [slow, reading] {
                try web.send(events)
                _ = try web.read { $0.contains("retry: 3000\n\n") }
            }
            let listener = try lab.loopbackListener()
            func connect() throws {
                let client = try lab.unconnected()
                try client.connect(to: listener.local)
                try lab.accepted(from: listener).close()
                client.close()
                let isOpen = reading.drain()
                try #require(isOpen)
            }
            let held = ["list", "--json", "process = tcpstates and dport = :\(try slow.port())"]
            try served.wait("the end of the slow one", within: .seconds(120)) {
                for _ in 0..<20 { try connect() }
                let list = try lab.spawn(Tool.path, held)
                try #require(list.status == .exited(0))
                return list.standardOutput.isEmpty
            }
            let count = reading.byteCount
            try served.wait("more for the other one", within: .seconds(120)) {
                try connect()
                return reading.byteCount > count
            }
            #expect(try !records(reading.text).isEmpty)
            withExtendedLifetime(slow) {}
        }

        @Test func `So many are told events as there may be, and who goes away makes room`() throws {
            let lab = try Lab.orCancel()
            defer { lab.close() }
            let served = try Served(in: lab)
            let before = served.descriptorCount
            for round in 0..<200 {
                let web = try served.connection()
                try web.send(events)
                if round % 3 == 0 { _ = try web.read { $0.contains("retry") } }
                if round % 2 == 0 { web.abort() }
            }
            try served.wait("the end of all streams") { served.descriptorCount <= before }
            let streams = try (0..<32).map { _ in
                let web = try served.connection()
                try web.send(events)
                _ = try web.read { $0.contains("retry: 3000\n\n") }
                return web
            }
            #expect(try served.answer("/events").status == 503)
            #expect(try served.answer("/metrics").status == 200)
            streams[7].abort()
            try served.wait("room for one more") {
                let web = try served.connection()
                try web.send(events)
                return try web.read { $0.contains("\r\n\r\n") }.hasPrefix("HTTP/1.1 200 ")
            }
            let left = try lab.spawn(Tool.path, ["list", "--json", "--state", "close-wait", "process = tcpstates"])
            #expect(left.status == .exited(0) && left.standardOutput.isEmpty, "\(left.standardOutput)")
        }

        @Test func `A filter finds over HTTP what list finds, and a wrong one is told`() throws {
            let lab = try Lab.orCancel()
            defer { lab.close() }
            let held = try lab.server(in: .closeWait)
            let others = try lab.server(in: .established)
            let served = try Served(in: lab)
            let filter = "sport = :\(held.local.port)"
            let list = try lab.spawn(Tool.path, ["list", "--json", filter]).standardOutput
            let encoded = try #require(filter.addingPercentEncoding(withAllowedCharacters: .alphanumerics))
            let found = try served.answer("/sockets?filter=\(encoded)")
            #expect(found.headers["content-type"] == "application/x-ndjson")
            func cookies(_ text: String) throws -> Set<String> {
                Set(try parse(text).compactMap { $0["cookie"] as? String })
            }
            #expect(try cookies(found.body) == cookies(list) && found.body.contains("CLOSE_WAIT"))
            #expect(try served.answer("/sockets").body.contains("\(others.local.port)"))
            let wrong = try served.answer("/sockets?filter=sport+is+80")
            #expect(wrong.status == 400 && wrong.body.contains("filter, near"), "\(wrong.body)")
            #expect(try served.answer("/sockets?filter=process+%3D+nginx").status == 403)
            let mistyped = try served.answer("/sockets?fliter=sport+%3D+80")
            #expect(try served.answer("/events?filter=state+established").status == 400)
            #expect(mistyped.status == 400 && mistyped.body.contains("no parameter 'fliter'"), "\(mistyped.body)")
            let nowhere = try served.answer("/sockets?filter=src+[fe80::1%25nodev]")
            #expect(nowhere.status == 400 && nowhere.body.contains("no interface \"nodev\""), "\(nowhere.body)")
            let named = try served.answer("/sockets?filter=dst+db1.example")
            #expect(named.status == 400 && named.body.contains("names are not resolved here"), "\(named.body)")
            let telling = try Served(in: lab, ["-p"], port: 19294)
            let own = try telling.answer("/sockets?filter=process+%3D+tcpstates")
            #expect(own.status == 200 && own.body.contains("\"processes\":[{"), "\(own.body)")
        }

        @Test func `No more sockets are listed than a client can take, and that is said`() throws {
            let lab = try Lab.orCancel()
            defer { lab.close() }
            let served = try Served(in: lab, ["--source", "poll"])
            // Two sockets a descriptor: what waits to be accepted takes none.
            let code = """
                import resource,socket,sys
                limit=resource.getrlimit(resource.RLIMIT_NOFILE)[1]
                resource.setrlimit(resource.RLIMIT_NOFILE,(limit,limit))
                servers=[socket.create_server(('127.0.0.1',7000+i),backlog=4096) for i in range(2)]
                if limit < 5100: print(limit,'descriptors are too few',flush=True); sys.exit()
                held=[socket.create_connection(('127.0.0.1',7000+i%2)) for i in range(5020)]
                print('ready',flush=True)
                sys.stdin.read()
                """
            let program = try lab.run { try Program(["/usr/bin/python3", "-c", code]) }
            let said = program.readLine() ?? "nothing"
            guard said == "ready" else { try Test.cancel(Comment(rawValue: said)) }
            let answer = try served.answer("/sockets?filter=state+established")
            #expect(answer.body.split(separator: "\n").count == 10_000)
            #expect(answer.headers["tcpstates-limited"] == "10000")
            let few = try served.answer("/sockets?filter=state+listening")
            #expect(few.headers["tcpstates-limited"] == nil)
            _ = program.finish()
        }

        @Test func `What is wrong is told on the page and as records; whose it is, where that is asked for`() throws {
            let lab = try Lab.orCancel()
            defer { lab.close() }
            let code = """
                import socket,sys
                open('/proc/self/comm','w').write('<b>&"\\'</b>')
                s=socket.create_server(('127.0.0.1',8080),backlog=1)
                print('ready',flush=True)
                sys.stdin.read()
                """
            let program = try lab.run { try Program(["/usr/bin/python3", "-c", code]) }
            #expect(program.readLine() == "ready")
            let full = SocketEndpoint(IPAddress(ipv4: 0x7f00_0001), port: 8080)
            for _ in 0..<2 { try lab.unconnected().connect(to: full) }
            let served = try Served(in: lab, ["--examine", "100ms"])
            let named = try Served(in: lab, ["--examine", "100ms", "-p"], port: 19294)
            var (found, whose) = ("", "")
            try served.wait("the finding of both") {
                found = try served.answer("/findings").body
                whose = try named.answer("/findings").body
                return [found, whose].allSatisfy { $0.contains("\"finding\":\"accept_queue_overflow\"") }
            }
            #expect(whose.contains("<b>&") && whose.contains("\(program.pid)"))
            #expect(!found.contains("<b>&") && !found.contains("\(program.pid)"), "\(found)")
            let scrape = try served.privately("/metrics").body
            #expect(values("tcpstates_findings", in: scrape)["{finding=\"accept_queue_overflow\"}"] == 1)
            let place = "{local_address=\"127.0.0.1\",local_port=\"8080\"}"
            #expect(values("tcpstates_listener_accept_queue", in: scrape)[place] == 2)
            #expect(values("tcpstates_listener_accept_queue_limit", in: scrape)[place] == 1)
            #expect(values("tcpstates_ephemeral_ports", in: scrape).count == 1)
            #expect(values("process_open_fds", in: scrape).count == 1)
            let (page, full2) = (try served.answer("/"), try named.answer("/"))
            #expect(page.headers["content-type"] == "text/html; charset=utf-8")
            for text in [page.body, full2.body] {
                #expect(text.contains(">CLOSE_WAIT</a></td>") && text.contains("<td>127.0.0.1:8080</td>"))
                // What a program is called is no part of the page's language.
                #expect(!text.contains("<b>"))
            }
            #expect(full2.body.contains("&lt;b&gt;&amp;&quot;&#39;") && !page.body.contains("&lt;b&gt;"))
            let plain = try Served(in: lab, ["--no-page"], port: 19295)
            for path in ["/", "/findings", "/events", "/sockets", "/counts", "/page.js", "/page.css"] {
                #expect(try plain.answer(path).status == 404, "\(path)")
            }
            #expect(try plain.answer("/metrics").status == 200)
        }

        @Test func `Without tracing a scrape counts what has happened until then, however long the interval is`() throws
        {
            let lab = try Lab.orCancel()
            defer { lab.close() }
            let served = try Served(in: lab, ["--source", "poll", "--interval", "1h"])
            let held = try lab.server(in: .closeWait)
            let scrape = try served.privately("/metrics").body
            let steps = values("tcpstates_transitions_total", in: scrape)
            #expect(steps["{from=\"established\",to=\"close_wait\"}"] == 1)
            #expect(steps["{from=\"syn_received\",to=\"established\"}"] == 1)
            #expect(
                values("tcpstates_sockets", in: scrape)["{family=\"ipv4\",state=\"close_wait\"}"] == 1
            )
            withExtendedLifetime(held) {}
        }

        @Test(arguments: ["trace", "poll"])
        func `Groups are counted where they are asked for, and those beyond the cap together`(source: String) throws {
            if source == "trace", !Program.isRoot { try Test.cancel("to trace the kernel takes root") }
            let lab = try Lab.orCancel()
            defer { lab.close() }
            let held = try (0..<6).map { _ in try lab.server(in: .closeWait) }
            let service = held[0].local.port
            let by = ["--by", "local-port,destination", "--ports", "\(service)", "--max-groups", "3"]
            let served = try Served(in: lab, ["--source", source] + by)
            let client = try lab.client(in: .synSent)
            var scrape = ""
            try served.wait("the client's socket") {
                scrape = try served.privately("/metrics").body
                let destinations = values("tcpstates_destination_sockets", in: scrape)
                return destinations.contains {
                    $0.value == 1 && $0.key.contains("\"\(client.remote.port)\",state=\"syn_sent\"")
                }
            }
            let services = values("tcpstates_service_sockets", in: scrape)
            #expect(services["{local_port=\"\(service)\",state=\"close_wait\"}"] == 1)
            // The port that is named, and no other.
            #expect(services.count == 11)
            let all = try Served(in: lab, ["--source", source, "--by", "local-port", "--max-groups", "3"], port: 19294)
            let capped = try all.privately("/metrics").body
            let groups = values("tcpstates_service_sockets", in: capped)
            #expect(groups.count == 33)
            let waiting = groups.filter { $0.key.contains("close_wait") }.values.reduce(0, +)
            let listeners = groups.filter { $0.key.contains("\"listen\"") }.values.reduce(0, +)
            #expect(groups["{local_port=\"other\",state=\"listen\"}"] ?? 0 > 0)
            let sockets = values("tcpstates_sockets", in: capped)
            func total(_ state: String) -> Double {
                sockets.filter { $0.key.contains("\"\(state)\"") }.values.reduce(0, +)
            }
            #expect(listeners == total("listen"))
            #expect(waiting <= total("close_wait"))
            #expect(values("tcpstates_groups_limited", in: capped)["{metric=\"tcpstates_service_sockets\"}"] ?? 0 > 0)
            withExtendedLifetime(held) {}
        }

        @Test(arguments: ["trace", "poll"])
        func `Processes and queues are counted where that is asked for`(source: String) throws {
            guard Program.isRoot else { try Test.cancel("to see a laboratory's processes takes root") }
            let lab = try Lab.orCancel()
            defer { lab.close() }
            let code = """
                import socket,sys
                open('/proc/self/comm','w').write('a"b\\\\c')
                s=socket.create_server(('127.0.0.1',8080))
                c=socket.create_connection(('127.0.0.1',8080))
                c.sendall(b'x'*1000)
                print('ready',flush=True)
                sys.stdin.read()
                """
            let program = try lab.run { try Program(["/usr/bin/python3", "-c", code]) }
            #expect(program.readLine() == "ready")
            let served = try Served(in: lab, ["--source", source, "--by", "process", "--queues"])
            let scrape = try served.privately("/metrics").body
            let processes = values("tcpstates_process_sockets", in: scrape)
            let name = "a\\\"b\\\\c"
            #expect(processes["{process=\"\(name)\",state=\"listen\"}"] == 1, "\(processes)")
            #expect(processes["{process=\"\(name)\",state=\"established\"}"] == 1)
            #expect(values("tcpstates_queued_bytes", in: scrape)["{queue=\"receive\"}"] == 1000)
            _ = program.finish()
        }

        @Test(
            arguments: [
                ([], 0), (["--netns", "/proc/self/ns/net"], 1 << 2 | 1 << 19 | 1 << 21),
                (["-p"], 1 << 2 | 1 << 19 | 1 << 38 | 1 << 39), (["fwmark = 7"], 1 << 12),
            ] as [([String], UInt64)]
        )
        func `It keeps no more capabilities than it needs, in any of its threads`(options: [String], kept: UInt64)
            throws
        {
            guard Program.isRoot else { try Test.cancel("there is nothing to let go of without root") }
            let lab = try Lab.orCancel()
            defer { lab.close() }
            func capabilities(_ served: Served) throws -> [UInt64] {
                let tasks = "/proc/\(served.process.id)/task"
                return try FileManager.default.contentsOfDirectory(atPath: tasks).flatMap { task in
                    let status = try String(contentsOfFile: "\(tasks)/\(task)/status", encoding: .utf8)
                    return status.split(separator: "\n").filter { $0.hasPrefix("CapEff:") || $0.hasPrefix("CapPrm:") }
                        .compactMap { UInt64($0.dropFirst(7).trimmingCharacters(in: .whitespaces), radix: 16) }
                }
            }
            // The shell that has become it is root, and listens at a UNIX socket for its owner.
            let served = try Served(in: lab, ["--listen", "127.0.0.1:19295"] + options)
            let found = try capabilities(served)
            #expect(found.count >= 6)
            #expect(Set(found) == [kept])
            #expect(try served.privately("/metrics").status == 200)
            #expect(try served.end() == .exited(0))
            let keeping = try Served(in: lab, ["--keep-capabilities"])
            #expect(try Set(capabilities(keeping)).allSatisfy { $0 & (1 << 21) != 0 })
        }

        @Test(
            arguments: [
                (["--by", "peer"], "no key 'peer'; there are local-port, destination, process"),
                (["--by", "local-port", "--ports", "0"], "no port '0'"), (["--ports", "80"], "--by local-port alone"),
                (["--max-groups", "0"], "no number of groups '0'"), (["--allow-host", ""], "no host name ''"),
                (["--allow-host", "a b"], "no host name 'a b'"),
                (["--listen", "unix:@abstract"], "no address to listen at"),
                (["--allow-host", "db1:80"], "no host name 'db1:80'"),
            ]
        )
        func `What can be no group, port or name is wrong usage`(options: [String], message: String) throws {
            let result = try Tool.run(["serve"] + options)
            #expect(result.status == 64 && result.errors.contains(message), "\(result.errors)")
        }

        @Test func `The page with all of its parts is small, and what it asks for is no scrape`() throws {
            let lab = try Lab.orCancel()
            defer { lab.close() }
            let served = try Served(in: lab)
            let parts = try ["/": "text/html", "/page.css": "text/css", "/page.js": "text/javascript"].map {
                path,
                type in
                let answer = try served.answer(path)
                #expect(answer.status == 200 && answer.headers["content-type"] == "\(type); charset=utf-8", "\(path)")
                // What is in the tables is the machine's.
                return answer.body.replacing(/(?s)<tbody>.*?<\/tbody>/, with: "").utf8.count
            }
            #expect(parts.reduce(0, +) < 30 * 1024)
            let page = try served.answer("/").body
            // What its policy allows is what it has: no script and no style within, and nothing of another origin.
            #expect(!page.contains("style=") && !page.contains("<style") && !page.contains("<script>"))
            #expect(!page.contains("//"))
            let counts = try served.answer("/counts").body
            #expect(values("tcpstates_sockets", in: counts).count == 24)
            let scrapes = values("tcpstates_scrapes_total", in: try served.answer("/counts").body)
            #expect(scrapes.values.allSatisfy { $0 == 0 })
            // A browser shows records, where it would store them.
            #expect(
                try served.answer("/sockets", ["Accept: text/html,*/*;q=0.8"]).headers["content-type"]
                    == "text/plain; charset=utf-8"
            )
        }

        @Test func `The connection that has waited longest makes room for one more`() throws {
            let lab = try Lab.orCancel()
            defer { lab.close() }
            let served = try Served(in: lab)
            let web = try (0..<64).map { _ in
                let web = try served.connection()
                try web.send("GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n")
                #expect(try web.answer().status == 200)
                return web
            }
            #expect(try served.answer("/-/healthy").status == 200)
            #expect(try web[0].end().isEmpty)
            try web[63].send("GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(try web[63].answer().status == 200)
        }

        @Test func `Who asks and asks and takes no answer is owed one, and costs no memory`() throws {
            let lab = try Lab.orCancel()
            defer { lab.close() }
            let served = try Served(in: lab, ["--source", "poll"])
            _ = try served.privately("/metrics")
            func resident() throws -> Int {
                let status = try String(contentsOfFile: "/proc/\(served.process.id)/status", encoding: .utf8)
                let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") })
                return try #require(line.split(separator: " ").dropFirst().first.flatMap { Int($0) })
            }
            let before = try resident()
            let web = try served.connection()
            let request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
            let asked = web.offer(String(repeating: request, count: 10_000))
            // Others are answered meanwhile; each of its answers would be tens of kilobytes.
            for _ in 0..<100 { #expect(try served.privately("/metrics").status == 200) }
            #expect(try resident() - before < 32 << 10)
            // Whoever then reads has all of them, in their order.
            for _ in 0..<min(asked / request.utf8.count, 50) { #expect(try web.answer().status == 200) }
        }

        @Test func `A namespace without a name has one in metrics that stays`() throws {
            guard Program.isRoot else { try Test.cancel("to see all namespaces takes root") }
            let lab = try Lab.orCancel()
            defer { lab.close() }
            let program = try lab.run { try Program(["/bin/cat"]) }
            let served = try Served(in: lab, ["--all-netns"])
            let scrape = try served.privately("/metrics").body
            let names = Set(scrape.matches(of: /netns="([^"]*)"/).map { String($0.output.1) })
            #expect(names.contains { $0.hasPrefix("net:[") }, "\(names)")
            #expect(!names.contains { $0.hasPrefix("pid:") }, "\(names)")
            _ = program.finish()
        }

        @Test func `SIGTERM ends it in order, whatever is connected`() throws {
            let lab = try Lab.orCancel()
            defer { lab.close() }
            let served = try Served(in: lab)
            let (silent, half) = (try served.connection(), try served.connection())
            try half.send("GET /metrics HTTP/1.1\r\n")
            #expect(try served.end() == .exited(0))
            #expect(try silent.end().isEmpty && half.end().isEmpty)
            #expect(!FileManager.default.fileExists(atPath: served.path))
            // The address is free for the next one at once.
            let next = try Served(in: lab)
            #expect(try next.answer("/-/healthy").status == 200)
        }

        @Test func `Its UNIX socket is its owner's alone, and one that was left is no hindrance`() throws {
            let lab = try Lab.orCancel()
            defer { lab.close() }
            let served = try Served(in: lab)
            var status = stat()
            #expect(lstat(served.path, &status) == 0 && status.st_mode & 0o777 == 0o600)
            let second = try lab.spawn(Tool.path, ["serve", "--listen", "unix:\(served.path)"])
            #expect(second.status == .exited(1))
            #expect(second.standardError.contains("cannot listen at unix:\(served.path): Address already in use"))
            let taken = try lab.spawn(Tool.path, ["serve"])
            #expect(taken.status == .exited(1))
            #expect(taken.standardError == "tcpstates: cannot listen at 127.0.0.1:19293: Address already in use\n")
            served.process.signal(SIGKILL)
            _ = try served.process.wait()
            let again = ["-c", "exec \"$0\" \"$@\" 2>&1", Tool.path, "serve", "--listen", "unix:\(served.path)"]
            let process = try lab.start("/bin/sh", again, environment: [:])
            try process.output("where it listens") {
                $0.contains("serving unix:\(served.path), for its owner alone, with the processes")
            }
            #expect(try served.privately("/-/healthy").body == "healthy\n")
            process.signal(SIGTERM)
            #expect(try process.wait().status == .exited(0))
        }

        @Test func `It takes the socket that systemd has opened`() throws {
            let lab = try Lab.orCancel()
            defer { lab.close() }
            let listener = try lab.loopbackListener(port: 19293)
            let descriptor = try #require(listener.descriptor)
            let script = "exec 2>&1; export LISTEN_FDS=1; LISTEN_PID=$$ exec \"$0\" serve --listen fd"
            let program = try lab.run {
                try Program(["/bin/sh", "-c", script, Tool.path], descriptors: [3: descriptor])
            }
            var line = program.readLine()
            while let text = line, !text.contains("serving") { line = program.readLine() }
            #expect(line == "tcpstates: serving http://127.0.0.1:19293/, for every user of this machine")
            let answer = try lab.spawn("/usr/bin/curl", ["-s", "http://127.0.0.1:19293/-/healthy"])
            #expect(answer.standardOutput == "healthy\n")
            let nothing = try lab.spawn(Tool.path, ["serve", "--listen", "fd"])
            #expect(nothing.status == .exited(1) && nothing.standardError.contains("no socket was passed"))
        }

        @Test func `Each namespace that is named has metrics of its own`() throws {
            guard Program.isRoot else { try Test.cancel("to enter other namespaces takes root") }
            let labs = [try Lab.orCancel(), try Lab()]
            defer { labs.forEach { $0.close() } }
            let held = try labs[1].server(in: .closeWait)
            let options = labs.flatMap { ["--netns", $0.namespace.path] }
            let served = try Served(in: labs[0], options)
            let scrape = try served.privately("/metrics").body
            let sockets = values("tcpstates_sockets", in: scrape)
            #expect(sockets.count == 48)
            let waiting = sockets.filter { $0.key.contains("ipv4") && $0.key.contains("close_wait") }
            #expect(waiting.count == 2 && waiting.values.reduce(0, +) == 1)
            let heads = scrape.split(separator: "\n").filter { $0.hasPrefix("# TYPE ") }
            #expect(Set(heads).count == heads.count)
            withExtendedLifetime(held) {}
        }

        @Test(arguments: ["127.0.0.1", "localhost:1", "[127.0.0.1]:1", "::1:19293", "unix:", "127.0.0.1:70000", ":1"])
        func `An address that is none is wrong usage`(word: String) throws {
            let result = try Tool.run(["serve", "--listen", word])
            #expect(result.status == 64)
            #expect(result.errors.contains("no address to listen at '\(word)'"), "\(result.errors)")
        }
    }
#else
    @Suite struct ServeTests {
        @Test func `A build without the trait says how to have serve`() throws {
            let result = try Tool.run(["serve"])
            #expect(result.status == 1)
            #expect(result.errors.contains("swift build --traits Serve"), "\(result.errors)")
        }
    }
#endif
