package import ConnectionTracking

/// A tracker that the model can test.
package protocol Tracking: ~Copyable {
    init(_ configuration: ConnectionTracker.Configuration)
    mutating func take(_ input: Input, into outputs: inout [Output])
    var wakeTime: UInt64 { get }
    var count: Int { get }
    func forEach(_ body: (TrackedSocket) -> Void)
    var isEmpty: Bool { get }
    /// Gives a tracker that cannot wait for an answer a way to ask at once.
    mutating func attach(_ lookUp: @escaping (SocketName) -> SocketRow?)
}

extension Tracking where Self: ~Copyable {
    /// It asks by its outputs.
    package mutating func attach(_ lookUp: @escaping (SocketName) -> SocketRow?) {}
}

extension ConnectionTracker: Tracking {}
