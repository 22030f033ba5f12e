#if Serve
    internal import LinuxLibC
    internal import LinuxSystem
    internal import SockDiag
    internal import TCPRecords
    internal import TCPStatesServe
    internal import TCPWatch

    /// Serves until a signal comes, or the watch ends.
    ///
    /// One thread waits here for events and signals, and counts; the server's own answers.
    struct ServeSession {
        private let command: ServeCommand

        init(_ command: ServeCommand) { self.command = command }

        func run() throws {
            signal(SIGPIPE, SIG_IGN)  // a client that goes away is no reason to end
            let inbox = try Inbox()
            StopSignal.ring(inbox.bell)
            let listening = try listen()
            defer { for socket in listening { socket.removeFile() } }
            var export = try ExportConfiguration(
                command.otlp,
                OTLPEnvironment { name in getenv(name).map { String(cString: $0) } },
                at: listening.map(\.name)
            )
            export.report = { TCPStates.complain($0) }
            let access = Access.all()
            let canTrace = command.source != .poll && access.contains { $0.name == "trace" && $0.shortfall == nil }
            let showsOwners = command.processes || listening.allSatisfy { $0.reach == .owner }
            let watching = try command.watching(canTrace: canTrace, showsOwners: showsOwners)
            let watcher = try SocketWatcher(watching, beforeStart: { dropCapabilities(for: watching) })
            var configuration = ServeConfiguration(version: TCPStates.version, watching: watching)
            configuration.host = Self.hostName
            configuration.hosts = Set(command.hosts)
            configuration.hasPage = !command.noPage
            configuration.showsOwners = showsOwners
            configuration.gauges = command.groups.options
            configuration.examination = command.examine.duration
            configuration.command = { $0.command }
            configuration.access = access.map {
                AccessRecord($0.name, isAvailable: $0.shortfall == nil, shortfall: $0.shortfall)
            }
            configuration.export = export
            let server = StateServer(configuration, of: watcher, afterEvents: inbox.put(work:))
            try server.start(listening.map { ListeningSocket(descriptor: $0.descriptor, isTCP: $0.isTCP) })
            if let refusal = watcher.traceRefusal {
                TCPStates.complain("watching by polls, without tracing: \(refusal)")
                // docs/benchmarks.md: what being watched costs.
                TCPStates.complain(
                    "the kernel then sends a message about each end, which slows a program that opens thousands of "
                        + "connections a second"
                )
            }
            for socket in listening { TCPStates.complain(socket.announcement(configuration)) }
            if let collector = export.metrics { TCPStates.complain("sending metrics to \(collector.url)") }
            if let collector = export.events { TCPStates.complain("sending each transition to \(collector.url)") }
            watcher.receive(inbox.put)
            var goesOn = true
            while goesOn, !StopSignal.hasCome {
                _ = inbox.wait(until: nil, beside: -1)
                let work = inbox.takeWork()
                while goesOn, let events = inbox.take() {
                    goesOn = !events.isEmpty
                    server.take(events)
                    watcher.receive(inbox.put)
                }
                for work in work { work() }
            }
            for work in inbox.takeWork(closing: true) { work() }
            try server.drain()
            watcher.stop()
            if let failure = watcher.failure { throw failure }
            // A service manager is to know that nothing is served any more.
            guard StopSignal.hasCome else {
                throw CommandFailure("cannot go on serving: the network namespace has ended")
            }
        }

        /// Lets go of what served to begin, before any thread is started: who breaks into the server has no more than it needs.
        private func dropCapabilities(for watching: SocketWatcher.Configuration) {
            guard !command.keepsCapabilities else { return }
            var kept: Capabilities = []
            // Whoever enters a namespace has to be in it, and in its processes' files.
            if command.namespaces.isGiven { kept.formUnion([.administration, .ptrace, .readSearch]) }
            let asksOwners = watching.resolvesOwners || command.groups.options.groupings.contains(.process)
            if watching.filter?.readsMarks == true { kept.formUnion(.networkAdministration) }
            if asksOwners || watching.filter?.externals.isEmpty == false {
                kept.formUnion([.ptrace, .readSearch, .bpf, .performanceMonitoring])
            }
            if !Capabilities.limit(to: kept) { TCPStates.complain("cannot let go of capabilities (errno \(errno))") }
        }

        /// What the machine is called: on the page, for who has several of them open.
        private static var hostName: String {
            var name = utsname()
            guard uname(&name) == 0 else { return "" }
            return withUnsafeBytes(of: &name.nodename) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        }

        private func listen() throws(CommandFailure) -> [Listening] {
            var all: [Listening] = []
            do throws(CommandFailure) {
                for address in command.listen.isEmpty ? [.usual] : command.listen { all += try Listening.open(address) }
            } catch {
                for socket in all { socket.removeFile() }
                throw error
            }
            return all
        }
    }

    extension Listening {
        /// Where it is, and who may ask.
        fileprivate func announcement(_ configuration: ServeConfiguration) -> String {
            let hasPage = configuration.hasPage
            let told = hasPage && configuration.showsOwners ? ", with the processes that hold the sockets" : ""
            let place = "serving \(name)\(isTCP ? hasPage ? "/" : "/metrics" : "")"
            switch reach {
            case .owner: return "\(place), for its owner alone\(told)"
            case .file: return "\(place), for whoever may open the file\(told)"
            case .machine: return "\(place), for every user of this machine\(told)"
            case .network:
                let advice = hasPage ? ", and the peers' addresses; --no-page leaves metrics alone" : ""
                return "\(place), for whoever reaches that address\(told)\(advice)"
            }
        }
    }
#endif
