internal import SockDiag

/// The fields of a record that is read: each by its name, and nil where it is not there.
///
/// A number may be text too: as JSON has those that may pass 2^53, and CSV has all.
struct RecordFields {
    private let object: JSONValue

    /// The fields of an object; nil of anything else.
    init?(_ value: JSONValue) {
        guard value.members != nil else { return nil }
        object = value
    }

    /// The names in their order, and what each has.
    var members: [(name: String, value: JSONValue)] { object.members ?? [] }

    /// The field; nil also where it is null.
    subscript(_ name: String) -> JSONValue? {
        guard let value = object[name] else { return nil }
        if case .null = value.kind { return nil }
        return value
    }

    /// What is wrong with a field, or that it is missing.
    func error(_ name: String, isNo what: String) -> RecordError {
        guard let value = self[name] else { return RecordError(at: object.offset, "there is no `\(name)`") }
        return RecordError(at: value.offset, "`\(name)` is no \(what)")
    }

    /// The value of a field that every such record has.
    func required<Value>(_ name: String, _ value: Value?) throws(RecordError) -> Value {
        guard let value else { throw error(name, isNo: "value") }
        return value
    }

    /// The value of a field by a function that reads its text; an error where it cannot.
    func value<Value>(_ name: String, _ what: String, _ read: (String) -> Value?) throws(RecordError) -> Value? {
        guard let text = try text(name) else { return nil }
        guard let value = read(text) else { throw error(name, isNo: what) }
        return value
    }

    func text(_ name: String) throws(RecordError) -> String? {
        guard let value = self[name] else { return nil }
        guard let text = value.text else { throw error(name, isNo: "text") }
        return text
    }

    func number<Number: FixedWidthInteger>(
        _ name: String,
        as type: Number.Type = Number.self
    ) throws(RecordError) -> Number? {
        guard let value = self[name] else { return nil }
        guard let wide = value.wholeNumber, let number = Number(exactly: wide) else {
            throw error(name, isNo: "number up to \(Number.max)")
        }
        return number
    }

    /// A number, 0 where there is none.
    func count<Number: FixedWidthInteger>(_ name: String) throws(RecordError) -> Number { try number(name) ?? 0 }

    func flag(_ name: String) throws(RecordError) -> Bool? {
        guard let value = self[name] else { return nil }
        switch value.kind {
        case .flag(let flag): return flag
        case .text("true"): return true
        case .text("false"): return false
        default: throw error(name, isNo: "true or false")
        }
    }

    func address(_ name: String) throws(RecordError) -> IPAddress? { try value(name, "address", IPAddress.init) }

    func state(_ name: String) throws(RecordError) -> TCPState? { try value(name, "state", TCPState.init) }

    /// A list of words; in CSV they are separated by spaces.
    func words(_ name: String) throws(RecordError) -> [String]? {
        guard let value = self[name] else { return nil }
        if let text = value.text { return text.split(separator: " ").map(String.init) }
        guard let texts = value.elements?.map(\.text), !texts.contains(nil) else {
            throw error(name, isNo: "list of words")
        }
        return texts.compactMap(\.self)
    }

    func states(_ name: String) throws(RecordError) -> [TCPState] {
        guard let words = try words(name) else { return [] }
        let states = words.compactMap { TCPState($0) }
        guard states.count == words.count else { throw error(name, isNo: "list of states") }
        return states
    }

    func duration(_ name: String) throws(RecordError) -> Duration? {
        try number(name, as: UInt64.self).map { .nanoseconds($0) }
    }

    /// The moment that a record has; nil where one of the clocks is missing.
    func time() throws(RecordError) -> EventTime? {
        let read = { (text: String) in CivilTime(rfc3339: text.utf8)?.nanoseconds }
        guard let real = try value("time", "time of RFC 3339 in UTC", read),
            let monotonic = try number("monotonic_ns", as: UInt64.self)
        else { return nil }
        return EventTime(monotonicNanoseconds: monotonic, realtimeNanoseconds: real)
    }

    func object(_ name: String) throws(RecordError) -> RecordFields? {
        guard let value = self[name] else { return nil }
        guard let fields = RecordFields(value) else { throw error(name, isNo: "object") }
        return fields
    }

    /// Objects in a list.
    func objects(_ name: String) throws(RecordError) -> [RecordFields] {
        guard let value = self[name] else { return [] }
        let objects = (value.elements ?? []).compactMap { RecordFields($0) }
        guard objects.count == value.elements?.count else { throw error(name, isNo: "list of objects") }
        return objects
    }

    /// Who holds a socket; in CSV `nginx(4711):8 nginx(4712):8`.
    func owners() throws(RecordError) -> [SocketOwner] {
        if let text = self["processes"]?.text {
            guard let owners = [SocketOwner](words: text) else {
                throw error("processes", isNo: "list of processes")
            }
            return owners
        }
        var owners: [SocketOwner] = []
        for fields in try objects("processes") {
            let name = ProcessName(try fields.text("name") ?? "")
            owners.append(SocketOwner(pid: try fields.count("pid"), name: name, descriptor: try fields.number("fd")))
        }
        return owners
    }
}

extension JSONValue {
    /// The elements of an array; nil of anything else.
    var elements: [JSONValue]? { if case .array(let elements) = kind { elements } else { nil } }

    /// A whole number, also one that is written as text.
    var wholeNumber: UInt64? {
        switch kind {
        case .integer(let number): return number
        case .number(let number): return UInt64(exactly: number)
        case .text(let text):
            guard text.utf8.allSatisfy({ (UInt8.zero...UInt8(ascii: "9")).contains($0) }) else { return nil }
            return UInt64(text)
        default: return nil
        }
    }
}

extension [SocketOwner] {
    /// Reads `name(pid):fd`, or `name(pid)`, separated by spaces. A name may have spaces and parentheses; one that looks like another
    /// owner cannot be told from it.
    fileprivate init?(words text: String) {
        self = []
        var name: [UInt8] = []
        var rest = [UInt8](text.utf8)[...]
        while !rest.isEmpty {
            if let (pid, descriptor, end) = Self.numbers(rest) {
                let owner = SocketOwner(pid: pid, name: ProcessName(bytes: name), descriptor: descriptor)
                append(owner)
                name = []
                rest = rest[end...].dropFirst()
            } else {
                name.append(rest.removeFirst())
            }
        }
        guard name.isEmpty else { return nil }
    }

    /// Reads `(4711):8`, or `(4711)`, before a space or the end.
    private static func numbers(_ text: ArraySlice<UInt8>) -> (pid: Int32, descriptor: Int32?, end: Int)? {
        var rest = text
        func number(after prefix: String) -> Int32? {
            guard rest.starts(with: prefix.utf8) else { return nil }
            rest = rest.dropFirst(prefix.utf8.count)
            let digits = rest.prefix { (UInt8.zero...UInt8(ascii: "9")).contains($0) }
            rest = rest[digits.endIndex...]
            return Int32(String(decoding: digits, as: UTF8.self))
        }
        guard let pid = number(after: "("), rest.popFirst() == UInt8(ascii: ")") else { return nil }
        let hasDescriptor = rest.first == UInt8(ascii: ":")
        let descriptor = number(after: ":")
        if hasDescriptor, descriptor == nil { return nil }
        guard rest.first ?? .space == .space else { return nil }
        return (pid, descriptor, rest.startIndex)
    }
}
