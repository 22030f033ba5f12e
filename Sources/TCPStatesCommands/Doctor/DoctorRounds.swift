internal import SockDiag
internal import SocketOwners
internal import TCPDiagnosis
internal import TCPRecords
internal import TCPWatch

/// A doctor for each network namespace.
struct DoctorRounds {
    private var doctors: [Doctor] = []
    private let isGiven: Bool

    /// Takes the first snapshot of each. Where all are meant, one that cannot be read is left out, and that is said.
    init(_ options: NamespaceOptions, _ thresholds: Thresholds) throws(KernelError) {
        isGiven = options.isGiven
        var refused: [KernelError] = []
        for namespace in try options.namespaces() {
            do throws(KernelError) {
                doctors.append(try Doctor(of: namespace, thresholds: thresholds))
            } catch {
                guard options.all else { throw error }
                if error.code != .notFound { refused.append(error) }
            }
        }
        guard let first = refused.first else { return }
        // That nothing is wrong cannot be said of what was not examined.
        if doctors.isEmpty { throw first }
        TCPStates.complain("\(first)" + (refused.count > 1 ? "; \(refused.count - 1) more namespaces likewise" : ""))
    }

    /// Examines all of them again. A namespace that has ended is released.
    mutating func examine() throws(KernelError) -> DoctorReport {
        var entries: [DoctorReport.Entry] = []
        for index in doctors.indices.reversed() {
            do throws(KernelError) {
                let findings = try doctors[index].examine()
                let namespace = isGiven ? doctors[index].namespace : nil
                let coverage = doctors[index].coverage
                let hidden = coverage.flatMap { $0.isComplete ? nil : "not known: \($0)" }
                entries.insert(
                    contentsOf: findings.map { .init(finding: $0, namespace: namespace, hiddenOwner: hidden) },
                    at: 0
                )
            } catch {
                guard doctors.count > 1 else { throw error }
                if error.code != .notFound { TCPStates.complain("\(error)") }
                doctors.remove(at: index)
            }
        }
        return DoctorReport(entries: entries, time: .now())
    }
}
