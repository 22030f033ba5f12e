import Glibc
import SocketValues
import TCPStateLab
import Testing

@testable import LinuxSystem

@Suite struct ProcessTests {
    @Test func `Where proc is not mounted the error says how to mount it`() throws {
        let directory = try #require(try Program.run(["/bin/mktemp", "-d"]).first)
        defer { rmdir(directory) }
        for path in [directory, directory + "/none"] {
            let error = #expect(throws: KernelError.self) { _ = try ProcessDirectory(path).processes }
            #expect(error?.description.hasSuffix("mount it: mount -t proc proc \(path)") == true)
        }
    }

    @Test func `This process is listed, and once`() throws {
        #expect(try ProcessDirectory().processes.filter { $0 == getpid() }.count == 1)
    }

    @Test func `A process is distinguished from one that has ended and from none`() throws {
        let child = try Program(["/bin/true"])
        _ = child.finish()
        let proc = try ProcessDirectory()
        // Its output has ended; it has not been waited for.
        while proc.kind(of: child.pid) == .program { sched_yield() }
        #expect(proc.kind(of: child.pid) == .ended)
        #expect(proc.kind(of: getpid()) == .program)
        #expect(proc.kind(of: Int32.max) == nil)
    }

    @Test func `A file of proc that is longer than a page is read to its end`() throws {
        // Of the children of a process too, a page is given at a time.
        let lines = try OpenFile.whole("/proc/self/smaps").split(separator: UInt8(ascii: "\n"))
        #expect(lines.count > 200)
        #expect(lines.last?.starts(with: "VmFlags:".utf8) == true)
    }

    @Test func `No signal of the program is handled on a thread that it does not know`() throws {
        var unblocked = sigset_t()
        sigaddset(&unblocked, SIGTERM)
        var before = sigset_t()
        pthread_sigmask(SIG_UNBLOCK, &unblocked, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        let isBlocked = ResultBox()
        try JoinedThread { isBlocked.value = blocks(SIGTERM) }.join()
        #expect(isBlocked.value && !blocks(SIGTERM))
    }
}

/// Whether the calling thread blocks the signal.
private func blocks(_ signal: Int32) -> Bool {
    var mask = sigset_t()
    pthread_sigmask(SIG_SETMASK, nil, &mask)
    return sigismember(&mask, signal) == 1
}

// Safe: it is read after the thread that writes it was joined.
private final class ResultBox: @unchecked Sendable {
    var value = false
}
