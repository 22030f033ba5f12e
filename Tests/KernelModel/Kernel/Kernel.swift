internal import ConnectionTracking
internal import SeededRandom
internal import SocketValues

/// The TCP of a simulated network namespace: sockets, requests and minisockets, what they report, and what truly was.
package final class Kernel {
    let habits: Habits
    let isTraced: Bool
    /// Now, monotonic nanoseconds.
    package internal(set) var now: UInt64 = 1
    /// Whether the sources are attached.
    var isWatched = false
    var objects: [KernelObject] = []
    /// Those that are in one of the kernel's tables, in no order.
    var present: [Int] = []
    package internal(set) var lives: [TrueLife] = []
    /// Which lives a cookie names, in order.
    package internal(set) var livesOfCookie: [[Int32]] = [[]]
    var slots: [Int: [Slot]] = [:]
    /// What the tracepoints have written and nobody has read, in order of time.
    var ring: [Input] = []
    /// The messages about destroyed sockets that nobody has read.
    var messages: [Input] = []
    var lostRecords: UInt64 = 0
    var hasLostRefusals = false
    var lostMessages: UInt64 = 0
    private var lossLeft = 0
    /// What is to happen by timers: an object, and when.
    var timers: [(time: UInt64, object: Int)] = []
    package internal(set) var features = Features()
    var generator: SplitMix64
    private var inodes: UInt32 = 1000

    /// What a play's slot has.
    struct Slot {
        var socket = -1
        var request = -1
        var minisockets: [Int] = []
        /// When a SYN came that was answered by a cookie; 0 for none.
        var cookieSYN: UInt64 = 0
        var connects = 0
        var isTimeWaitLimited = false
        var isBlocking = false
    }

    init(_ scenario: Scenario) {
        habits = scenario.habits
        isTraced = scenario.mode == .trace
        generator = SplitMix64(scenario.seed, 1)
    }

    // MARK: Time and names

    /// A moment on both clocks.
    static func time(_ monotonic: UInt64) -> EventTime {
        EventTime(monotonicNanoseconds: monotonic, realtimeNanoseconds: monotonic &+ 1_700_000_000_000_000_000)
    }

    func nextInode() -> UInt32 {
        inodes += 1
        return inodes
    }

    /// The cookie of a number: the number is in its low half, and which of two is greater says nothing about age.
    static func cookie(_ number: UInt32) -> SocketCookie {
        let scrambled = SplitMix64.mixed(UInt64(number)) >> 33
        return SocketCookie(rawValue: scrambled << 32 | UInt64(number))
    }

    /// The number of a cookie; nil where none was given by it.
    func number(of cookie: SocketCookie) -> Int? {
        let number = Int(cookie.rawValue & 0xffff_ffff)
        return number > 0 && number < livesOfCookie.count && Self.cookie(UInt32(number)) == cookie ? number : nil
    }

    /// An object's name, given now where it has none.
    func name(_ object: Int) -> SocketName {
        if objects[object].cookie == 0 {
            objects[object].cookie = UInt32(livesOfCookie.count)
            livesOfCookie.append([])
            if objects[object].kind == .minisocket { features.insert(.minisocketNamedAnew) }
            for life in objects[object].formerLives { note(life, of: object) }
            if objects[object].life >= 0 { note(objects[object].life, of: object) }
        }
        var name = objects[object].name
        name.cookie = Self.cookie(objects[object].cookie)
        return name
    }

    private func note(_ life: Int, of object: Int) {
        let cookie = objects[object].cookie
        guard !lives[life].cookies.contains(cookie) else { return }
        lives[life].cookies.append(cookie)
        livesOfCookie[Int(cookie)].append(Int32(life))
    }

    // MARK: Lives

    /// Begins a life of an object.
    func beginLife(_ object: Int, side: OpeningSide) {
        let former = objects[object].life
        if former >= 0 { objects[object].formerLives.append(former) }
        var life = TrueLife(play: objects[object].play, name: objects[object].name, side: side)
        if objects[object].kind == .socket { life.socket = object }
        life.isOfKernel = objects[object].isOfKernel
        var random = SplitMix64(UInt64(lives.count), generator.next())
        life.counters.bytesSent = UInt64(random.below(100_000))
        life.counters.bytesReceived = UInt64(random.below(100_000))
        life.counters.segmentsOut = UInt32(2 + random.below(100))
        life.counters.segmentsIn = UInt32(2 + random.below(100))
        life.counters.retransmits = UInt32(random.below(3))
        life.counters.rtt = UInt32(20 + random.below(50_000))
        lives.append(life)
        objects[object].life = lives.count - 1
        objects[object].isLifeOver = false
        if objects[object].cookie != 0 { note(lives.count - 1, of: object) }
    }

    /// Notes a true transition of an object's life.
    func truth(_ object: Int, to: TCPState, _ causes: Causes, pid: Int32? = nil, at time: UInt64? = nil) {
        let life = objects[object].life
        guard life >= 0 else { return }
        lives[life].transitions.append(TrueTransition(to: to, time: time ?? now, causes: causes, pid: pid))
        lives[life].name = objects[object].name
    }

    // MARK: Reports

    /// Writes a record into the ring, after a while; false where it found no room.
    @discardableResult
    func write(_ fact: Input.Fact, after delay: UInt64 = 0, of life: Int = -1) -> Bool {
        guard isTraced, isWatched else { return true }
        if life >= 0 { lives[life].isReported = true }
        if isLosing() {
            // No transition is lost with it.
            if case .released = fact { return false }
            lostRecords += 1
            features.insert(.reportLost)
            if life >= 0 { lives[life].hasLost = true }
            if case .reset(let reset) = fact, reset.state == .synSent { hasLostRefusals = true }
            return false
        }
        let input = Input(fact, at: Self.time(now + delay))
        var index = ring.count
        while index > 0, ring[index - 1].time.monotonicNanoseconds > now + delay { index -= 1 }
        ring.insert(input, at: index)
        return true
    }

    /// Whether a report is lost: some in a row.
    func isLosing() -> Bool {
        guard habits.losesReports else { return false }
        if lossLeft == 0, generator.happens(15) { lossLeft = 1 + generator.below(6) }
        guard lossLeft > 0 else { return false }
        lossLeft -= 1
        return true
    }

    /// Takes what was written until a moment.
    func readRing(until time: UInt64) -> [Input] {
        guard let first = ring.first, first.time.monotonicNanoseconds <= time else { return [] }
        let count = ring.firstIndex { $0.time.monotonicNanoseconds > time } ?? ring.count
        defer { ring.removeFirst(count) }
        return Array(ring[..<count])
    }

    // MARK: Objects

    func add(_ object: KernelObject) -> Int {
        objects.append(object)
        present.append(objects.count - 1)
        return objects.count - 1
    }

    func remove(_ object: Int) {
        objects[object].isGone = true
        if let index = present.firstIndex(of: object) {
            present.swapAt(index, present.count - 1)
            present.removeLast()
        }
    }
}
