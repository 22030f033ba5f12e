/// The types of `socket(2)` and their flags, which Glibc declares as an enumeration and Musl as numbers.
package enum SocketType {
    /// `SOCK_STREAM`
    package static var stream: Int32 { number(SOCK_STREAM) }
    /// `SOCK_CLOEXEC`
    package static var closeOnExec: Int32 { number(SOCK_CLOEXEC) }
    /// `SOCK_NONBLOCK`
    package static var nonBlocking: Int32 { number(SOCK_NONBLOCK) }

    #if canImport(Musl)
        private static func number(_ type: Int32) -> Int32 { type }
    #else
        private static func number(_ type: __socket_type) -> Int32 { Int32(type.rawValue) }
    #endif
}
