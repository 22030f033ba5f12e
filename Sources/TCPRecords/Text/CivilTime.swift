/// A time of the Gregorian calendar in UTC, without leap seconds, as `CLOCK_REALTIME` counts.
struct CivilTime {
    var year: Int
    var month: Int
    var day: Int
    var hour: Int
    var minute: Int
    var second: Int
    var nanosecond: Int

    private static let nanosecondsPerSecond: UInt64 = 1_000_000_000
    private static let secondsPerDay = 86_400

    /// The time of so many nanoseconds since 1970.
    init(nanoseconds: UInt64) {
        let seconds = Int(nanoseconds / Self.nanosecondsPerSecond)
        nanosecond = Int(nanoseconds % Self.nanosecondsPerSecond)
        (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60)
        // Years that begin in March have their leap day at the end, and months of a pattern that repeats:
        // Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms". Day 719,468 of 0000-03-01 is 1970-01-01.
        let days = seconds / Self.secondsPerDay + 719_468
        let (era, dayOfEra) = days.quotientAndRemainder(dividingBy: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        year = 400 * era + yearOfEra + (month <= 2 ? 1 : 0)
    }

    /// The nanoseconds since 1970; nil where it is before that, later than 64 bits reach, or no time at all.
    var nanoseconds: UInt64? {
        guard (1970...9999).contains(year), (1...12).contains(month), (1...31).contains(day),
            (0...23).contains(hour), (0...59).contains(minute), (0...59).contains(second)
        else { return nil }
        let shiftedYear = month <= 2 ? year - 1 : year
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let (era, yearOfEra) = shiftedYear.quotientAndRemainder(dividingBy: 400)
        let days = era * 146_097 + 365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
        let seconds = days * Self.secondsPerDay + hour * 3600 + minute * 60 + second
        let (product, overflows) = UInt64(seconds).multipliedReportingOverflow(by: Self.nanosecondsPerSecond)
        let (sum, carries) = product.addingReportingOverflow(UInt64(nanosecond))
        guard !overflows, !carries else { return nil }
        // A day that its month does not have is the next month's.
        return CivilTime(nanoseconds: sum).day == day ? sum : nil
    }

    /// Reads RFC 3339 in UTC with up to nine digits behind the point; nil where it is anything else.
    init?(rfc3339 text: some Collection<UInt8>) {
        var rest = text[...]
        func number(_ digits: Int, before separator: UInt8?) -> Int? {
            var number = 0
            for _ in 0..<digits {
                guard let byte = rest.popFirst(), (UInt8.zero...UInt8(ascii: "9")).contains(byte) else { return nil }
                number = number * 10 + Int(byte - .zero)
            }
            if let separator { guard rest.popFirst() == separator else { return nil } }
            return number
        }
        let (dash, letter) = (UInt8(ascii: "-"), UInt8(ascii: "T"))
        guard let year = number(4, before: dash), let month = number(2, before: dash),
            let day = number(2, before: letter), let hour = number(2, before: .colon),
            let minute = number(2, before: .colon), let second = number(2, before: nil)
        else { return nil }
        var nanosecond = 0
        if rest.first == .dot {
            rest = rest.dropFirst()
            let count = rest.prefix { $0 != UInt8(ascii: "Z") }.count
            guard (1...9).contains(count), let fraction = number(count, before: nil) else { return nil }
            nanosecond = (count..<9).reduce(fraction) { number, _ in number * 10 }
        }
        guard rest.popFirst() == UInt8(ascii: "Z"), rest.isEmpty else { return nil }
        (self.year, self.month, self.day) = (year, month, day)
        (self.hour, self.minute, self.second, self.nanosecond) = (hour, minute, second, nanosecond)
    }
}
