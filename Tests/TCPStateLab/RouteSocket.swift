internal import CLab
internal import Glibc

/// An rtnetlink socket in the namespace of the thread that opens it.
struct RouteSocket {
    private let descriptor: Descriptor

    /// A socket that receives the given multicast groups, each an `RTNLGRP_*`; or one of another netlink family, whose
    /// messages have the same form.
    init(groups: [rtnetlink_groups] = [], family: Int32 = NETLINK_ROUTE) throws(LabError) {
        let type = Int32(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue)
        descriptor = try Descriptor("socket(AF_NETLINK, \(family))") { socket(AF_NETLINK, type, family) }
        var address = sockaddr_nl()
        address.nl_family = sa_family_t(AF_NETLINK)
        address.nl_groups = groups.reduce(0) { $0 | 1 << ($1.rawValue - 1) }
        try descriptor.call("bind a netlink socket") { descriptor in
            withUnsafePointer(to: address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_nl>.size))
                }
            }
        }
    }

    /// Has the kernel carry out the requests in order, and throws at the first that it refuses.
    func perform(_ requests: [RouteMessage]) throws(LabError) {
        let bytes = requests.flatMap(\.bytes)
        try descriptor.call("send to rtnetlink") { send($0, bytes, bytes.count, 0) }
        var answered = 0
        while answered < requests.count {
            for message in try receive("an rtnetlink acknowledgement", before: Deadline(.labDeadline)) {
                guard message.type == UInt16(NLMSG_ERROR), let code = message[0, as: Int32.self] else { continue }
                guard code == 0 else {
                    throw LabError(.systemCall(-code), "rtnetlink request \(answered): \(text(ofErrno: -code))")
                }
                answered += 1
            }
        }
    }

    /// Reads until the closure has seen the messages that it waits for and answers true.
    func await(_ awaited: String, _ isDone: (RouteNotice) -> Bool) throws(LabError) {
        let deadline = Deadline(.labDeadline)
        while true {
            if try receive(awaited, before: deadline).contains(where: isDone) { return }
        }
    }

    private func receive(_ awaited: String, before deadline: Deadline) throws(LabError) -> [RouteNotice] {
        try descriptor.wait(until: deadline, awaited)
        var buffer = [UInt8](repeating: 0, count: 32768)
        let length = try descriptor.call("receive from rtnetlink") { recv($0, &buffer, buffer.count, 0) }
        return RouteNotice.all(in: buffer.prefix(length))
    }
}

/// A message from rtnetlink.
struct RouteNotice {
    let type: UInt16
    private let bytes: ArraySlice<UInt8>

    /// The messages of one datagram.
    static func all(in datagram: ArraySlice<UInt8>) -> [RouteNotice] {
        var notices: [RouteNotice] = []
        var rest = datagram
        while let length = rest.load(at: 0, as: UInt32.self).map(Int.init), length >= 16, length <= rest.count,
            let type = rest.load(at: 4, as: UInt16.self)
        {
            notices.append(RouteNotice(type: type, bytes: rest.dropFirst(16).prefix(length - 16)))
            rest = rest.dropFirst((length + 3) & ~3)
        }
        return notices
    }

    /// A number of the type's fixed header.
    subscript<Value: FixedWidthInteger>(offset: Int, as type: Value.Type) -> Value? {
        bytes.load(at: offset, as: type)
    }

    /// The payload of the attribute, where the fixed header takes `header` bytes.
    func attribute(_ wanted: Int, after header: Int) -> ArraySlice<UInt8>? {
        var rest = bytes.dropFirst(header)
        while let length = rest.load(at: 0, as: UInt16.self).map(Int.init), length >= 4, length <= rest.count,
            let type = rest.load(at: 2, as: UInt16.self)
        {
            if Int(type) == wanted { return rest.dropFirst(4).prefix(length - 4) }
            rest = rest.dropFirst((length + 3) & ~3)
        }
        return nil
    }
}
