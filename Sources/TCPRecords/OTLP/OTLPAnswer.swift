/// What a collector says of a request.
package struct OTLPAnswer: Equatable, Sendable {
    /// How many values or events it has not taken.
    package var rejected: UInt64 = 0
    /// Why, or what else it has to say; empty where it says nothing.
    package var message = ""

    /// Reads an `ExportMetricsServiceResponse` or `ExportLogsServiceResponse`. What is none says nothing.
    package init(taken bytes: some Sequence<UInt8>) {
        var answer = ProtobufFields(bytes)
        while let field = answer.next() {
            guard case (1, .bytes(let partial)) = field else { continue }
            var success = ProtobufFields(partial)
            while let field = success.next() {
                switch field {
                // It is signed, and less than none makes no sense.
                case (1, .number(let number)): rejected = UInt64(max(Int64(bitPattern: number), 0))
                case (2, .bytes(let text)): message = String(decoding: text, as: UTF8.self)
                default: break
                }
            }
        }
    }

    /// Reads why a request was refused: a `google.rpc.Status`, or where it is none, text.
    package init(refused bytes: some Sequence<UInt8>, isText: Bool) {
        if isText {
            message = String(decoding: Array(bytes), as: UTF8.self)
        } else {
            var status = ProtobufFields(bytes)
            while let field = status.next() {
                if case (2, .bytes(let text)) = field { message = String(decoding: text, as: UTF8.self) }
            }
        }
        message = message.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    /// The seconds that a `Retry-After` asks for, of which there are two forms; nil where it is neither. The time is now, in
    /// nanoseconds since 1970.
    package static func seconds(retryAfter text: String, at now: UInt64) -> UInt64? {
        let text = text.filter { $0 != " " }
        if !text.isEmpty, text.utf8.allSatisfy({ (UInt8.zero...UInt8(ascii: "9")).contains($0) }) {
            return UInt64(text) ?? .max
        }
        guard let time = CivilTime(http: text)?.nanoseconds else { return nil }
        return time > now ? (time - now + 999_999_999) / 1_000_000_000 : 0
    }
}

extension CivilTime {
    /// Reads a date of HTTP (RFC 9110), which has its spaces taken out: `Sun,06Nov199408:49:37GMT`.
    fileprivate init?(http text: String) {
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let bytes = Array(text.utf8)
        guard bytes.count == 24, bytes.suffix(3).elementsEqual("GMT".utf8) else { return nil }
        func word(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
        guard let month = months.firstIndex(of: word(6..<9)) else { return nil }
        let number = "\(month + 1)"
        let padded = number.utf8.count == 1 ? "0\(number)" : number
        self.init(rfc3339: Array("\(word(9..<13))-\(padded)-\(word(4..<6))T\(word(13..<21))Z".utf8))
    }
}
