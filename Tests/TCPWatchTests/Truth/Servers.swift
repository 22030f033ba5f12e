internal import Glibc
internal import TCPStateLab
internal import Testing

/// Real servers in a lab's namespace, that write below a directory of their own: haproxy before nginx, and redis.
struct Servers {
    static let haproxyPort: UInt16 = 8080
    static let nginxPort: UInt16 = 8081
    static let redisPort: UInt16 = 6379
    /// Nobody listens there: haproxy tries it for one request of so many.
    private static let deadPort: UInt16 = 8082

    private let lab: Lab
    private let directory: String
    private let running: [ChildProcess]

    private static let programs = [
        "haproxy": "/usr/sbin/haproxy", "nginx": "/usr/sbin/nginx", "redis-server": "/usr/bin/redis-server",
        "redis-benchmark": "/usr/bin/redis-benchmark", "wrk": "/usr/bin/wrk",
    ]

    /// Cancels the current test where one of the programs is missing.
    static func cancelUnlessInstalled() throws {
        let missing = programs.filter { access($1, X_OK) != 0 }.keys.sorted()
        if !missing.isEmpty {
            try Test.cancel("not installed: \(missing.joined(separator: ", ")) (as root, `make test-servers` does it)")
        }
    }

    /// Starts them; a watcher reports that they listen.
    init(_ lab: Lab) throws {
        var template = Array("/tmp/tcpstates-servers-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw LabError(.systemCall(errno), "mkdtemp") }
        let directory = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        (self.lab, self.directory) = (lab, directory)
        // One process each, that stays in the foreground: it is ended by its number, and leaves none behind.
        try Self.write("\(directory)/nginx.conf", Self.nginx(directory))
        try Self.write("\(directory)/haproxy.cfg", Self.haproxy)
        let redis = [
            "--port", "\(Self.redisPort)", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--daemonize",
            "no",
            "--dir", directory,
        ]
        running = try [
            lab.start("/usr/sbin/nginx", ["-p", directory, "-c", "\(directory)/nginx.conf", "-e", "\(directory)/log"]),
            lab.start("/usr/sbin/haproxy", ["-db", "-q", "-f", "\(directory)/haproxy.cfg"]),
            lab.start("/usr/bin/redis-server", redis),
        ]
    }

    /// Some seconds of connections that end after one request, many at once; what the programs say of it.
    func load(seconds: Int) throws -> String {
        let wrk = try lab.spawn(
            "/usr/bin/wrk",
            ["-t", "1", "-c", "64", "-d", "\(seconds)s", "http://127.0.0.1:\(Self.haproxyPort)/"],
            within: .seconds(seconds + 20)
        )
        let redis = try lab.spawn(
            "/usr/bin/redis-benchmark",
            ["-p", "\(Self.redisPort)", "-k", "0", "-c", "20", "-n", "5000", "-t", "get", "-q"],
            within: .seconds(60)
        )
        for result in [wrk, redis] where result.status != .exited(0) {
            throw LabError(.impossible, "the load failed: \(result)")
        }
        return wrk.standardOutput + redis.standardOutput
    }

    /// Ends them, and removes what they wrote.
    func end() throws {
        for server in running { server.signal(SIGTERM) }
        for server in running { _ = try server.wait(within: .seconds(20)) }
        _ = try Program.run(["/bin/rm", "-r", "--", directory])
    }

    private static func nginx(_ directory: String) -> String {
        let places = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map { "\($0)_temp_path \(directory)/\($0);" }
        return """
            daemon off; master_process off; pid \(directory)/nginx.pid;
            events { worker_connections 2048; }
            http {
                access_log off; \(places.joined(separator: " "))
                server { listen 127.0.0.1:\(nginxPort) backlog=4096; location / { return 200 "a page\\n"; } }
            }

            """
    }

    /// How many requests a second are taken; 0 for as many as come. Nothing may be lost, and what is built for debugging
    /// reads but some ten thousand records a second.
    #if DEBUG
        private static let rate = 1000
    #else
        private static let rate = 0
    #endif

    /// Each request has two connections of its own; now and then the first that is tried is refused.
    private static let haproxy = """
        global
            maxconn 1000
        defaults
            mode http
            option httpclose
            option redispatch 1
            retries 2
            timeout connect 5s
            timeout client 5s
            timeout server 5s
        frontend front
            bind 127.0.0.1:\(haproxyPort) backlog 4096
            rate-limit sessions \(rate)
            default_backend back
        backend back
            balance roundrobin
            server nginx 127.0.0.1:\(nginxPort) weight 200
            server dead 127.0.0.1:\(deadPort) weight 1

        """

    private static func write(_ path: String, _ text: String) throws {
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        defer { close(file) }
        guard Glibc.write(file, text, text.utf8.count) == text.utf8.count else {
            throw LabError(.systemCall(errno), "write \(path)")
        }
    }
}
