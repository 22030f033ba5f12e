internal import ArgumentParser
internal import LinuxLibC
internal import SockDiag
internal import Synchronization
internal import TCPRecords

/// Runs the command line of the process, as `main` of C is given it, and ends the process with its status.
///
/// `CommandLine.arguments` would be what `/proc/self/cmdline` holds: nothing, where that is not mounted.
@c(tcpstates_run)
public func runCommandLine(_ count: Int32, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Int32 {
    TCPStates.main((0..<max(Int(count), 0)).compactMap { arguments[$0] }.dropFirst().map { String(cString: $0) })
}

extension TCPStates {
    /// Runs the command line of the process, without the program's own name, and ends the process with its status.
    fileprivate static func main(_ arguments: [String]) -> Never {
        // Whoever started us may have it ignored; a reader that went away then is an error to report.
        var former = sigaction()
        sigaction(SIGPIPE, nil, &former)
        startedIgnoringSIGPIPE.store(
            unsafeBitCast(former.__sigaction_handler.sa_handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self),
            ordering: .relaxed
        )
        signal(SIGPIPE, SIG_DFL)
        heedInput()
        LinuxLibC.exit(run(arguments))
    }

    /// Where the plugin started the process, the end of its standard input shows that the plugin has gone: SIGIO then
    /// comes, and ends the process where nothing else is made of it.
    private static func heedInput() {
        guard getenv("TCPSTATES_INPUT_IS_LIFE") != nil else { return }
        unsetenv("TCPSTATES_INPUT_IS_LIFE")
        inputIsLife.store(true, ordering: .relaxed)
        // The thread that starts processes for Foundation has signals blocked, and they would be.
        var none = sigset_t()
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, nil)
        _ = fcntl(STDIN_FILENO, F_SETOWN, getpid())
        _ = fcntl(STDIN_FILENO, F_SETFL, fcntl(STDIN_FILENO, F_GETFL) | O_ASYNC)
    }

    /// Whether the process is to end with its standard input.
    static let inputIsLife = Atomic(false)

    /// Whether the process was started with SIGPIPE ignored, as a program that it starts then has to be.
    static let startedIgnoringSIGPIPE = Atomic(false)

    /// Runs a command line: the exit status, and what went wrong in one line on standard error.
    static func run(_ arguments: [String]) -> Int32 {
        do {
            var command = try parse(arguments)
            try command.run()
            return EXIT_SUCCESS
        } catch let status as ExitCode {
            // All has been said.
            return status.rawValue
        } catch {
            return report(error)
        }
    }

    /// The command that the arguments ask for. Where the first word names it, that one alone is parsed: to set up the
    /// parser of all of them takes longer than a dump.
    private static func parse(_ arguments: [String]) throws -> any ParsableCommand {
        let name = arguments.first.flatMap { $0.hasPrefix("-") ? nil : $0 }
        let named = configuration.subcommands.first { $0._commandName == name }
        guard let type = named ?? (name == nil ? configuration.defaultSubcommand : nil),
            let command = try? type.parse(Array(arguments.dropFirst(named == nil ? 0 : 1)))
        else { return try parseAsRoot(arguments) }  // also for what is wrong, in the words of the whole
        return command
    }

    private static func report(_ error: any Error) -> Int32 {
        let status = (error as? CommandFailure)?.status ?? exitCode(for: error).rawValue
        do {
            switch status {
            case EXIT_SUCCESS:
                // Help, the version and completion scripts come as errors too.
                try print(fullMessage(for: error))
            case ExitCode.validationFailure.rawValue:
                complain(usageMessage(message(for: error), help: fullMessage(for: error)))
            default:
                complain("\(error)")
            }
            return status
        } catch {
            complain("\(error)")
            return EXIT_FAILURE
        }
    }

    private static func print(_ message: String) throws(CommandFailure) {
        var output = try Output()
        var text = TextBuffer()
        text.append(message)
        text.append(.newline)
        output.flush(&text)
        try output.close()
    }

    /// Says something in a line on standard error, with the commands that help.
    static func complain(_ message: String) {
        var line = TextBuffer()
        line.append("tcpstates: ")
        line.append(printable: message.withCommands)
        line.append(.newline)
        writeToStandardError(line)
    }

    /// Says that namespaces were left out, and why the first was.
    static func complain(ofRefused refused: [KernelError]) {
        guard let first = refused.first else { return }
        complain("\(first)" + (refused.count > 1 ? "; \(refused.count - 1) more namespaces likewise" : ""))
    }

    /// Writes to standard error. Where it cannot be written to, nobody is left to report it to.
    static func writeToStandardError(_ text: borrowing TextBuffer) {
        _ = text.withBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}

/// What is wrong with a command line, in one line that names the wrong word and what would be right.
///
/// The argument parser says it in sentences and sometimes in several lines, and only its help names the command that
/// explains: `message` is the former, `help` the latter.
func usageMessage(_ message: String, help: String) -> String {
    var line = ""
    for word in message.split(whereSeparator: \.isWhitespace) {
        let isSentence = line.isEmpty || line.hasSuffix(".")
        if line.hasSuffix(".") {
            line.removeLast()
            line += ";"
        }
        if !line.isEmpty { line += " " }
        line += isSentence ? word.prefix(1).lowercased() + word.dropFirst() : word
    }
    if line.hasSuffix(".") { line.removeLast() }
    guard !line.contains(";") else { return line }
    // "  See 'tcpstates list --help' for more information."
    let command = help.split(separator: "'").last { $0.hasSuffix(" --help") }
    return "\(line); see \(command ?? "tcpstates --help")"
}
