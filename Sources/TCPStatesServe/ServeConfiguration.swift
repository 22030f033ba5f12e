#if Serve
    package import TCPDiagnosis
    package import TCPRecords
    package import TCPWatch

    /// What is served, and to whom.
    package struct ServeConfiguration: Sendable {
        /// The version of the program.
        package var version: String
        /// What the machine is called.
        package var host = ""
        /// What is watched, and how.
        package var watching: SocketWatcher.Configuration
        /// Names under which it may be asked, beside addresses and `localhost`: a page elsewhere may give a name of its own to
        /// an address here.
        package var hosts: Set<String> = []
        /// Whether there is more than `/metrics`.
        package var hasPage = true
        /// Whether it is told which processes hold the sockets, and which have made a call.
        package var showsOwners = false
        /// What sockets are counted by, beside their states.
        package var gauges = SocketGauges.Options()
        /// From one examination to the next.
        package var examination = Duration.seconds(30)
        /// What to type to see the sockets that a remedy speaks of.
        package var command: @Sendable (SocketView) -> String? = { _ in nil }
        /// What is sent to a collector, beside what is answered.
        package var export = ExportConfiguration()
        /// What can be seen from here.
        package var access: [AccessRecord] = []

        package init(version: String, watching: SocketWatcher.Configuration) {
            (self.version, self.watching) = (version, watching)
        }
    }

    /// A socket that listens, for the server to accept from.
    package struct ListeningSocket: Sendable {
        package let descriptor: Int32
        package let isTCP: Bool

        package init(descriptor: Int32, isTCP: Bool) { (self.descriptor, self.isTCP) = (descriptor, isTCP) }
    }

    /// What a client may ask of the server, so that none can take it from the others.
    enum Limits {
        /// Bytes of a request, and of those that come before it is answered.
        static let request = 16 * 1024
        static let connections = 64
        static let eventStreams = 32
        static let socketAnswers = 4
        static let sockets = 10_000
        /// Bytes of events that may wait for a client; one for which more wait is let go of.
        static let waitingEvents = 1 << 20
        /// From a request's first byte to its end.
        static let head: Int64 = 10
        /// From one request of a connection to the next, seconds.
        static let idle: Int64 = 60
        /// Until a client has taken an answer, seconds.
        static let writing: Int64 = 30
        /// Until a client that was refused has read why, seconds.
        static let closing: Int64 = 1
        /// From one sign of life of a stream to the next, seconds.
        static let heartbeat: Int64 = 15
        /// Until what a client was sent has to be acknowledged, milliseconds.
        static let acknowledgment = 30_000
        /// How long a scrape waits where it does not say how long it may, seconds.
        static let look = 10.0
        /// Until a server that ends gives up what is not answered, seconds.
        static let drain: Int64 = 5
    }
#endif
