@testable import SockDiag

/// Random filters over the sockets of a zoo: on what they have, and what they have not.
struct RandomFilters {
    let terms: [SocketFilter.Term]

    init(terms: [SocketFilter.Term]) { self.terms = terms }

    init(of zoo: FilterZoo, kernelOnly: Bool) throws {
        var terms: [SocketFilter.Term] = [.mark(0, mask: 1), .mark(1, mask: 1), .mark(0, mask: .max)]
        for mark in FilterZoo.marks { terms.append(.mark(mark, mask: .max)) }
        for index in Set(zoo.sockets.map { $0.interface?.rawValue ?? 0 }) { terms.append(.interface(index)) }
        terms.append(.named(.interface("lo")))
        if CgroupPaths.id(of: "/") != nil { terms += [.named(.cgroup("/")), .named(.cgroup("/"))] }
        for which in [SocketFilter.Endpoint.local, .remote] {
            let endpoints = Set(zoo.sockets.map { which == .local ? $0.local : $0.remote })
            for endpoint in endpoints {
                let width = endpoint.address.family == .ipv4 ? 32 : 128
                let lengths = [0, 8, width - 1, width, 96, 100, 127].filter { $0 <= width }
                for length in lengths {
                    let network = IPNetwork(endpoint.address, prefixLength: length)
                    terms.append(.host(which, network, port: length.isMultiple(of: 2) ? nil : endpoint.port))
                }
                terms.append(.host(which, IPNetwork(endpoint.address.unmapped), port: nil))
                terms.append(.host(which, nil, port: endpoint.port))
                for comparison in [SocketFilter.Comparison.equal, .less, .lessOrEqual, .greater, .greaterOrEqual] {
                    terms.append(
                        .number(which == .local ? .localPort : .remotePort, comparison, UInt64(endpoint.port))
                    )
                }
            }
        }
        if !kernelOnly {
            terms.append(.named(.autobound))
            terms += TCPState.allCases.flatMap {
                [SocketFilter.Term](repeating: .states(TCPStateSet($0).paired), count: 20)
            }
            for state in [TCPStateSet.connected, .bucket, .synchronized, .finWait] {
                terms += [SocketFilter.Term](repeating: .states(state), count: 30)
            }
            for socket in zoo.sockets {
                terms.append(.inode(socket.inode ?? 0))
                terms.append(.cookie(socket.cookie.rawValue))
                for quantity in [SocketFilter.Quantity.receiveQueue, .sendQueue, .uid, .retransmits] {
                    terms.append(.number(quantity, .greater, UInt64(socket.receiveQueue)))
                    terms.append(.number(quantity, .equal, UInt64(socket.sendQueue)))
                }
                let rtt = socket.tcpInfo?[.rtt] ?? 0
                terms.append(.number(.rtt, .lessOrEqual, rtt * 1000))
                terms.append(.number(.rtt, .greater, rtt * 1000))
            }
        }
        self.terms = terms
    }

    func next(_ random: inout some RandomNumberGenerator) -> SocketFilter {
        var filters = (0..<Int.random(in: 1...8, using: &random)).map { _ in
            SocketFilter(terms.randomElement(using: &random) ?? .anything)
        }
        while filters.count > 1 {
            let right = filters.removeLast()
            let index = Int.random(in: filters.indices, using: &random)
            filters[index] = Bool.random(using: &random) ? filters[index] && right : filters[index] || right
            if UInt8.random(in: 0...2, using: &random) == 0 { filters[index] = !filters[index] }
        }
        return filters[0]
    }
}
