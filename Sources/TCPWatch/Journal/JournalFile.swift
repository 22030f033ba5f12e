internal import LinuxLibC
internal import LinuxSystem
internal import SockDiag

/// The file of a journal that is read, and what is said where it cannot be.
final class JournalFile {
    private let file: OpenFile
    private let path: String
    /// The version that wrote it, as soon as it is known.
    var version = ""
    /// How many bytes were read.
    private(set) var offset = 0

    init(_ path: String) throws(KernelError) {
        self.path = String(escaping: path.utf8)
        do throws(Errno) {
            file = try OpenFile(path)
        } catch {
            throw KernelError(
                error.isGone ? .notFound : error.isRefusal ? .permissionDenied : .system,
                errno: error.rawValue,
                operation: "open the journal \(self.path)",
                remedy: error.isRefusal ? "only the user who wrote it may read it" : ""
            )
        }
    }

    /// The next bytes: so many, or fewer where the file ends before.
    func read(_ count: Int) throws(KernelError) -> [UInt8] {
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let rest = UnsafeMutableBufferPointer(rebasing: buffer[filled...])
                let length = LinuxLibC.read(file.descriptor, rest.baseAddress, rest.count)
                if length < 0, errno == EINTR { continue }
                if length < 0 { failure = errno }
                guard length > 0 else { return }
                filled += length
            }
        }
        guard failure == 0 else {
            throw KernelError(.system, errno: failure, operation: "read the journal \(path)")
        }
        offset += bytes.count
        return bytes
    }

    /// Whether there is nothing more.
    func isAtEnd() throws(KernelError) -> Bool { try read(1).isEmpty }

    /// The error of a file that ends too soon.
    func cutShort(at offset: Int) -> KernelError {
        malformed(
            "it is cut short at byte \(offset)",
            remedy: "what came before is whole; a journal is whole when its watcher has ended"
        )
    }

    /// The error of a file that is not as it was written.
    func damaged(at offset: Int, _ reason: String = "the checksum is another") -> KernelError {
        malformed(
            "it is damaged at byte \(offset), \(reason)",
            remedy: "what came before is whole; take a copy that is"
        )
    }

    /// The error of a file that another version wrote.
    func foreign() -> KernelError {
        malformed("it was written by tcpstates \(version)", remedy: "replay it with that version")
    }

    func malformed(_ detail: String, remedy: String? = nil) -> KernelError {
        KernelError(
            .malformedFile,
            operation: "replay the journal \(path)",
            detail: detail,
            remedy: remedy ?? JournalReplay.remedyForOtherFiles
        )
    }
}
