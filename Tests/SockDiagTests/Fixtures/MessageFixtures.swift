/// `struct inet_diag_msg` of `<linux/inet_diag.h>`, 72 bytes each, as a little-endian kernel writes it: numbers are
/// little-endian but for ports and addresses, which are in network order.
enum Message {
    /// A connection over IPv4 with data in both queues and a running keepalive timer.
    static let establishedIPv4: [UInt8] = [
        2,  // idiag_family: AF_INET
        1,  // idiag_state: TCP_ESTABLISHED
        2,  // idiag_timer: keepalive
        5,  // idiag_retrans
        0x01, 0xbb,  // id.idiag_sport: 443
        0xcd, 0xee,  // id.idiag_dport: 52718
        192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  // id.idiag_src
        198, 51, 100, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  // id.idiag_dst
        3, 0, 0, 0,  // id.idiag_if
        0x21, 0x43, 0x65, 0x87, 0x0f, 0, 0, 0,  // id.idiag_cookie: low word, high word
        0x10, 0x27, 0, 0,  // idiag_expires: 10,000 ms
        0x11, 0x01, 0, 0,  // idiag_rqueue: 273
        0x22, 0x02, 0x01, 0,  // idiag_wqueue: 66,082
        0xe8, 0x03, 0, 0,  // idiag_uid: 1000
        0x15, 0xcd, 0x5b, 0x07,  // idiag_inode: 123,456,789
    ]

    /// The client's side of a connection over IPv6.
    static let synSentIPv6: [UInt8] = [
        10,  // idiag_family: AF_INET6
        2,  // idiag_state: TCP_SYN_SENT
        1,  // idiag_timer: retransmission
        3,  // idiag_retrans
        0xcd, 0xee,  // id.idiag_sport: 52718
        0x01, 0xbb,  // id.idiag_dport: 443
        0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,  // id.idiag_src
        0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6,  // id.idiag_dst
        0, 0, 0, 0,  // id.idiag_if
        0xff, 0xff, 0xff, 0xff, 0xfe, 0xff, 0xff, 0x7f,  // id.idiag_cookie
        0xb8, 0x0b, 0, 0,  // idiag_expires: 3,000 ms
        0, 0, 0, 0,  // idiag_rqueue
        1, 0, 0, 0,  // idiag_wqueue: the SYN
        0xff, 0xff, 0xff, 0xff,  // idiag_uid: the largest
        1, 0, 0, 0,  // idiag_inode
    ]

    /// The server's side of an IPv4 client's connection to [::].
    static let closeWaitMapped: [UInt8] = [
        10,  // idiag_family: AF_INET6
        8,  // idiag_state: TCP_CLOSE_WAIT
        0,  // idiag_timer: none
        0,  // idiag_retrans
        0x1f, 0x90,  // id.idiag_sport: 8080
        0xc3, 0x50,  // id.idiag_dport: 50000
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1,  // id.idiag_src
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 2,  // id.idiag_dst
        0, 0, 0, 0,  // id.idiag_if
        0x2a, 0, 0, 0, 0, 0, 0, 0,  // id.idiag_cookie
        0, 0, 0, 0,  // idiag_expires
        1, 0, 0, 0,  // idiag_rqueue: the peer's FIN
        0, 0, 0, 0,  // idiag_wqueue
        0, 0, 0, 0,  // idiag_uid: root
        9, 0, 0, 0,  // idiag_inode
    ]

    /// A listener on an address of one link alone.
    static let listenLinkLocal: [UInt8] = [
        10,  // idiag_family: AF_INET6
        10,  // idiag_state: TCP_LISTEN
        0,  // idiag_timer
        0,  // idiag_retrans
        0, 22,  // id.idiag_sport
        0, 0,  // id.idiag_dport
        0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0x02, 0xfc, 0, 0xff, 0xfe, 0, 0, 1,  // id.idiag_src
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  // id.idiag_dst
        4, 3, 2, 1,  // id.idiag_if: 0x01020304
        7, 0, 0, 0, 0, 0, 0, 0,  // id.idiag_cookie
        0, 0, 0, 0,  // idiag_expires
        2, 0, 0, 0,  // idiag_rqueue: waiting to be accepted
        128, 0, 0, 0,  // idiag_wqueue: the limit of them
        0, 0, 0, 0,  // idiag_uid
        8, 0, 0, 0,  // idiag_inode
    ]

    /// A half-open request: neither queues nor an owner, and the timer of its SYN+ACK.
    static let request: [UInt8] = [
        2,  // idiag_family: AF_INET
        3,  // idiag_state: TCP_SYN_RECV
        1,  // idiag_timer: retransmission
        2,  // idiag_retrans
        0, 80,  // id.idiag_sport
        0x30, 0x39,  // id.idiag_dport: 12345
        10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  // id.idiag_src
        10, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  // id.idiag_dst
        0, 0, 0, 0,  // id.idiag_if
        1, 0x10, 0, 0, 0, 0, 0, 0,  // id.idiag_cookie: 0x1001
        0xa0, 0x0f, 0, 0,  // idiag_expires: 4,000 ms
        0, 0, 0, 0,  // idiag_rqueue
        0, 0, 0, 0,  // idiag_wqueue
        0, 0, 0, 0,  // idiag_uid: no socket yet, not root
        0, 0, 0, 0,  // idiag_inode
    ]

    /// The small entry that waits in a closed connection's place.
    static let timeWait: [UInt8] = [
        2,  // idiag_family: AF_INET
        6,  // idiag_state: TCP_TIME_WAIT
        3,  // idiag_timer: the end of TIME_WAIT
        0,  // idiag_retrans
        0xcd, 0xee,  // id.idiag_sport
        0x01, 0xbb,  // id.idiag_dport
        192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  // id.idiag_src
        192, 0, 2, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  // id.idiag_dst
        0, 0, 0, 0,  // id.idiag_if
        2, 0x10, 0, 0, 0, 0, 0, 0,  // id.idiag_cookie: 0x1002
        0x60, 0xea, 0, 0,  // idiag_expires: 60,000 ms
        0, 0, 0, 0,  // idiag_rqueue
        0, 0, 0, 0,  // idiag_wqueue
        0, 0, 0, 0,  // idiag_uid
        0, 0, 0, 0,  // idiag_inode
    ]

    /// A socket that was bound and never had a peer: the kernel says TCP_CLOSE of it.
    static let bound: [UInt8] = [
        2,  // idiag_family: AF_INET
        7,  // idiag_state: TCP_CLOSE
        0, 0,  // idiag_timer, idiag_retrans
        0x1f, 0x90,  // id.idiag_sport: 8080
        0, 0,  // id.idiag_dport
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  // id.idiag_src
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  // id.idiag_dst
        0, 0, 0, 0,  // id.idiag_if
        3, 0x10, 0, 0, 0, 0, 0, 0,  // id.idiag_cookie: 0x1003
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  // idiag_expires, idiag_rqueue, idiag_wqueue
        0, 0, 0, 0,  // idiag_uid: root
        5, 0, 0, 0,  // idiag_inode
    ]

    /// A connection that was reset while its descriptor is still open: it keeps its peer.
    static let closed: [UInt8] = [
        2,  // idiag_family: AF_INET
        7,  // idiag_state: TCP_CLOSE
        0, 0,  // idiag_timer, idiag_retrans
        0x1f, 0x90,  // id.idiag_sport: 8080
        0xcd, 0xee,  // id.idiag_dport: 52718
        10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  // id.idiag_src
        10, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  // id.idiag_dst
        0, 0, 0, 0,  // id.idiag_if
        4, 0x10, 0, 0, 0, 0, 0, 0,  // id.idiag_cookie: 0x1004
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  // idiag_expires, idiag_rqueue, idiag_wqueue
        0xe8, 0x03, 0, 0,  // idiag_uid: 1000
        6, 0, 0, 0,  // idiag_inode
    ]
}
