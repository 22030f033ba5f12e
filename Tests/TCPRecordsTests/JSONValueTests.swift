import Testing

@testable import TCPRecords

@Suite struct JSONValueTests {
    @Test(
        arguments: [
            ("", 0), ("{", 1), ("}", 0), ("\"", 1), ("\"\\", 2), ("\"\\u12", 3), ("[", 1), ("[1", 2), ("{\"a\"", 4),
            ("{\"a\":", 5), ("{\"a\":1", 6), ("tru", 0), ("1 2", 2), ("{\"a\" 1}", 5), ("{1:2}", 1), ("01", 0),
            ("+1", 0),
            ("1.", 2), (".5", 0), ("1e", 2), ("-", 0), ("nan", 0), ("0x1p3", 1), ("\"a\nb\"", 2), ("\"\\q\"", 2),
            ("\"\\u+123\"", 3), ("[1,]", 3), ("{\"a\":1,}", 7),
        ] as [(String, Int)]
    )
    func `What is no JSON is an error at its place`(text: String, offset: Int) {
        let error = #expect(throws: RecordError.self) { try JSONValue(text.utf8) }
        #expect(error?.offset == offset)
    }

    @Test(arguments: ["[", "{\"a\":"])
    func `No depth of nesting overflows the stack`(text: String) {
        let error = #expect(throws: RecordError.self) {
            try JSONValue(String(repeating: text, count: 100_000).utf8)
        }
        #expect(error?.offset == 32 * text.utf8.count)
    }

    @Test func `Strings are read with their escapes`() throws {
        let value = try JSONValue(
            #" { "a" : "x\"\\\/\n\t\u00e9\ud83d\ude00\ud83d\u0041" , "b" : [ 1.5 , -2e3 , true ] } "#.utf8
        )
        #expect(value["a"]?.text == "x\"\\/\n\té😀\u{fffd}A")
        var numbers: [Double?] = []
        if case .array(let elements)? = value["b"]?.kind { numbers = elements.map(\.number) }
        #expect(numbers == [1.5, -2000, nil])
        let isThere = value["c"] != nil
        #expect(!isThere)
    }

    @Test func `A whole number keeps every digit`() throws {
        let value = try JSONValue("[9007199254740993,18446744073709551615,18446744073709551616]".utf8)
        var numbers: [UInt64?] = []
        if case .array(let elements) = value.kind {
            numbers = elements.map { if case .integer(let number) = $0.kind { number } else { nil } }
        }
        #expect(numbers == [9_007_199_254_740_993, .max, nil])
    }
}
