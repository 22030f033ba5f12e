internal import SockDiag
internal import TCPWatch

extension SocketLedger {
    /// A socket that is held, or was.
    struct Holding {
        let cookie: SocketCookie
        /// Who holds it, 0 for nobody; the descriptor where it is this process.
        var pid: Int32 = 0
        var descriptor: OwnDescriptor?
        /// The number of the look that it was last seen at.
        var lastSeen = 0
        /// Which end of a connection it is.
        var side = OpeningSide.unknown
        /// Whom it was to be connected to; when the connection is over, the kernel does not know it any more.
        var peer: SocketEndpoint?
        /// When it was first seen.
        let since = ContinuousClock.now
        /// The windows one of which it came in; none where it was made in nobody's.
        private(set) var suspects: [LeakWindow]
        /// Whether nobody else comes into question.
        private var isCertain = false
        /// Whether the last of these windows has been judged.
        var isJudged = false

        init(cookie: SocketCookie, suspects: [LeakWindow]) { (self.cookie, self.suspects) = (cookie, suspects) }

        /// As it is when nobody holds it any more.
        var released: Holding {
            var released = self
            (released.pid, released.descriptor) = (0, nil)
            return released
        }

        /// The window that it is known to have been made in; none where it was in nobody's, nil where it is not known.
        var maker: [LeakWindow]? {
            get { isCertain ? suspects : nil }
            set { (suspects, isCertain) = (newValue ?? suspects, newValue != nil) }
        }
    }
}
