internal import BPF
internal import SocketOwners
internal import TCPWatch

extension String {
    /// A message of the libraries for who has this program and its Makefile: where it ends in a remedy that speaks of
    /// capabilities or files alone, the commands for it take the remedy's place.
    var withCommands: String {
        for (remedy, commands) in Self.remedies where hasSuffix(remedy) { return dropLast(remedy.count) + commands }
        return self
    }

    private static let remedies = [
        (BPFSupport.Requirement.remedyForPrivilege, "run as root, or install with: make install CAPS=1"),
        (
            ScanCoverage.remedyForNamespace,
            "it takes the host's PID namespace and its /proc (docker run --pid=host, hostPID of a pod)"
        ),
        (JournalReplay.remedyForOtherFiles, "a journal is made by tcpstates watch --journal FILE"),
    ]
}
