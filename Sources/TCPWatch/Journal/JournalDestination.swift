public import SocketValues

/// Where a watcher writes its journal, and what is called where that fails.
public struct JournalDestination: Sendable {
    /// The file, made or emptied.
    public var path: String
    /// The version of the program that writes it: no other reads it.
    public var version: String
    /// Called once by the watcher's thread where the file cannot be written any more. Watching goes on.
    public var reportsFailure: @Sendable (KernelError) -> Void

    /// A destination.
    public init(path: String, version: String, reportsFailure: @escaping @Sendable (KernelError) -> Void) {
        (self.path, self.version, self.reportsFailure) = (path, version, reportsFailure)
    }
}
