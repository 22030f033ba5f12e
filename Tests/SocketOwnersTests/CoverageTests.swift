import SocketOwners
import Testing

/// What is said of a pass that has not seen all.
struct CoverageTests {
    private func coverage(_ count: Int, _ reason: UnreadableProcess.Reason) -> ScanCoverage {
        let first = UnreadableProcess(pid: 7, name: ProcessName("init"), reason: reason)
        return ScanCoverage(unreadable: count, firstUnreadable: first)
    }

    @Test func `One process that may not be read is named, and what refuses it`() {
        #expect(
            coverage(1, .missingCapability).shortfall?.description
                == "cannot find the owners of all sockets: process 7 (init) cannot be read; it takes CAP_SYS_PTRACE and "
                + "CAP_DAC_READ_SEARCH, as root has them"
        )
        #expect(
            coverage(1, .userNamespace).description
                == "process 7 (init) cannot be read, being outside of this user namespace: its sockets show no owner; "
                + "it takes CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH in the first user namespace"
        )
        #expect(coverage(1, .securityModule).shortfall?.remedy.contains("CAP_") == false)
    }

    @Test func `Of several the first is an example`() {
        #expect(
            coverage(12, .missingCapability).description.hasPrefix("12 processes cannot be read, as process 7 (init): ")
        )
        #expect(ScanCoverage(unreadable: 12).description.hasPrefix("12 processes cannot be read: "))
        #expect(ScanCoverage(unreadable: 1).description.hasPrefix("1 process cannot be read: "))
    }

    @Test func `Processes outside of the PID namespace are another gap than those that may not be read`() {
        let confined = ScanCoverage(isConfined: true)
        #expect(!confined.isComplete && ScanCoverage().isComplete)
        #expect(confined.description.hasPrefix("/proc does not show the processes outside of this PID namespace: "))
        #expect(confined.shortfall?.remedy.contains("CAP_") == false)
        var both = coverage(1, .missingCapability)
        both.isConfined = true
        #expect(both.description.hasPrefix("process 7 (init) cannot be read and /proc does not show "))
    }
}
