internal import Glibc
internal import KernelModel

/// Runs the model against the tracker for so many lives, prints what came of it, and ends with 1 where it was wrong.
struct Arguments {
    var lives = 100_000
    var seed: UInt64 = 1
    var modes = Scenario.Mode.allCases
    var hasLosses = false
    var shown = 5

    init(_ words: [String]) {
        var words = words[...]
        while let word = words.popFirst() {
            switch word {
            case "--lives": lives = Self.number(&words, word)
            case "--seed": seed = UInt64(Self.number(&words, word))
            case "--show": shown = Self.number(&words, word)
            case "--losses": hasLosses = true
            case "--mode":
                guard let mode = words.popFirst().flatMap(Scenario.Mode.init(rawValue:)) else { Self.refuse(word) }
                modes = [mode]
            default: Self.refuse(word)
            }
        }
    }

    private static func number(_ words: inout ArraySlice<String>, _ word: String) -> Int {
        guard let number = words.popFirst().flatMap({ Int($0) }), number >= 0 else { refuse(word) }
        return number
    }

    private static func refuse(_ word: String) -> Never {
        print("model: \(word)? [--lives N] [--seed N] [--mode trace|poll] [--losses] [--show N]")
        exit(64)
    }
}

/// Seconds that the processor has worked.
func processorTime() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

let arguments = Arguments(Array(CommandLine.arguments.dropFirst()))
var total = Model.Outcome()
var failures: [String: [String]] = [:]
var kinds: [String] = []
var scenarios = 0
var seed = arguments.seed
var spent = 0.0
while total.lives < arguments.lives {
    for mode in arguments.modes {
        let scenario = Scenario(seed: seed, mode: mode, losses: arguments.hasLosses)
        let start = processorTime()
        let outcome = Model.check(scenario, reproduces: seed % 16 == 0)
        spent += processorTime() - start
        scenarios += 1
        total.lives += outcome.lives
        total.inputs += outcome.inputs
        total.transitions += outcome.transitions
        total.features.formUnion(outcome.features)
        guard let violation = outcome.violation else { continue }
        let kind = "\(mode.rawValue) \(violation.kind.rawValue)"
        if failures[kind] == nil {
            kinds.append(kind)
            if kinds.count <= arguments.shown {
                print("\nseed \(seed), \(kind)\n\(Model.explain(scenario, violation))")
            }
        }
        failures[kind, default: []].append(String(seed))
    }
    seed += 1
}
print("\(total.lives) lives in \(scenarios) scenarios, \(total.inputs) inputs, \(total.transitions) transitions")
print("\(Int(Double(total.lives) / max(spent, 1e-9))) lives/s")
for kind in kinds {
    let seeds = failures[kind] ?? []
    print("\(kind): \(seeds.count) (seeds \(seeds.prefix(8).joined(separator: ", ")))")
}
exit(kinds.isEmpty ? 0 : 1)
