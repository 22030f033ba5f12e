internal import SockDiag

extension SocketSource {
    /// Counts every socket; where there are many in one namespace, in two halves by two threads.
    func tally(by keys: [GroupKey]) throws(KernelError) -> Tally {
        var tally = Tally(keys: keys)
        try forEachNamespace { namespace throws(KernelError) in
            guard let split = try DumpSplit(of: query, in: namespace) else {
                return tally.add(try self.tally(of: query, in: namespace, by: keys))
            }
            let (upper, lower) = try concurrently { () throws(KernelError) in
                try self.tally(of: split.halves.0, in: namespace, by: keys)
            } _: { () throws(KernelError) in
                try self.tally(of: split.halves.1, in: namespace, by: keys)
            }
            tally.add(upper)
            tally.add(lower)
        }
        reportMissingOwners()
        return tally
    }

    private func tally(
        of query: SocketQuery,
        in namespace: NetworkNamespace,
        by keys: [GroupKey]
    ) throws(KernelError) -> Tally {
        var tally = Tally(keys: keys)
        try forEach(in: namespace, query) { tally.count($0, in: namespace, owners: owners) }
        return tally
    }
}
