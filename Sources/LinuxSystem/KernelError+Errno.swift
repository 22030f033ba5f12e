internal import LinuxLibC
package import SocketValues

extension KernelError {
    /// A failure that the system reported, with the system's words for its number.
    package init(_ code: Code, errno: Int32, operation: String, detail: String = "", remedy: String = "") {
        let reason = errno == 0 ? "" : String(cString: strerror(errno))
        self.init(code, errno: errno, reason: reason, operation: operation, detail: detail, remedy: remedy)
    }
}
