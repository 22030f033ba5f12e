internal import LinuxSystem
internal import SockDiag
internal import SocketOwners
internal import TCPWatch

/// The steps of a search.
extension ForgottenSockets {
    /// The network namespaces that processes are in.
    private struct Places {
        /// Nil stands for this thread's.
        var namespaces: [NetworkNamespace?] = []
        var unreadable = 0
        /// Where each process is, if that can be read.
        var ofProcess: [Int32: NetworkNamespace?] = [:]
    }

    mutating func search(olderThan limit: Duration?) throws(KernelError) -> Findings {
        let proc = try ProcessDirectory()
        let begin = EventTime.now()
        let processes = selected(in: proc)
        let holders = try HolderSnapshot(in: processes, thatAreAll: selection.isAll)
        let held = Set(holders.inodes)
        var rules = LeakRules()
        rules.ignored = ignored
        var inventory = SocketInventory(rules)
        let now = EventTime.now()
        let places = try readNamespaces(of: held, holders, in: proc, &inventory, at: now)
        let missing = held.subtracting(inventory.sockets.keys)
        try updateUnlisted(missing, holders, processes, places, in: proc, &inventory, at: now)
        waitingSince = waitingSince.filter { [cookies = inventory.waitingCookies] in cookies.contains($0.key) }
        noteStates(inventory, holders, begunAt: begin, at: now)

        var findings = Findings()
        // Processes that have no number here cannot be meant.
        var seen = holders.coverage ?? ScanCoverage()
        seen.isConfined = false
        findings.coverage = SearchCoverage(
            processes: seen,
            ended: ended(in: proc),
            unreadableNamespaces: places.unreadable
        )
        findings.sockets = listedFindings(inventory, holders, in: proc, olderThan: limit, at: now)
        findings.sockets += unlistedFindings(
            inventory,
            holders,
            places.ofProcess,
            in: proc,
            olderThan: limit,
            at: now
        )
        findings.sockets.sort { $0.holders.isBefore($1.holders) }
        findings.descriptors = otherDescriptors(holders, at: now)
        return findings
    }

    /// The processes to be read.
    private func selected(in proc: borrowing ProcessDirectory) -> Set<ProcessIdentity> {
        guard selection.isAll || !selection.names.isEmpty else { return named }
        var processes = named
        for pid in proc.processes {
            if !selection.isAll {
                guard let name = proc.name(of: pid), selection.names.contains(name) else { continue }
            }
            if let process = ProcessIdentity(of: pid, in: proc) { processes.insert(process) }
        }
        return processes
    }

    /// The processes that were named and are there no more; one of which a thread lives on is there.
    private func ended(in proc: borrowing ProcessDirectory) -> [ProcessIdentity] {
        var ended: [ProcessIdentity] = []
        for process in named where !process.isRunning(in: proc) {
            let isSame = ProcessIdentity(of: process.pid, in: proc) == process
            if !isSame || proc.networkNamespace(of: process.pid) == nil { ended.append(process) }
        }
        return ended.sorted { $0.pid < $1.pid }
    }

    /// Reads the namespaces of the processes that hold sockets.
    private mutating func readNamespaces(
        of held: Set<UInt32>,
        _ holders: HolderSnapshot,
        in proc: borrowing ProcessDirectory,
        _ inventory: inout SocketInventory,
        at now: EventTime
    ) throws(KernelError) -> Places {
        var places = Places()
        var known: [NetworkNamespace.ID: NetworkNamespace??] = [:]
        let here = try NetworkNamespace.current
        for pid in Set(held.flatMap { holders[$0].map(\.process.pid) }).sorted() {
            guard let place = proc.networkNamespace(of: pid) else {
                if proc.kind(of: pid) == .program { places.unreadable += 1 }
                continue
            }
            let id = NetworkNamespace.ID(device: place.device, inode: place.inode)
            if known[id] == nil {
                known[id] = .some(nil)
                do {
                    let namespace = id == here.id ? nil : try NetworkNamespace(of: place, in: pid)
                    try inventory.read(namespace, waitingSince: &waitingSince, at: now.monotonicNanoseconds) {
                        held.contains($0)
                    }
                    known[id] = .some(.some(namespace))
                    places.namespaces.append(namespace)
                } catch {
                    if id == here.id { throw error }
                    if error.code != .notFound { places.unreadable += 1 }
                }
            }
            if let place = known[id], let namespace = place { places.ofProcess[pid] = namespace }
        }
        return places
    }

    /// Finds out which of the sockets that the dumps did not show are TCP's, and confirms those that are new.
    private mutating func updateUnlisted(
        _ missing: Set<UInt32>,
        _ holders: HolderSnapshot,
        _ processes: Set<ProcessIdentity>,
        _ places: Places,
        in proc: borrowing ProcessDirectory,
        _ inventory: inout SocketInventory,
        at now: EventTime
    ) throws(KernelError) {
        var names: [UInt32: SocketProtocolName] = [:]
        var new: Set<UInt32> = []
        for inode in missing where unlisted[inode]?.protocolName == nil {
            let name = SocketProtocolName(of: inode, heldBy: holders[inode], in: proc)
            names[inode] = name
            if name?.isTCP == true, holders[inode].contains(where: { places.ofProcess[$0.process.pid] != nil }) {
                new.insert(inode)
            }
        }
        if !new.isEmpty {
            let holding = Set(new.flatMap { holders[$0].map(\.process.pid) })
            var others = try Array(NetworkNamespace.all())
            for pid in holding {
                for place in proc.networkNamespaces(ofThreadsOf: pid) {
                    guard let other = try? NetworkNamespace(of: place, in: pid) else { continue }
                    if !others.contains(other) { others.append(other) }
                }
            }
            try confirm(&new, names, holders, processes, places, others, &inventory, at: now)
        }
        let cookies = accounts.cookiesByInode
        var next: [UInt32: UnlistedSocket] = [:]
        for inode in missing where inventory.sockets[inode] == nil {
            if let known = unlisted[inode], known.protocolName != nil { next[inode] = known; continue }
            // Of TCP only what is confirmed; the others are judged at the next search.
            guard let name = names[inode], !name.isTCP || new.contains(inode) else { continue }
            let since = now.monotonicNanoseconds
            next[inode] = UnlistedSocket(protocolName: name, since: since, cookie: cookies[inode])
        }
        unlisted = next
    }

    /// Removes those that are listed elsewhere, that a dump has missed, and that are not held any more.
    private mutating func confirm(
        _ new: inout Set<UInt32>,
        _ names: [UInt32: SocketProtocolName],
        _ holders: HolderSnapshot,
        _ processes: Set<ProcessIdentity>,
        _ places: Places,
        _ all: [NetworkNamespace],
        _ inventory: inout SocketInventory,
        at now: EventTime
    ) throws(KernelError) {
        let candidates = new
        let here = try NetworkNamespace.current
        var namespaces = places.namespaces
        // A process may hold sockets of a namespace that it has left, or that another has made.
        let others = all.filter { [namespaces] other in other != here && !namespaces.contains(other) }
        if !namespaces.contains(nil) { namespaces.append(nil) }
        for namespace in namespaces + others.map(Optional.some) {
            let isOwn = namespace.map { !others.contains($0) } ?? true
            do {
                try inventory.read(namespace, waitingSince: &waitingSince, at: now.monotonicNanoseconds) {
                    candidates.contains($0)
                }
                if candidates.contains(where: { names[$0]?.isMPTCP == true }) {
                    try inventory.removeMPTCP(from: &new, in: namespace)
                }
            } catch {
                if namespace == nil { throw error }
                // It has ended, or may not be entered any more: what its processes hold is judged at the next search.
                guard isOwn else { continue }
                new = new.filter { inode in
                    !holders[inode].contains { places.ofProcess[$0.process.pid] == .some(namespace) }
                }
            }
        }
        new.subtract(inventory.sockets.keys)
        let still = try HolderSnapshot(of: new, in: processes)
        new = new.filter { !still[$0].isEmpty }
    }

    /// Notes in which state each socket is, and since when.
    private mutating func noteStates(
        _ inventory: SocketInventory,
        _ holders: HolderSnapshot,
        begunAt begin: EventTime,
        at now: EventTime
    ) {
        accounts.beginSnapshot()
        for (inode, socket) in inventory.sockets { accounts.see(socket, heldBy: holders[inode], at: now) }
        for (inode, socket) in unlisted {
            if let cookie = socket.cookie { accounts.seeUnlisted(cookie, heldBy: holders[inode], at: now) }
        }
        accounts.endSnapshot(begunAt: begin)
    }
}

extension NetworkNamespace {
    /// The one that a thread of a process is in.
    fileprivate init(of place: ProcessDirectory.NamespaceOfThread, in pid: Int32) throws(KernelError) {
        // By its process it has a label that people know it by.
        if let found = try? NetworkNamespace(pid: pid), found.id == ID(device: place.device, inode: place.inode) {
            self = found
        } else {
            try self.init(path: place.path)
        }
    }
}

extension [SocketHolder] {
    /// Whether the first process and its descriptor come before another's.
    func isBefore(_ other: [SocketHolder]) -> Bool {
        guard let first, let second = other.first else { return isEmpty && !other.isEmpty }
        let (left, right) = (first.owner, second.owner)
        return (left.pid, left.descriptor ?? -1) < (right.pid, right.descriptor ?? -1)
    }
}
