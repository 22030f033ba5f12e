internal import CLab
internal import Glibc
internal import SockDiag
internal import Testing

@testable internal import TCPStateLab

@Suite("A lab is a world of its own, and leaves nothing behind")
struct NamespaceTests {
    @Test func `Labs that work at the same time see only their own sockets`() async throws {
        let labs = try (0..<16).map { _ in try Lab.orCancel() }
        defer { labs.forEach { $0.close() } }
        #expect(Set(labs.map(\.namespace.inode)).count == labs.count)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (number, lab) in labs.enumerated() {
                group.addTask { try expectOwnSockets(number, in: lab) }
            }
            try await group.waitForAll()
        }
    }

    private func expectOwnSockets(_ number: Int, in lab: Lab) throws {
        for state in StateTests.clientStates { try lab.client(in: state) }
        try lab.flood(number)
        let states = try lab.procNetTCP().map(\.state)
        #expect(states.count { $0 == .listen } == 1)
        #expect(states.count { $0 == .synReceived } == number + 1)
        let others = states.filter { $0 != .listen && $0 != .synReceived }
        #expect(others.count == Set(others).count)
        #expect(Set(others + [.synReceived]) == Set(StateTests.clientStates))
    }

    @Test func `A closed lab's namespace is gone, whatever was in it`() throws {
        let observer = try Lab.orCancel()
        defer { observer.close() }
        let events = try observer.run { () throws(LabError) in try RouteSocket(groups: [RTNLGRP_LINK]) }
        do {
            let lab = try Lab()
            defer { lab.close() }
            try observer.reach(into: lab)
            for network in LabNetwork.allCases {
                for state in StateTests.clientStates { try lab.client(in: state, over: network).close() }
                for state in StateTests.serverStates { try lab.server(in: state, over: network) }
                try lab.server(in: .closeWait, over: network, accepted: false)
                try lab.flood(10, over: network)
                try lab.bound(over: network)
            }
            let pair = try lab.loopbackPair()
            try pair.send([1], from: .client)
            pair.client.close()
            try lab.start("/bin/sleep", ["1000"])
        }
        // The device here goes away with its other end, and that end with its namespace.
        try events.await("the end of the namespace") { notice in
            notice.type == UInt16(RTM_DELLINK) && notice[4, as: Int32.self] == Lab.observedDevice.index
        }
    }

    @Test func `A hundred labs leave no descriptor open`() async throws {
        try Lab.orCancel().close()
        await #expect(processExitsWith: .success) {
            func workInALab() throws {
                let lab = try Lab()
                for state in StateTests.clientStates { try lab.client(in: state, over: .ipv6) }
                try lab.server(in: .established)
                try lab.loopbackPair()
                try lab.spawn("/bin/true")
                try lab.start("/bin/sleep", ["1000"], terminal: true)
            }
            try workInALab()  // what is opened once stays: the runtime's own
            let before = try openDescriptors()
            for _ in 0..<100 { try workInALab() }
            #expect(try openDescriptors() == before)
        }
    }

    @Test func `Without the privilege the error says what would work`() async throws {
        let result = await #expect(processExitsWith: .success, observing: [\.standardOutputContent]) {
            // Root becomes somebody; in a user namespace that has only root, this fails and the next succeeds.
            _ = setgid(65534)
            _ = setuid(65534)
            do throws(LabError) {
                _ = try LabNamespace()
                print("privileged")
            } catch {
                guard case .notPermitted = error.kind else { throw error }
                print(error)
            }
        }
        let output = String(decoding: result?.standardOutputContent ?? [], as: UTF8.self)
        guard !output.contains("privileged") else { try Test.cancel("this user namespace has no other user") }
        #expect(output.contains("needs CAP_SYS_ADMIN: run the tests as root, or with `unshare -Ur swift test`"))
    }

    @Test func `The namespace's thread may ask for itself, and errors come through`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        struct Mistake: Error {}
        #expect(throws: Mistake.self) {
            try lab.run { () throws(Mistake) in try lab.run { () throws(Mistake) in throw Mistake() } }
        }
        #expect(lab.run { lab.run { 7 } } == 7)
    }

    @Test func `A parameter is the namespace's, and one that does not exist is an error that names it`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        try lab.sysctl("net.ipv4.tcp_fin_timeout", 123)
        let path = "/proc/sys/net/ipv4/tcp_fin_timeout"
        #expect(try lab.spawn("/bin/cat", [path]).standardOutput == "123\n")
        let error = #expect(throws: LabError.self) { try lab.sysctl("net.ipv4.nothing", 1) }
        #expect(error?.description == "open /proc/sys/net/ipv4/nothing: No such file or directory")
    }

    @Test func `What cannot be is an error that says so`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        for state in [TCPState.listen, .closed, .bound] {
            #expect(throws: LabError.self) { try lab.client(in: state) }
            #expect(throws: LabError.self) { try lab.server(in: state) }
        }
        #expect(throws: LabError.self) { try lab.server(in: .synSent) }
        #expect(throws: LabError.self) { try lab.server(in: .finWait1, accepted: false) }
        let client = try lab.client()
        let error = #expect(throws: LabError.self) { try client.peer.receive(.fin, within: .milliseconds(1)) }
        #expect(error?.description.hasPrefix("a segment with FIN did not come in time") == true)
    }
}

extension Lab {
    /// The observer's end of a veth pair whose other end is in the observed namespace.
    fileprivate static let observedDevice = Link(name: "observed", index: 200, hardwareAddress: [])

    /// Lays a pair of devices from here into the other lab.
    fileprivate func reach(into other: Lab) throws(LabError) {
        try run { () throws(LabError) in
            let path = other.namespace.path
            let namespace = try Descriptor("open \(path)") { Glibc.open(path, O_RDONLY | O_CLOEXEC) }
            var message = RouteMessage(RTM_NEWLINK, creates: true, header: Self.observedDevice.header())
            message.nest(IFLA_LINKINFO) { info in
                info.attribute(IFLA_INFO_KIND, Array("veth".utf8))
                info.nest(IFLA_INFO_DATA) { data in
                    data.nest(VETH_INFO_PEER) { peer in
                        peer.append(ifinfomsg())
                        peer.nest(IFLA_NET_NS_FD) { $0.append(namespace.rawValue ?? -1) }
                    }
                }
            }
            try RouteSocket().perform([message])
        }
    }
}

/// How many descriptors the process has open.
private func openDescriptors() throws -> Int {
    let directory = try #require(opendir("/proc/self/fd"))
    defer { closedir(directory) }
    var count = 0
    while readdir(directory) != nil { count += 1 }
    return count
}
