internal import ArgumentParser
internal import SockDiag
internal import TCPRecords

/// Which network namespaces a command is about.
struct NamespaceOptions: ParsableArguments {
    @Option(
        name: .customLong("netns"),
        help: ArgumentHelp(
            "Sockets of this network namespace: as ip netns names it, of this process, or the file (repeatable).",
            valueName: "name|pid|path"
        ),
        completion: .directory
    )
    var names: [String] = []

    @Flag(
        name: .customLong("all-netns"),
        help: "Sockets of every network namespace that a process or a name holds now."
    )
    var all = false

    mutating func validate() throws {
        guard names.isEmpty || !all else {
            throw ValidationError("--all-netns contradicts --netns \(names[0]); leave one of them out")
        }
    }

    /// Whether namespaces are chosen at all, and so are reported of each socket.
    var isGiven: Bool { all || !names.isEmpty }

    /// Of all namespaces those that this user may enter; what the others are refused for is said once.
    static func enterable() throws(KernelError) -> [NetworkNamespace] {
        var refused: [KernelError] = []
        let namespaces = try NetworkNamespace.all().filter { namespace in
            do throws(KernelError) {
                _ = try SockDiagClient(in: namespace)
                return true
            } catch {
                if error.code != .notFound { refused.append(error) }
                return false
            }
        }
        TCPStates.complain(ofRefused: refused)
        return namespaces
    }

    /// The namespaces, each once; the calling thread's where none is chosen, and where it is to be reported, under the
    /// label that it has among all.
    func namespaces(labelled: Bool = false) throws(KernelError) -> [NetworkNamespace] {
        if all { return Array(try NetworkNamespace.all()) }
        guard !names.isEmpty else {
            let current = try NetworkNamespace.current
            return [labelled ? try NetworkNamespace.all().first { $0 == current } ?? current : current]
        }
        var chosen: [NetworkNamespace] = []
        for name in names {
            let namespace = try NetworkNamespace(name)
            if !chosen.contains(namespace) { chosen.append(namespace) }
        }
        return chosen
    }
}
