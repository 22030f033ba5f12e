/// `HOST[%ZONE][/LEN][:PORT]` in its parts.
struct FilterHost {
    /// Where it was said in front: `inet:`, `inet6:`.
    private var family: AddressFamily?
    /// Empty or `*` for any.
    private var name: Substring
    private var prefixLength: Substring?
    /// Behind the percent sign: the interface that the address is valid on, or that the socket is bound to.
    private(set) var zone: Substring?
    /// Behind the colon.
    private(set) var port: Substring?

    static let hint =
        "an address (192.0.2.1, [2001:db8::1]), a network (192.0.2.0/24), a host's name, * or nothing, "
        + "then :PORT where one is meant; %INTERFACE after the address ([fe80::1%eth0]:22) is the interface"

    /// Splits a word. An IPv6 address needs brackets where a port follows; without, all of the word is the address.
    init?(_ word: String) {
        name = word[...]
        for (prefix, family) in [("inet:", AddressFamily.ipv4), ("inet6:", .ipv6)] where word.hasPrefix(prefix) {
            self.family = family
            name.removeFirst(prefix.count)
        }
        var rest: Substring
        let text = name
        let beforeSlash = text.prefix { $0 != "/" }
        if text.hasPrefix("["), let closing = text.firstIndex(of: "]") {
            name = text[..<closing].dropFirst()
            rest = text[closing...].dropFirst()
        } else if let percent = text.firstIndex(of: "%") {
            (name, rest) = (text[..<percent], text[percent...])
        } else if IPAddress(String(beforeSlash)) != nil {
            (name, rest) = (beforeSlash, text[beforeSlash.endIndex...])
        } else {
            let end = text.firstIndex(of: "/") ?? text.lastIndex(of: ":") ?? text.endIndex
            (name, rest) = (text[..<end], text[end...])
        }
        if let slash = name.firstIndex(of: "/") {  // within the brackets, as ss has it
            prefixLength = name[slash...].dropFirst()
            name = name[..<slash]
        }
        if let percent = name.firstIndex(of: "%") {
            zone = name[percent...].dropFirst()
            name = name[..<percent]
        } else if rest.hasPrefix("%") {  // behind the brackets, as ss has it
            zone = rest.dropFirst().prefix { $0 != "/" && $0 != ":" }  // which no interface's name has
            rest = rest.dropFirst().drop { $0 != "/" && $0 != ":" }
        }
        guard zone?.isEmpty != true, rest.isEmpty || rest.hasPrefix("/") || rest.hasPrefix(":") else { return nil }
        if rest.hasPrefix("/") {
            guard prefixLength == nil else { return nil }
            prefixLength = rest.dropFirst().prefix { $0 != ":" }
            rest = rest.drop { $0 != ":" }
        }
        if rest.hasPrefix(":") { port = rest.dropFirst() }
        if name.isEmpty, port == nil, zone == nil { return nil }
    }

    /// Why a host has no address, and what would be right.
    struct Failure: Error {
        let description: String
    }

    /// The networks that are meant, more than one where a host's name has several addresses; nil is every address.
    ///
    /// - Parameter resolvesHosts: Whether a host's name is resolved, which may ask the network.
    /// - Returns: The networks.
    /// - Throws: Why there is none.
    func networks(resolvesHosts: Bool) throws(Failure) -> [IPNetwork?] {
        let name = String(name)
        if name.isEmpty || name == "*" {
            guard prefixLength == nil else { throw Failure(description: "a prefix length needs an address") }
            return [family.map { $0 == .ipv4 ? .allIPv4 : .allIPv6 }]
        }
        if let prefixLength {
            guard let network = IPNetwork("\(name)/\(prefixLength)"), allows(network.address) else {
                throw Failure(description: "expected an address and a prefix length (192.0.2.0/24, [2001:db8::]/32)")
            }
            return [network]
        }
        if let address = IPAddress(name) {
            guard allows(address) else { throw Failure(description: "the address is of the other family") }
            return [IPNetwork(address)]
        }
        // What consists of digits alone is a mistyped address, not a name to be sent to the network.
        guard name.contains(where: \.isLetter), !name.contains(":") else {
            throw Failure(description: "expected \(Self.hint)")
        }
        guard resolvesHosts else {
            throw Failure(description: "a host's name, and names are not resolved here; give an address")
        }
        do {
            return try NameLookup.addresses(ofHost: name, family: family).map { IPNetwork($0) }
        } catch {
            throw Failure(description: "no address of that host is known (\(error))")
        }
    }

    private func allows(_ address: IPAddress) -> Bool { family == nil || family == address.family }
}
