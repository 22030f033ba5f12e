internal import LinuxLibC

/// How busy the machine's processors are now.
package enum Processors {
    /// How many have nothing to do but for the calling thread; a second thread is faster only where there is one.
    ///
    /// By what the kernel says at this moment: the threads that run or could (`/proc/loadavg`), and whether any had to wait for a
    /// processor in the last ten seconds (`/proc/pressure/cpu`). 0 where it does not say.
    package static var idle: Int {
        let text = String(decoding: (try? OpenFile.start(of: "/proc/loadavg", limit: 128)) ?? [], as: UTF8.self)
        guard let running = running(in: text) else { return 0 }
        let pressure = String(
            decoding: (try? OpenFile.start(of: "/proc/pressure/cpu", limit: 256)) ?? [],
            as: UTF8.self
        )
        guard waiting(in: pressure) ?? 0 < greatestPressure else { return 0 }
        return max(0, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))) - max(running, 1))
    }

    /// Where some thread waits for more than a tenth of the time, another one would only take turns.
    private static let greatestPressure = 10.0

    /// The threads that run or could: `0.20 0.18 0.12 1/80 11206` has 1.
    package static func running(in text: String) -> Int? {
        let fields = text.split { $0 == " " || $0 == "\n" }
        guard fields.count >= 4, let count = fields[3].split(separator: "/").first else { return nil }
        return Int(count)
    }

    /// The share of the time that some thread waited, percent: of `some avg10=1.25 avg60=…` 1.25.
    package static func waiting(in text: String) -> Double? {
        for line in text.split(separator: "\n") where line.hasPrefix("some ") {
            for field in line.split(separator: " ") where field.hasPrefix("avg10=") {
                return hundredths(field.dropFirst("avg10=".count)).map { Double($0) / 100 }
            }
        }
        return nil
    }

    /// A number with two decimal places, in hundredths.
    private static func hundredths(_ text: Substring) -> Int? {
        let parts = text.split(separator: ".")
        guard parts.count == 2, parts[1].utf8.count == 2, let whole = Int(parts[0]), let rest = Int(parts[1]) else {
            return nil
        }
        return 100 * whole + rest
    }
}
