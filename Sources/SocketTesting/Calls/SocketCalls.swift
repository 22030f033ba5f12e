internal import LinuxLibC
internal import SockDiag

// The calls that make a socket, defined here so that the linker prefers them to glibc's in a test program: the one moment
// at which it can be known which test a socket belongs to. Each does what glibc's does and notes what is known then.

@c(socket)
func socketCall(_ domain: Int32, _ type: Int32, _ number: Int32) -> Int32 {
    let descriptor = GlibcCalls.socket(domain, type, number)
    SocketLedger.shared.noteMade(descriptor)
    return descriptor
}

@c(connect)
func connectCall(_ descriptor: Int32, _ address: UnsafePointer<sockaddr>?, _ length: socklen_t) -> Int32 {
    let result = GlibcCalls.connect(descriptor, address, length)
    if result == 0 || errno == EINPROGRESS {
        SocketLedger.shared.noteConnecting(descriptor, to: address.flatMap { SocketEndpoint($0, length) })
    }
    return result
}

@c(accept)
func acceptCall(
    _ listener: Int32,
    _ address: UnsafeMutablePointer<sockaddr>?,
    _ length: UnsafeMutablePointer<socklen_t>?
) -> Int32 {
    let descriptor = GlibcCalls.accept(listener, address, length)
    SocketLedger.shared.noteAccepted(descriptor, by: listener)
    return descriptor
}

@c(accept4)
func accept4Call(
    _ listener: Int32,
    _ address: UnsafeMutablePointer<sockaddr>?,
    _ length: UnsafeMutablePointer<socklen_t>?,
    _ flags: Int32
) -> Int32 {
    let descriptor = GlibcCalls.accept4(listener, address, length, flags)
    SocketLedger.shared.noteAccepted(descriptor, by: listener)
    return descriptor
}

/// glibc's own functions.
private enum GlibcCalls {
    typealias Address = UnsafeMutablePointer<sockaddr>?
    typealias Length = UnsafeMutablePointer<socklen_t>?

    static let socket = next("socket", as: (@convention(c) (Int32, Int32, Int32) -> Int32).self)
    static let connect = next(
        "connect",
        as: (@convention(c) (Int32, UnsafePointer<sockaddr>?, socklen_t) -> Int32).self
    )
    static let accept = next("accept", as: (@convention(c) (Int32, Address, Length) -> Int32).self)
    static let accept4 = next("accept4", as: (@convention(c) (Int32, Address, Length, Int32) -> Int32).self)

    /// `dlsym(RTLD_NEXT, name)`. Safe: glibc has each of them, with the type that its header declares.
    private static func next<Function>(_ name: String, as type: Function.Type) -> Function {
        unsafeBitCast(dlsym(UnsafeMutableRawPointer(bitPattern: -1), name), to: type)
    }
}
