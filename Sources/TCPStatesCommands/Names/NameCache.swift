/// Names that take a system call or a question to another machine: each is looked up once, also where there is none.
struct NameCache<Key: Hashable> {
    private let lookUp: (Key) -> String?
    private var known: [Key: String?] = [:]

    init(_ lookUp: @escaping (Key) -> String?) { self.lookUp = lookUp }

    /// The name; nil where there is none.
    mutating func name(of key: Key) -> String? {
        if let name = known[key] { return name }
        let name = lookUp(key)
        known[key] = .some(name)
        return name
    }
}
