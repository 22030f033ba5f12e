import Glibc
import SockDiag
import TCPWatch
import Testing

@Test func smoke() async throws {
    var c = SocketWatcher.Configuration()
    c.interval = .milliseconds(50)
    let watcher = try SocketWatcher(c)
    let task = Task {
        for try await e in watcher { print(e) }
        print("ended")
    }
    try await Task.sleep(for: .milliseconds(120))
    system(
        "python3 -c \"import socket,time\nl=socket.socket();l.bind(('127.0.0.1',0));l.listen();c=socket.create_connection(l.getsockname());a,_=l.accept()\ntime.sleep(.2);c.send(b'x'*1000);a.recv(1000);time.sleep(.1);c.close();time.sleep(.2);a.close();time.sleep(.2);l.close()\nl=socket.socket();l.bind(('127.0.0.1',0));l.listen();c=socket.create_connection(l.getsockname());a,_=l.accept();a.close();c.close();l.close()\""
    )
    try await Task.sleep(for: .milliseconds(220))
    task.cancel()
    _ = await task.result
    system("ls -l /proc/\(getpid())/fd | grep -c socket; ls /proc/\(getpid())/task | wc -l")
}
