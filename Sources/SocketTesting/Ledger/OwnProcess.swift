internal import Glibc
internal import LinuxSystem
internal import SockDiag
internal import SocketLeaks

/// This process, as it holds sockets: found out once, because every call that makes a socket asks for it.
///
/// A process forked from it without `exec` would have another identity; the tests of such a one are not known anyway.
enum OwnProcess {
    static let identity: ProcessIdentity = {
        let known = try? ProcessIdentity(of: getpid(), in: ProcessDirectory())
        // Without /proc no descriptors are listed either.
        return known ?? ProcessIdentity(pid: getpid(), startTime: 0)
    }()

    static let name = (try? ProcessDirectory())?.name(of: identity.pid) ?? ProcessName("")
}
