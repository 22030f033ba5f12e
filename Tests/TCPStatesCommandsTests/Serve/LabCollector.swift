#if Serve
    import Foundation
    import Glibc
    import OTLPReading
    import SockDiag
    import TCPStateLab
    import Testing

    /// A collector in a laboratory's namespace, which answers what a test says, one request after the other.
    final class LabCollector {
        struct Request {
            let path: String
            let headers: [String: String]
            let body: [UInt8]
            /// When it was whole.
            let time: ContinuousClock.Instant
            fileprivate let connection: Int32

            var metrics: MetricsRequest { get throws { try MetricsRequest(body) } }
            var events: EventsRequest { get throws { try EventsRequest(body) } }
        }

        private let lab: Lab
        private let listener: Int32
        private var connections: [Int32: [UInt8]] = [:]
        /// How many connections there have been.
        private(set) var connectionCount = 0

        init(in lab: Lab, port: UInt16 = 4318) throws {
            self.lab = lab
            listener = lab.run { socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0) }
            try #require(listener >= 0)
            var on: Int32 = 1
            setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
            let place = SocketEndpoint(IPAddress(ipv4: 0x7f00_0001), port: port)
            try #require(place.withSocketAddress { bind(listener, $0, $1) } == 0, "bind: \(errno)")
            try #require(listen(listener, 16) == 0)
        }

        deinit { end() }

        private var hasEnded = false

        /// Goes away, with all connections.
        func end() {
            guard !hasEnded else { return }
            hasEnded = true
            for connection in connections.keys { close(connection) }
            connections = [:]
            close(listener)
        }

        /// Waits for the next request.
        func request(within duration: Duration = .labDeadline) throws -> Request {
            let deadline = ContinuousClock.now + duration
            while true {
                for connection in connections.keys {
                    if let request = take(from: connection) { return request }
                }
                try #require(.now < deadline, "no request came")
                var polled = ([listener] + connections.keys).map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
                poll(&polled, nfds_t(polled.count), 1000)
                for entry in polled where entry.revents != 0 {
                    if entry.fd == listener { try accept() } else { try read(entry.fd) }
                }
            }
        }

        /// Waits for a request that is as wanted, and takes all others without a word.
        func request(where isWanted: (Request) throws -> Bool) throws -> Request {
            let deadline = ContinuousClock.now + .labDeadline
            while true {
                let request = try request()
                if try isWanted(request) { return request }
                try answer(request)
                try #require(.now < deadline, "none of the requests was as wanted")
            }
        }

        private func accept() throws {
            let connection = Glibc.accept(listener, nil, nil)
            try #require(connection >= 0, "accept: \(errno)")
            connections[connection] = []
            connectionCount += 1
        }

        private func read(_ connection: Int32) throws {
            var bytes = [UInt8](repeating: 0, count: 65_536)
            let count = recv(connection, &bytes, bytes.count, 0)
            guard count > 0 else {
                connections[connection] = nil
                close(connection)
                return
            }
            connections[connection]? += bytes.prefix(count)
        }

        private func take(from connection: Int32) -> Request? {
            guard let bytes = connections[connection],
                let end = bytes.firstRange(of: Array("\r\n\r\n".utf8))
            else { return nil }
            let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
            var headers: [String: String] = [:]
            for line in lines.dropFirst() {
                let parts = line.split(separator: ":", maxSplits: 1)
                headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces)
            }
            let length = headers["content-length"].flatMap { Int($0) } ?? 0
            guard bytes.count >= end.upperBound + length else { return nil }
            connections[connection] = Array(bytes[(end.upperBound + length)...])
            let words = lines[0].split(separator: " ")
            guard words.first == "POST" else { return nil }
            return Request(
                path: String(words[1]),
                headers: headers,
                body: Array(bytes[end.upperBound..<end.upperBound + length]),
                time: .now,
                connection: connection
            )
        }

        /// Answers a request.
        func answer(
            _ request: Request,
            _ status: String = "200 OK",
            _ headers: [String] = [],
            body: [UInt8] = [],
            type: String = "application/x-protobuf"
        ) throws {
            let head =
                ["HTTP/1.1 \(status)", "Content-Type: \(type)", "Content-Length: \(body.count)"] + headers
            let bytes = Array((head.joined(separator: "\r\n") + "\r\n\r\n").utf8) + body
            let count = send(request.connection, bytes, bytes.count, Int32(MSG_NOSIGNAL))
            try #require(count == bytes.count, "send: \(errno)")
        }

        /// Ends a request's connection in place of an answer.
        func drop(_ request: Request) {
            connections[request.connection] = nil
            close(request.connection)
        }
    }

    extension Lab {
        /// Waits until attempts to connect have failed, as many as given.
        func awaitRefusals(_ number: Int) throws {
            let deadline = ContinuousClock.now + .labDeadline
            func failed() throws -> Int {
                let text = try spawn("/bin/cat", ["/proc/net/snmp"]).standardOutput
                let lines = text.split(separator: "\n").filter { $0.hasPrefix("Tcp:") }.map { $0.split(separator: " ") }
                let place = try #require(lines.first?.firstIndex(of: "AttemptFails"))
                return try #require(lines.last.flatMap { Int($0[place]) })
            }
            let before = try failed()
            while try failed() < before + number {
                try #require(.now < deadline, "no attempt was made")
                sched_yield()
            }
        }
    }

    /// `tcpstates serve` that sends to a collector.
    final class Exporting {
        let process: ChildProcess
        private let lab: Lab

        init(in lab: Lab, _ options: [String], environment: [String: String] = [:]) throws {
            self.lab = lab
            process = try lab.start(
                "/bin/sh",
                ["-c", "exec \"$0\" \"$@\" 2>&1", Tool.path, "serve"] + options,
                environment: ["PATH": "/usr/bin:/bin"].merging(environment) { $1 }
            )
        }

        /// Waits until it has said a line.
        @discardableResult
        func wait(forLine text: String) throws -> String {
            try process.output("\"\(text)\"") { $0.contains(text) && $0.hasSuffix("\n") }
        }

        /// Ends it, and answers what it has said.
        func end() throws -> [String] {
            process.signal(SIGTERM)
            let result = try process.wait()
            #expect(result.status == .exited(0))
            return result.standardOutput.split(separator: "\n").map(String.init)
        }

        /// Bytes of its memory that are resident.
        var residentBytes: Int {
            get throws {
                let status = try String(contentsOfFile: "/proc/\(process.id)/status", encoding: .utf8)
                let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") })
                return try #require(line.split(separator: " ").dropFirst().first.flatMap { Int($0) }) * 1024
            }
        }
    }
#endif
