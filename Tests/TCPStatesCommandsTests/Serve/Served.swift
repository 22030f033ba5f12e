#if Serve
    import Foundation
    import Glibc
    import SockDiag
    import TCPStateLab
    import Testing

    /// `tcpstates serve` in a laboratory's namespace, asked over TCP and over a UNIX socket, of which no socket is seen.
    final class Served {
        let lab: Lab
        let process: ChildProcess
        /// The UNIX socket.
        let path: String
        private let port: UInt16

        /// Waits until it is asked for the first time and says that it is ready.
        init(in lab: Lab, _ options: [String] = [], port: UInt16 = 19293) throws {
            (self.lab, self.port) = (lab, port)
            path = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).sock").path
            let own = [Tool.path, "serve", "--listen", "127.0.0.1:\(port)", "--listen", "unix:\(path)"]
            process = try lab.start(
                "/bin/sh",
                ["-c", "exec \"$0\" \"$@\" 2>&1"] + own + options,
                environment: ["PATH": "/usr/bin:/bin"]
            )
            try process.output("where it listens") { $0.contains("serving unix:") && $0.hasSuffix("\n") }
            try wait("ready") { try self.privately("/-/ready").status == 200 }
        }

        /// Asks again and again until an answer is as wanted.
        func wait(
            _ awaited: String,
            within duration: Duration = .labDeadline,
            until isTrue: () throws -> Bool
        ) throws {
            let deadline = ContinuousClock.now + duration
            while try !isTrue() {
                try #require(.now < deadline, "\(awaited) did not come")
                sched_yield()
            }
        }

        /// A connection to it over TCP.
        func connection() throws -> Web {
            let web = try lab.run { try Web(AF_INET) }
            let server = SocketEndpoint(IPAddress(ipv4: 0x7f00_0001), port: port)
            let status = server.withSocketAddress { connect(web.descriptor, $0, $1) }
            try #require(status == 0, "connect: \(errno)")
            return web
        }

        /// What is answered over TCP.
        func answer(_ path: String, _ headers: [String] = [], method: String = "GET", host: String? = "localhost")
            throws
            -> Web.Answer
        {
            let web = try connection()
            let hosts = host.map { ["Host: \($0)"] } ?? []
            try web.send(([method + " \(path) HTTP/1.1"] + hosts + headers).joined(separator: "\r\n") + "\r\n\r\n")
            return try web.answer(hasBody: method != "HEAD")
        }

        /// What is answered over the UNIX socket.
        func privately(_ path: String) throws -> Web.Answer {
            let web = try Web(AF_UNIX)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: self.path.utf8) }
            let status = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(web.descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            try #require(status == 0, "connect to \(self.path): \(errno)")
            try web.send("GET \(path) HTTP/1.1\r\nHost: anything\r\n\r\n")
            return try web.answer()
        }

        /// How many descriptors it has.
        var descriptorCount: Int {
            (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process.id)/fd").count) ?? 0
        }

        /// Ends it as a service manager does.
        func end() throws -> ChildProcess.Result.Status {
            process.signal(SIGTERM)
            return try process.wait().status
        }
    }

    /// A client's socket.
    final class Web {
        struct Answer {
            let status: Int
            let headers: [String: String]
            let body: String
        }

        let descriptor: Int32
        private var received: [UInt8] = []

        init(_ family: Int32) throws {
            descriptor = socket(family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            try #require(descriptor >= 0)
            // Longer than anything that the server waits for.
            var time = timeval(tv_sec: 120, tv_usec: 0)
            setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        }

        deinit { close(descriptor) }

        /// Its own port.
        func port() throws -> UInt16 {
            var address = sockaddr_in()
            var size = socklen_t(MemoryLayout<sockaddr_in>.size)
            let status = withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &size) }
            }
            try #require(status == 0)
            return UInt16(bigEndian: address.sin_port)
        }

        func send(_ text: String) throws {
            let bytes = Array(text.utf8)
            let count = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
            try #require(count == bytes.count, "send: \(errno)")
        }

        /// Sends as much as is taken without waiting; how many bytes that was.
        func offer(_ text: String) -> Int {
            let bytes = Array(text.utf8)
            var sent = 0
            while sent < bytes.count {
                let count = bytes[sent...].withUnsafeBytes {
                    Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
                }
                guard count > 0 else { break }
                sent += count
            }
            return sent
        }

        /// Ends the connection by a RST, whatever is on its way.
        func abort() {
            var off = linger(l_onoff: 1, l_linger: 0)
            setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &off, socklen_t(MemoryLayout<linger>.size))
            // The number stays taken until the object ends, so that it is not closed twice.
            let nothing = open("/dev/null", O_RDONLY | O_CLOEXEC)
            dup2(nothing, descriptor)
            close(nothing)
        }

        /// Reads once; false at the end, also by a RST.
        private func read() throws -> Bool {
            var bytes = [UInt8](repeating: 0, count: 65_536)
            let count = recv(descriptor, &bytes, bytes.count, 0)
            if count < 0 { try #require(errno == ECONNRESET, "recv: \(errno)") }
            received += bytes.prefix(max(count, 0))
            return count > 0
        }

        /// Reads what is there, and waits for nothing; false at the end.
        func drain() -> Bool {
            var bytes = [UInt8](repeating: 0, count: 65_536)
            while true {
                let count = recv(descriptor, &bytes, bytes.count, Int32(MSG_DONTWAIT))
                if count < 0, errno == EAGAIN { return true }
                guard count > 0 else { return false }
                received += bytes.prefix(count)
            }
        }

        var byteCount: Int { received.count }

        /// What has come so far.
        var text: String { String(decoding: received, as: UTF8.self) }

        /// Reads until there is a text that is wanted.
        func read(until isWanted: (String) -> Bool) throws -> String {
            // A stream goes on for ever.
            let deadline = ContinuousClock.now + .seconds(120)
            while true {
                try #require(.now < deadline)
                let text = String(decoding: received, as: UTF8.self)
                if isWanted(text) { return text }
                let goesOn = try read()
                try #require(goesOn, "the end came after \(text)")
            }
        }

        /// Reads until the server ends the connection; what has come.
        func end() throws -> String {
            while try read() {}
            return String(decoding: received, as: UTF8.self)
        }

        func answer(hasBody: Bool = true) throws -> Answer {
            let separator = "\r\n\r\n"
            let text = try read { $0.contains(separator) }
            let head = text.components(separatedBy: separator)[0]
            let lines = head.components(separatedBy: "\r\n")
            var headers: [String: String] = [:]
            for line in lines.dropFirst() {
                let parts = line.split(separator: ":", maxSplits: 1)
                headers[parts[0].lowercased()] = String(parts[1].drop { $0 == " " })
            }
            let length = hasBody ? try #require(headers["content-length"].flatMap { Int($0) }, "\(text)") : 0
            let start = head.utf8.count + 4
            while received.count < start + length {
                let goesOn = try read()
                try #require(goesOn, "the body ends too soon")
            }
            defer { received.removeFirst(start + length) }
            let status = lines[0].split(separator: " ").dropFirst().first.flatMap { Int($0) }
            return Answer(
                status: try #require(status),
                headers: headers,
                body: String(decoding: received[start..<start + length], as: UTF8.self)
            )
        }
    }
#endif
