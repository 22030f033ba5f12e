#if Serve
    internal import NIOCore
    internal import NIOHTTP1
    internal import NIOPosix
    internal import SockDiag
    internal import Synchronization
    internal import TCPDiagnosis
    internal import TCPRecords
    internal import TCPWatch

    /// Has the doctor look, again and again, on the server's one thread for what takes long.
    final class Examinations: Sendable {
        private struct State {
            var doctors: [NetworkNamespace?: Doctor] = [:]
            var findings: [FindingRecord]?
            var examined: [Finding]?
        }

        private let configuration: ServeConfiguration
        private let pool: NIOThreadPool
        private let state = Mutex(State())

        /// From the first snapshot to the second, between which nothing can be said.
        private static let window = TimeAmount.seconds(1)

        init(_ configuration: ServeConfiguration, on pool: NIOThreadPool) {
            (self.configuration, self.pool) = (configuration, pool)
        }

        /// What was wrong at the last examination; nil before the first.
        var findings: [FindingRecord]? { state.withLock { $0.findings } }

        /// The same, for who counts them.
        var examined: [Finding]? { state.withLock { $0.examined } }

        /// Takes the first snapshot, and examines from then on as long as the loop runs.
        func begin(on loop: any EventLoop) { goOn(on: loop, after: Self.window) }

        private func goOn(on loop: any EventLoop, after time: TimeAmount) {
            pool.runIfActive(eventLoop: loop) { [self] in examine() }.whenSuccess { [self] in
                loop.scheduleTask(in: time) { [self] in
                    goOn(on: loop, after: .nanoseconds(Int64(clamping: configuration.examination.nanoseconds)))
                }
            }
        }

        /// Examines each namespace that has a snapshot, and takes one of each that has none.
        private func examine() {
            // One that cannot be read now is tried again; what is wrong elsewhere is said.
            guard let namespaces = try? configuration.namespaces() else { return }
            var (known, findings): ([NetworkNamespace?: Doctor], [FindingRecord]) = ([:], [])
            var examined: [Finding] = []
            let former = state.withLock { $0.doctors }
            for namespace in namespaces {
                if var doctor = former[namespace] {
                    guard let found = try? doctor.examine() else { continue }
                    known[namespace] = doctor
                    let time = EventTime.now()
                    examined += found
                    findings += found.map {
                        FindingRecord($0, at: time, namespace: namespace, command: configuration.command)
                    }
                } else if var doctor = try? Doctor(of: namespace) {
                    doctor.namesOwners = configuration.showsOwners
                    known[namespace] = doctor
                }
            }
            let (doctors, all, kinds) = (known, findings, examined)
            state.withLock { state in
                if !state.doctors.isEmpty { (state.findings, state.examined) = (all, kinds) }
                state.doctors = doctors
            }
        }

        /// The findings, a record a line.
        var response: Response {
            guard let findings else { return Response(.serviceUnavailable, "the first examination is under way") }
            var encoder = JSONLinesEncoder()
            for finding in findings { encoder.append(Record(.finding(finding))) }
            return Response(type: Response.records, body: encoder.withUnsafeBytes { ByteBuffer(bytes: $0) })
        }
    }
#endif
