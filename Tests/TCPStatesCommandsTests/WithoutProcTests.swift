import Glibc
import LinuxSystem
import SockDiag
import TCPStateLab
import Testing

@testable import TCPStatesCommands

/// The binary where `/proc` is not what it is elsewhere.
@Suite(.enabled(if: Program.isRoot, "only root can take /proc away"))
struct WithoutProcTests {
    /// A way to have less of `/proc`, in a mount namespace of its own.
    enum Place: String, CaseIterable, CustomTestStringConvertible {
        case absent, empty, hidden

        /// What is done before the command in `"$@"` begins.
        private var preparation: String {
            switch self {
            case .absent:
                """
                mount -t tmpfs none /mnt && cd /mnt || exit 99
                for entry in /*; do
                    if [ -L "$entry" ]; then cp -P "$entry" "/mnt$entry"
                    elif [ -d "$entry" ] && [ "$entry" != /proc ] && [ "$entry" != /mnt ]; then
                        mkdir "/mnt$entry" && mount --rbind "$entry" "/mnt$entry" || exit 99
                    fi
                done
                exec chroot /mnt "$@"
                """
            case .empty: "mount -t tmpfs none /proc || exit 99; exec \"$@\""
            case .hidden:
                "mount -t proc -o hidepid=2 proc /proc || exit 99; exec \(Program.asNobody.joined(separator: " ")) \"$@\""
            }
        }

        var isThere: Bool { self == .hidden }
        var testDescription: String { rawValue }

        func command(_ arguments: [String]) -> [String] {
            ["-m", "--propagation", "private", "/bin/sh", "-c", preparation, "sh", Tool.path] + arguments
        }
    }

    private func run(_ lab: Lab, _ place: Place, _ arguments: String...) throws -> ChildProcess.Result {
        try lab.spawn(
            "/usr/bin/unshare",
            place.command(arguments),
            environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]
        )
    }

    private func lab() throws -> Lab {
        let lab = try Lab.orCancel()
        for state in [TCPState.established, .closeWait, .finWait1] { try lab.server(in: state) }
        try lab.client(in: .timeWait)
        return lab
    }

    @Test(arguments: Place.allCases)
    func `Sockets are listed, counted and explained as with it`(place: Place) throws {
        let lab = try lab()
        defer { lab.close() }
        for arguments in [["list", "--json"], ["-H", "-4"], ["summary"], ["summary", "--by", "state,local-port"]] {
            let expected = try lab.spawn(Tool.path, arguments, environment: [:])
            let found = try lab.spawn("/usr/bin/unshare", place.command(arguments), environment: [:])
            #expect(found.status == .exited(0), "\(arguments)")
            #expect(found.standardOutput == expected.standardOutput, "\(arguments)")
            #expect(found.standardError.isEmpty, "\(arguments)")
        }
        let explained = try run(lab, place, "explain", "close-wait")
        #expect(explained.status == .exited(0))
        #expect(explained.standardOutput.hasPrefix("CLOSE_WAIT: 1 now\n"))
        let version = try run(lab, place, "--version")
        #expect(version.standardOutput == "\(TCPStates.version)\n")
    }

    @Test(arguments: Place.allCases)
    func `A wrong word is wrong usage, and help is the subcommand's`(place: Place) throws {
        let lab = try lab()
        defer { lab.close() }
        let wrong = try run(lab, place, "watch", "--nonsense")
        #expect(wrong.status == .exited(64))
        #expect(wrong.standardOutput.isEmpty)
        let help = try run(lab, place, "help", "watch")
        #expect(help.status == .exited(0))
        #expect(help.standardOutput.hasPrefix("OVERVIEW: Every transition"))
    }

    @Test(arguments: Place.allCases)
    func `Owners that cannot be known cost no socket, and it is said why they are missing`(place: Place) throws {
        let lab = try lab()
        defer { lab.close() }
        let all = try run(lab, place, "-H")
        let owned = try run(lab, place, "-H", "-p")
        #expect(owned.status == .exited(0))
        #expect(owned.standardOutput.split(separator: "\n").count == all.standardOutput.split(separator: "\n").count)
        #expect(owned.standardError.contains("/proc"))
        let counted = try run(lab, place, "summary", "-H", "--by", "process")
        #expect(counted.status == .exited(0))
        #expect(counted.standardError.contains("/proc"))
        // A filter asks for nothing else, and cannot be answered.
        let filtered = try run(lab, place, "pid = 1")
        #expect(filtered.standardError.contains("/proc"))
        #expect(filtered.status == (place.isThere ? .exited(0) : .exited(1)))
        let examined = try run(lab, place, "doctor")
        #expect(examined.standardOutput.contains("not seen    owners"))
        // What is wrong is said, whoever's it is.
        let full = try lab.loopbackListener(backlog: 1)
        for _ in 0..<2 { try lab.unconnected().connect(to: full.local) }
        let found = try run(lab, place, "doctor", "--json")
        #expect(found.status == .exited(2))
        #expect(found.standardOutput.contains("\"type\":\"finding\""))
    }

    @Test(arguments: Place.allCases)
    func `run runs its command, with its arguments and its status`(place: Place) throws {
        let lab = try lab()
        defer { lab.close() }
        let failing = try run(lab, place, "run", "--", "sh", "-c", "echo \"$0 $1\"; exit 7", "a", "b c")
        #expect(failing.status == .exited(7))
        #expect(failing.standardOutput == "a b c\n")
        // That nothing leaked is not known.
        let succeeding = try run(lab, place, "run", "--", "true")
        #expect(succeeding.status == (place.isThere ? .exited(0) : .exited(1)))
        #expect(succeeding.standardError.contains("without following its sockets") != place.isThere)
        let missing = try run(lab, place, "run", "--", "no-such-command")
        #expect(missing.status == .exited(127))
    }

    @Test(arguments: [
        (Place.absent, "poll"), (.absent, "trace"), (.empty, "poll"), (.empty, "trace"), (.hidden, "poll"),
    ])
    func `Transitions are watched in the namespace that the program is in`(place: Place, source: String) throws {
        let lab = try lab()
        defer { lab.close() }
        let arguments = ["watch", "--source", source, "-p", "--initial", "-H"]
        let watch = try lab.start("/usr/bin/unshare", place.command(arguments), environment: [:])
        try watch.output("the sockets that exist") { $0.contains("CLOSE_WAIT") && $0.contains("FIN_WAIT_1") }
        let client = try lab.client(in: .established)
        let endpoints = [client.local, client.remote].map(\.description)
        try watch.output("the new connection") { output in
            output.split(separator: "\n").contains { line in endpoints.allSatisfy(line.contains) }
        }
        watch.signal(2)
        let result = try watch.wait()
        #expect(result.status == .exited(0))
        #expect(result.standardError.contains("opened"))
    }

    @Test(.timeLimit(.minutes(30)), arguments: [Place.absent, .empty])
    func `A step has the number of the process that took it, as the program's own namespace has it`(place: Place) throws
    {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let arguments = ["watch", "--source", "trace", "--initial", "--json"]
        let watch = try lab.start("/usr/bin/unshare", place.command(arguments), environment: [:])
        try watch.output("the beginning") { $0.contains("\"type\":\"ready\"") }
        let pair = try lab.loopbackPair()
        let output = try watch.output("the connection") { $0.contains("\"to\":\"SYN_SENT\"") }
        let line = output.split(separator: "\n").first { $0.contains("\"to\":\"SYN_SENT\"") }
        // Kernels before 6.11 do not report the namespace without /proc; no number is made up then.
        let isReported = KernelRelease.running >= KernelRelease("6.11")
        #expect(line?.contains("\"pid\":\(getpid()),") == isReported, "\(output)")
        withExtendedLifetime(pair) {}
    }
}
