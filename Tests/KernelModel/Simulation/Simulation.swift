internal import ConnectionTracking
internal import SeededRandom
internal import SocketValues

/// A namespace, a driver and a tracker, run in virtual time: every report of the kernel is delivered in an order in
/// which it could come, every wish of the tracker is obeyed, and what it reports is checked.
package final class Simulation<Tracker: Tracking & ~Copyable> {
    let scenario: Scenario
    let kernel: Kernel
    var tracker: Tracker
    package internal(set) var oracle: Oracle
    var generator: SplitMix64
    /// Now, monotonic nanoseconds.
    var now: UInt64 = 1
    var world = EventQueue<WorldEvent>()
    var driver = EventQueue<DriverEvent>()
    var lookups: [Lookup] = []
    private var outputs: [Output] = []
    var isReadScheduled = false
    var isLookupScheduled = false
    /// While the table is compared nothing happens in the namespace.
    var isPaused = false
    private var isFinishing = false
    private var wakes = 0
    /// how often losses of the ring were declared since the last dump began.
    var losses = 0
    /// All inputs and outputs, where that is wanted.
    package private(set) var journal: Journal?
    /// How many inputs were taken.
    package private(set) var inputs = 0

    /// What happens in the namespace.
    enum WorldEvent { case act(play: Int, act: Int), timer(Int), tidy(Int) }

    /// What the driver does.
    enum DriverEvent { case begin, read, lookUp, dump(DumpScope), tick, reconcile, resynchronize, checkpoint, finish }

    /// A simulation of a scenario.
    package init(_ scenario: Scenario, keepsJournal: Bool = false) {
        self.scenario = scenario
        kernel = Kernel(scenario)
        oracle = Oracle(scenario)
        generator = SplitMix64(scenario.seed, 2)
        tracker = Tracker(scenario.configuration)
        if keepsJournal { journal = Journal() }
        for (index, play) in scenario.plays.enumerated() {
            var time = play.start
            for (number, act) in play.acts.enumerated() {
                time += act.delay
                world.add(.act(play: index, act: number), at: time)
            }
            for pause in [3, 4, 5, 6] as [UInt64] { world.add(.tidy(index), at: time + pause * 1_000_000_000) }
        }
        driver.add(.begin, at: max(scenario.habits.start, 1))
    }

    /// Runs until all is quiet; what was wrong, nil for nothing.
    package func run() -> Violation? {
        tracker.attach { [unowned self] in kernel.lookUp($0) }
        while oracle.violation == nil {
            let wake = wakeTime
            let next = min(world.next, driver.next, wake)
            guard next != .max else { break }
            now = max(now, next)
            if wake == next, kernel.isWatched {
                deliverWake()
            } else if driver.next == next, let (_, event) = driver.take(until: now) {
                advance(to: now)
                if case .finish = event { break }
                handle(event)
            } else {
                advance(to: now)
            }
            if world.isEmpty, !isFinishing {
                isFinishing = true
                driver.add(.finish, at: now + 45_000_000_000)
            }
        }
        if oracle.violation == nil { finish() }
        return oracle.violation
    }

    /// When the next wake is delivered: not before it is due, and mostly soon after.
    private var wakeTime: UInt64 {
        let due = tracker.wakeTime
        guard kernel.isWatched, due != .max else { return .max }
        let random = SplitMix64.mixed(scenario.seed ^ due)
        let lateness = scenario.habits.isSlow && random % 16 == 0 ? random >> 8 % 800_000_000 : random >> 8 % 300_000
        if lateness > 100_000_000 { kernel.features.insert(.lateWake) }
        return max(due, 1) + lateness
    }

    func deliverWake() {
        advance(to: now)
        drain()
        wakes += 1
        if wakes > 200_000 { oracle.fail(.noProgress, "200,000 wakes", at: now) }
        deliver(.wake, at: now)
        if tracker.wakeTime <= now {
            oracle.fail(.noProgress, "after a wake the next is due at once: \(tracker.wakeTime) ≤ \(now)", at: now)
        }
    }

    // MARK: Time

    /// Lets happen what happens until a moment.
    func advance(to time: UInt64) {
        if !isPaused {
            while let (due, event) = world.take(until: time) {
                kernel.now = max(kernel.now, due)
                happen(event)
                for timer in kernel.timers { world.add(.timer(timer.object), at: timer.time) }
                kernel.timers.removeAll(keepingCapacity: true)
            }
        }
        kernel.now = max(kernel.now, time)
    }

    private func happen(_ event: WorldEvent) {
        switch event {
        case .act(let play, let act): kernel.perform(scenario.plays[play].acts[act], of: scenario.plays[play])
        case .timer(let object): kernel.fire(object)
        case .tidy(let play): kernel.tidy(scenario.plays[play])
        }
        if !kernel.ring.isEmpty || !kernel.messages.isEmpty, !isReadScheduled {
            isReadScheduled = true
            driver.add(.read, at: kernel.now + lateness(3_000_000, slow: 400_000_000))
        }
        // A question that is asked just after a report was written may find the old state.
        if !lookups.isEmpty, generator.happens(300) {
            driver.add(.lookUp, at: kernel.now + generator.among(1...20) * 1000)
        }
    }

    /// Mostly short, sometimes long.
    func lateness(_ usual: UInt64, slow: UInt64) -> UInt64 {
        scenario.habits.isSlow && generator.happens(150) ? generator.among(0...slow) : generator.among(0...usual)
    }

    // MARK: The driver

    private func handle(_ event: DriverEvent) {
        switch event {
        case .begin: begin()
        case .read:
            isReadScheduled = false
            read()
        case .lookUp:
            isLookupScheduled = false
            answerLookups()
        case .dump(let scope): dump(scope)
        case .tick:
            tick()
        case .reconcile:
            dump(.all)
            schedule(.reconcile, after: reconciliation)
        case .resynchronize:
            dump(.all)
            oracle.beginResynchronization()
            kernel.features.insert(.resynchronized)
            deliver(.resynchronize, at: now)
        case .checkpoint: checkpoint()
        case .finish: break
        }
    }

    private func begin() {
        for object in kernel.present where kernel.objects[object].state != .closed {
            kernel.features.insert(.existedBefore)
        }
        kernel.isWatched = true
        now += generator.among(0...2_000_000)
        advance(to: now)
        dump(.all, isFirst: true)
        schedule(.tick, after: scenario.habits.interval)
        if scenario.mode == .trace || scenario.habits.reportsDestroyed { schedule(.reconcile, after: reconciliation) }
        if scenario.habits.resynchronizes {
            driver.add(.resynchronize, at: now + generator.among(1...30) * 1_000_000_000)
        }
        for _ in 0..<generator.below(3) {
            driver.add(.checkpoint, at: now + generator.among(1...40) * 1_000_000_000)
        }
    }

    /// From one dump of all sockets to the next.
    private var reconciliation: UInt64 { scenario.mode == .trace ? 10_000_000_000 : 16 * scenario.habits.interval }

    private func tick() {
        // As the driver has it: what no other source reports.
        dump(scenario.mode == .trace ? .handshakes : scenario.habits.reportsDestroyed ? .allButTimeWait : .all)
        schedule(.tick, after: scenario.habits.interval)
    }

    /// Does something in a while; preferably when something happens.
    private func schedule(_ event: DriverEvent, after pause: UInt64) {
        var due = now + pause
        if world.next < due + pause / 2, world.next > now + pause / 2, generator.happens(500) {
            due = max(now, world.next + generator.among(0...40_000) - 20_000)
        }
        driver.add(event, at: due)
    }

    /// Reads the reports that wait.
    func read() {
        drain()
        receive()
        if kernel.lostMessages > 0 {
            let count = scenario.habits.losesCount ? nil : kernel.lostMessages
            let loss = Loss(.destroy, .overrun, count: count)
            kernel.lostMessages = 0
            oracle.declare(loss, at: now)
            deliver(.lost(loss), at: now)
        }
    }

    /// Reads the ring.
    func drain() {
        // What is counted by now was lost before what is read next.
        if kernel.lostRecords > 0 {
            let reason: Loss.Reason = generator.happens(500) ? .overrun : .passedOver
            let loss = Loss(.trace, reason, count: kernel.lostRecords, includesRefusals: kernel.hasLostRefusals)
            (kernel.lostRecords, kernel.hasLostRefusals) = (0, false)
            oracle.declare(loss, at: now)
            losses += 1
            deliver(.lost(loss), at: now)
        }
        for input in kernel.readRing(until: now) { deliver(input.fact, at: input.time.monotonicNanoseconds) }
    }

    /// Reads the messages about destroyed sockets, which have no time of their own.
    private func receive() {
        guard !kernel.messages.isEmpty else { return }
        let messages = kernel.messages
        kernel.messages.removeAll(keepingCapacity: true)
        for message in messages {
            let time = message.time.monotonicNanoseconds
            if time <= now { deliver(message.fact, at: now) } else { kernel.messages.append(message) }
        }
    }

    /// Gives something to the tracker, and does what it wants.
    func deliver(_ fact: Input.Fact, at time: UInt64) {
        guard oracle.violation == nil else { return }
        let input = Input(fact, at: Kernel.time(time))
        inputs += 1
        outputs.removeAll(keepingCapacity: true)
        tracker.take(input, into: &outputs)
        journal?.append(input, outputs, at: now)
        for output in outputs { obey(output) }
    }

    private func obey(_ output: Output) {
        switch output {
        case .lookUp(let lookup):
            lookups.append(lookup)
            if !isLookupScheduled {
                isLookupScheduled = true
                driver.add(.lookUp, at: now + lateness(1_000_000, slow: 200_000_000))
            }
        case .dump(let scope):
            if !isPaused { driver.add(.dump(scope), at: now + lateness(20_000_000, slow: 300_000_000)) }
        default: oracle.note(output, at: now, kernel)
        }
    }
}
