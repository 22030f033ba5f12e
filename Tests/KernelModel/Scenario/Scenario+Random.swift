package import ConnectionTracking
internal import SeededRandom
internal import SocketValues

extension Scenario {
    /// A scenario of a seed, of about so many lives.
    package init(seed: UInt64, mode: Mode, plays count: Int = 12, losses: Bool = false) {
        var generator = SplitMix64(seed, mode == .trace ? 3 : 4)
        var habits = Habits()
        habits.losesReports = losses
        habits.losesCount = losses && generator.happens(300)
        habits.failsLookups = generator.happens(300)
        habits.missesRows = generator.happens(300)
        habits.repeatsRows = generator.happens(300)
        habits.cutsDumps = generator.happens(200)
        habits.isSlow = generator.happens(300)
        habits.dumpLength = generator.one(of: [0, 0, 200_000, 2_000_000, 20_000_000])
        habits.stampsRowsAtBeginning = generator.happens(850)
        habits.reportsDestroyed = mode == .poll && (losses || generator.happens(700))
        habits.reportsExisting = generator.happens(800)
        habits.showsBound = generator.happens(800)
        habits.reportsReasons = generator.happens(800)
        habits.reportsRefusals = generator.happens(800)
        habits.reportsTimeWaitLimit = generator.happens(900)
        habits.resynchronizes = generator.happens(100)
        habits.interval = generator.one(of: [250_000_000, 250_000_000, 500_000_000, 1_000_000_000])
        habits.start = generator.one(of: [1, 1, 500_000_000, 5_000_000_000])
        var plays: [Play] = []
        for number in 0..<count {
            let plot = generator.one(of: Plot.allCases)
            let start = generator.among(0...20_000_000) * 1000
            plays.append(Play(plot, number: number, start: start + 1000, seed: generator.next()))
        }
        self.init(seed: seed, mode: mode, habits: habits, plays: plays)
    }

    /// What its sources are able to report.
    package var configuration: ConnectionTracker.Configuration {
        var configuration = ConnectionTracker.Configuration()
        configuration.reportsTransitions = mode == .trace
        configuration.reportsDestroyed = habits.reportsDestroyed
        configuration.reportsRefusals = mode == .trace && habits.reportsRefusals
        configuration.reportsExisting = habits.reportsExisting
        configuration.interval = habits.interval
        if mode == .trace, habits.reportsReasons { configuration.resetReasons = Self.resetReasons }
        return configuration
    }

    /// The kernel's reasons for a RST by their numbers.
    static let resetReasons: [UInt32: ResetReason] = [
        Kernel.Reason.abortOnClose.rawValue: .abortOnClose, Kernel.Reason.abortOnData.rawValue: .abortOnData,
        Kernel.Reason.abortOnLinger.rawValue: .abortOnLinger, Kernel.Reason.abortOnMemory.rawValue: .abortOnMemory,
        Kernel.Reason.state.rawValue: .state, Kernel.Reason.disconnectWithData.rawValue: .disconnectWithData,
        Kernel.Reason.keepaliveTimeout.rawValue: .keepaliveTimeout,
        Kernel.Reason.stray.rawValue: ResetReason(rawValue: "TOO_OLD_ACK"),
    ]
}
