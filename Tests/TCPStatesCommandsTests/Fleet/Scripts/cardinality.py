"""Five thousand listeners, twenty thousand peers and two thousand names of programs: what serve makes of them is bounded, and its
sums are exact.

    cardinality.py TOOL
"""
import collections, http.client, os, resource, signal, socket, subprocess, sys, time

TOOL = sys.argv[1]
LISTENERS, PROGRAMS, PEERS_EACH, CEILING, CAP = 5_000, 2_000, 10, 4_020, 100


def samples(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    connection.request("GET", "/metrics", headers={"X-Prometheus-Scrape-Timeout-Seconds": "60"})
    answer = connection.getresponse()
    text = answer.read().decode()
    assert answer.status == 200, f"{answer.status}: {text}"
    connection.close()
    return [line for line in text.splitlines() if not line.startswith("#")]


def total(lines, metric, having=""):
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(metric + "{") and having in line)


def program(index, begin, ready):
    """A program of its own name, connected to peers that nobody else is connected to."""
    os.read(begin, 1)
    with open("/proc/self/comm", "w") as comm:
        comm.write(f'p{index}"\\')
    held = []
    for peer in range(PEERS_EACH):
        number = index * PEERS_EACH + peer
        address = f"127.{1 + number // 62_500}.{1 + number // 250 % 250}.{1 + number % 250}"
        held.append(socket.create_connection((address, 9000)))
    os.write(ready, b".")
    signal.pause()


def main():
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if limit < LISTENERS + 200:
        return print(f"{limit} descriptors are too few")
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    with open("/proc/sys/net/core/somaxconn", "w") as most:
        most.write("65535")
    begun, begin = os.pipe()
    done, ready = os.pipe()
    children = []
    serve = None
    try:
        # Before there are listeners, of which they would hold each.
        for index in range(PROGRAMS):
            child = os.fork()
            if child == 0:
                os.close(begin)
                try:
                    program(index, begun, ready)
                finally:
                    os._exit(1)
            children.append(child)
        listeners = [socket.create_server(("0.0.0.0", 9000), backlog=65_535)]
        listeners += [socket.create_server(("127.0.0.1", 10_001 + index)) for index in range(LISTENERS - 1)]
        os.close(begin)
        os.close(ready)
        count = 0
        while count < PROGRAMS:
            got = os.read(done, 65_536)
            assert got, f"only {count} programs have connected"
            count += len(got)
        serve = subprocess.Popen(
            [TOOL, "serve", "--by", "local-port,destination,process", "--examine", "1h", "--max-groups", str(CAP)]
            # Whoever asks is none of them.
            + ["sport != :19293 and dport != :19293"],
            stderr=subprocess.PIPE,
            text=True,
        )
        while "serving http" not in serve.stderr.readline():
            assert serve.poll() is None, "serve has ended"
        deadline = time.monotonic() + 120
        while True:
            connection = http.client.HTTPConnection("127.0.0.1", 19293)
            connection.request("GET", "/-/ready")
            if connection.getresponse().status == 200:
                break
            assert time.monotonic() < deadline, "it is not ready"
        connected = PROGRAMS * PEERS_EACH
        for _ in range(3):
            lines = samples(19293)
            assert len(lines) <= CEILING, f"{len(lines)} samples"
            for metric in ("listener_accept_queue", "service_sockets", "destination_sockets", "process_sockets"):
                limited = total(lines, "tcpstates_groups_limited", f'"tcpstates_{metric}"')
                assert limited > 0, f"{metric} has no others"
                groups = [line for line in lines if line.startswith(f"tcpstates_{metric}{{")]
                assert any('="other"' in line for line in groups), f"{metric} has no others"
            everything = total(lines, "tcpstates_sockets")
            facts = {
                "listeners by port": (total(lines, "tcpstates_service_sockets", '"listen"'), LISTENERS),
                "listeners": (total(lines, "tcpstates_sockets", '"listen"'), LISTENERS),
                "accepted": (total(lines, "tcpstates_listener_accept_queue"), connected),
                "destinations": (total(lines, "tcpstates_destination_sockets", '"established"'), connected),
                "sockets of processes": (total(lines, "tcpstates_process_sockets"), everything),
            }
            for name, (told, true) in facts.items():
                assert told == true, f"{name}: {told}, and it is {true}"
        with open(f"/proc/{serve.pid}/status") as status:
            words = dict(line.split(":", 1) for line in status)
        assert int(words["VmHWM"].split()[0]) < 150 * 1024, f"resident at the most: {words['VmHWM'].strip()}"
        print(f"{len(lines)} samples, {words['VmHWM'].strip()} resident at the most")
        print("ok")
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        if serve:
            serve.terminate()
            serve.wait()


main()
