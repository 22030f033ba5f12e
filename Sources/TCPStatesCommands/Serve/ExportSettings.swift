#if Serve
    internal import LinuxLibC
    internal import LinuxSystem
    internal import TCPStatesServe

    extension ExportConfiguration {
        /// What the options ask for, and where they are silent, the environment.
        init(_ options: OTLPOptions, _ environment: OTLPEnvironment, at places: [String]) throws(CommandFailure) {
            self.init()
            metrics = try Self.collector("METRICS", "metrics", options, environment)
            if options.sendsEvents {
                events = try Self.collector("LOGS", "logs", options, environment)
                guard events != nil else {
                    throw CommandFailure(
                        "--otlp-events has nowhere to send to; give --otlp http://127.0.0.1:4318, or OTEL_EXPORTER_OTLP_ENDPOINT"
                    )
                }
            }
            guard metrics != nil || events != nil else {
                let silent =
                    options.interval != nil ? "--otlp-interval" : options.headers.isEmpty ? nil : "--otlp-header"
                if let silent {
                    throw CommandFailure("\(silent) has nowhere to send to; give --otlp http://127.0.0.1:4318 as well")
                }
                return
            }
            if let asked = try environment.interval { interval = asked }
            if let asked = options.interval { interval = asked.duration }
            attributes = Self.identity(at: places)
            for (name, value) in try environment.attributes {
                attributes.removeAll { $0.name == name }
                attributes.append((name, value))
            }
            attributes.insert(("service.version", TCPStates.version), at: 0)
        }

        private static func collector(
            _ signal: String,
            _ folder: String,
            _ options: OTLPOptions,
            _ environment: OTLPEnvironment
        ) throws(CommandFailure) -> Collector? {
            var endpoint = options.url
            if let url = options.url {
                endpoint?.path = url.path(of: folder)
            } else if !environment.isDisabled, environment.exports(signal) {
                endpoint = try environment.endpoint(of: signal, folder)
                if endpoint != nil { try environment.checkProtocol(of: signal) }
            }
            guard let endpoint else { return nil }
            var collector = Collector(host: endpoint.host, port: endpoint.port, path: endpoint.path)
            let headers = try environment.headers(of: signal) + options.headers
            collector.headers = headers.map { Collector.Header($0.name, $0.value) }
            if let timeout = try environment.timeout(of: signal) { collector.timeout = timeout }
            return collector
        }

        /// Who sends. The number of the instance stays the same when it is started anew: by it a store knows which values are the
        /// next ones of which series.
        private static func identity(at places: [String]) -> [(name: String, value: String)] {
            let host = try? OpenFile.start(of: "/proc/sys/kernel/hostname", limit: 256).line
            let machine = try? OpenFile.start(of: "/etc/machine-id", limit: 64).line
            var network = stat()
            let inode = stat("/proc/self/ns/net", &network) == 0 ? "\(network.st_ino)" : ""
            var attributes = [(name: "service.name", value: "tcpstates")]
            let own = [host ?? "", machine ?? "", inode] + places
            attributes.append(("service.instance.id", uuid(of: own.joined(separator: "\n"))))
            if let host, !host.isEmpty { attributes.append(("host.name", host)) }
            if let machine, !machine.isEmpty { attributes.append(("host.id", machine)) }
            return attributes
        }

        /// A UUID of a kind of its own (RFC 9562, version 8): FNV-1a of 128 bits.
        static func uuid(of text: String) -> String {
            var hash = UInt128(0x6c62_272e_07bb_0142) << 64 | 0x62b8_2175_6295_c58d
            for byte in text.utf8 { hash = (hash ^ UInt128(byte)) &* (UInt128(1) << 88 | 0x13b) }
            hash = hash & ~(UInt128(0xf) << 76) | UInt128(8) << 76
            hash = hash & ~(UInt128(3) << 62) | UInt128(2) << 62
            let digits = String(hash, radix: 16)
            let padded = Array(String(repeating: "0", count: 32 - digits.count) + digits)
            return [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(padded[$0]) }.joined(separator: "-")
        }
    }

    extension [UInt8] {
        /// The first line, as text.
        fileprivate var line: String { String(decoding: prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self) }
    }
#endif
