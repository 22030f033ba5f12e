/// A process whose files in `/proc` may not be read, and why.
public struct UnreadableProcess: Hashable, Sendable {
    /// Why a process may not be read. New reasons may come.
    public struct Reason: RawRepresentable, Hashable, Sendable {
        /// Its name.
        public let rawValue: String

        /// A reason of any name.
        public init(rawValue: String) { self.rawValue = rawValue }

        /// This process lacks CAP_SYS_PTRACE or CAP_DAC_READ_SEARCH, and the other is another user's.
        public static let missingCapability = Reason(rawValue: "missing-capability")
        /// This process has both, but in a user namespace that the other is outside of.
        public static let userNamespace = Reason(rawValue: "user-namespace")
        /// This process has both where they count for every process, and a security module refuses all the same:
        /// SELinux, AppArmor, Landlock, a BPF program.
        public static let securityModule = Reason(rawValue: "security-module")
    }

    /// Its number, in the PID namespace of `/proc`.
    public var pid: Int32
    /// What it is called; nil where that may not be read either.
    public var name: ProcessName?
    /// Why it may not be read.
    public var reason: Reason

    /// An unreadable process.
    public init(pid: Int32, name: ProcessName? = nil, reason: Reason) {
        (self.pid, self.name, self.reason) = (pid, name, reason)
    }
}

extension UnreadableProcess: CustomStringConvertible {
    /// `process 4711 (nginx)`
    public var description: String { "process \(pid)" + (name.map { " (\($0))" } ?? "") }
}

extension UnreadableProcess.Reason {
    /// What the processes are that may not be read, with this reason where it is not the ordinary one.
    var explanation: String {
        switch self {
        case .userNamespace: ", being outside of this user namespace"
        case .securityModule: ", for a security module refuses it, whatever capabilities there are"
        default: ""
        }
    }

    /// What would make them readable; empty where nothing that can be asked for would.
    package func remedy(needing capabilities: String) -> String {
        switch self {
        case .userNamespace: "it takes \(capabilities) in the first user namespace"
        case .securityModule: "its policy decides (SELinux, AppArmor, Landlock, a BPF program)"
        default: "it takes \(capabilities), as root has \(capabilities.contains(" and ") ? "them" : "it")"
        }
    }
}

extension UnreadableProcess? {
    /// `process 1 (init) cannot be read`, `12 processes cannot be read, as process 1 (init)`, and why.
    package func words(_ count: Int, of: String = "") -> String {
        let first = self.map(\.description)
        let what = count == 1 ? first ?? "1 process" : "\(count) processes"
        let example = count == 1 ? "" : first.map { ", as \($0)" } ?? ""
        return "\(of)\(what) cannot be read\(example)\(self?.reason.explanation ?? "")"
    }
}
