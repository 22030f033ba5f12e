"""Alerts for real: serve, Prometheus and Alertmanager as Examples/Fleet/run starts them, each trouble in a network namespace
of its own; each alert has to come, and to go when the trouble is over. Then what the counters came to, and the dashboard.

    alerts.py TCPSTATES PACE CONNECTIONS
"""
import json, math, os, pathlib, re, subprocess, sys, time, urllib.parse, urllib.request

tool, pace, connections = sys.argv[1], sys.argv[2], int(sys.argv[3])
refusals = 100
here = pathlib.Path(__file__).resolve().parent
example = here.parents[3] / "Examples/Fleet"
# Longer than anything takes.
DEADLINE = 500
PROMETHEUS, ALERTMANAGER = "http://127.0.0.1:19390", "http://127.0.0.1:19393"
begin = time.monotonic()


def said(text):
    print(f"{time.monotonic() - begin:6.1f} s  {text}", flush=True)


def get(address):
    with urllib.request.urlopen(address, timeout=30) as answer:
        return json.load(answer)


def query(expression):
    answer = get(f"{PROMETHEUS}/api/v1/query?" + urllib.parse.urlencode({"query": expression}))
    assert answer["status"] == "success", answer
    return answer["data"]["result"]


def value(expression):
    """A number; none at all where a scrape came too late, and that is equal to nothing."""
    found = query(expression)
    return float(found[0]["value"][1]) if found else math.nan


def wait(what, is_true):
    deadline = time.monotonic() + DEADLINE
    while not (answer := is_true()):
        assert time.monotonic() < deadline, f"{what} did not come"
        time.sleep(0.25)
    return answer


class Trouble:
    def __init__(self, kind, *arguments):
        self.kind = kind
        self.process = subprocess.Popen(
            ["unshare", "--net", sys.executable, here / "trouble.py", kind, *map(str, arguments)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.read("ready")
        self.path = f"/proc/{self.process.pid}/ns/net"
        self.label = None

    def read(self, word):
        while (line := self.process.stdout.readline().strip()) != word:
            assert line, f"{self.kind} ended before {word}"
            said(f"{self.kind}: {line}")

    def say(self, count=1):
        self.process.stdin.write("\n" * count)
        self.process.stdin.flush()


# Which alert each has to raise, one of them where there are several; and a namespace where nothing is wrong.
EXPECTED = {
    "leak": [["TcpCloseWaitLeak"]],
    "queue": [["TcpAcceptQueueOverflow"], ["TcpAcceptQueueNearlyFull"]],
    "flood": [["TcpSynFlood", "TcpSynCookiesUnanswered"]],
    "ports": [["TcpEphemeralPortsRunOut"]],
    "loss": [["TcpRetransmissions"]],
    "none": [],
}
troubles = {kind: Trouble(kind) for kind in EXPECTED}
generator = Trouble("generator", connections, refusals)
everything = list(troubles.values()) + [generator]
fleet = subprocess.Popen(
    [sys.executable, example / "run", "--pace", pace, "--tool", tool, "--", "--no-page", "--examine", "2s"]
    + [word for trouble in everything for word in ("--netns", trouble.path)],
    stdout=subprocess.PIPE, text=True)
try:
    for _ in range(3):
        line = fleet.stdout.readline().strip()
        assert line.startswith("http://127.0.0.1:"), f"Examples/Fleet/run: {line}"
    # By what each namespace is known.
    for trouble in everything:
        trouble.inode = str(os.stat(trouble.path).st_ino)
    wait("the first scrape", lambda: len({one["metric"]["netns"] for one in query("tcpstates_ephemeral_ports")}) == len(everything))
    labels = {one["metric"]["netns"] for one in query("tcpstates_ephemeral_ports")}
    for trouble in everything:
        found = [label for label in labels if trouble.inode in label or label == trouble.path or str(trouble.process.pid) in label]
        assert len(found) == 1, (trouble.path, trouble.inode, labels)
        trouble.label = found[0]
    said("everything runs")
    wait("counters at 0", lambda: value("sum(tcpstates_connections_total)") == 0)

    for trouble in everything:
        trouble.say()

    def active():
        return {(one["labels"]["alertname"], one["labels"].get("netns", ""))
                for one in get(f"{ALERTMANAGER}/api/v2/alerts?active=true&inhibited=true")}

    def at_amtool(_):
        told = subprocess.run(
            ["amtool", "alert", "query", f"--alertmanager.url={ALERTMANAGER}", "alertname=TcpCloseWaitLeak"],
            capture_output=True, text=True)
        assert "wait in CLOSE_WAIT, and they grow" in told.stdout, told.stdout + told.stderr

    def names_destination(_):
        taken = {(one["labels"]["remote_address"], one["labels"]["remote_port"])
                 for one in get(f"{ALERTMANAGER}/api/v2/alerts") if one["labels"]["alertname"] == "TcpEphemeralPortsRunOut"}
        assert taken == {("127.0.0.1", "7004")}, taken

    also = {"leak": at_amtool, "ports": names_destination}
    missing = {kind: list(all) for kind, all in EXPECTED.items() if all}

    def fire():
        now = active()
        # Nothing is said of the namespace where nothing is wrong.
        assert troubles["none"].label not in {netns for _, netns in now}, now
        for kind, all in list(missing.items()):
            for names in list(all):
                if any((name, troubles[kind].label) in now for name in names):
                    said(f"{kind}: {' or '.join(names)} fires")
                    all.remove(names)
            if not all:
                also.get(kind, id)(kind)
                troubles[kind].say(2)
                del missing[kind]
        return not missing

    wait("every alert", fire)

    # What the generator's connections came to, once TIME_WAIT is over. A client's are six steps; a server's five, with that of
    # the request to SYN_RCVD, which the kernel's trace does not report and the watcher derives.
    generator.read("done")
    said("the generator is done")
    here_ = f'netns="{generator.label}"'

    def counted():
        """What has been counted when TIME_WAIT is over; nothing where Prometheus has missed a scrape."""
        outcome = f'tcpstates_connections_total{{{here_},role="%s",outcome="%s"}}'
        found = {
            "lost": value("sum(tcpstates_events_lost_total)"),
            "refused": value(outcome % ("client", "refused")),
            "client": value(outcome % ("client", "success")),
            "server": value(outcome % ("server", "success")),
            "steps": value(f"sum(tcpstates_transitions_total{{{here_}}})"),
        }
        over = value(f'sum(tcpstates_sockets{{{here_},state="time_wait"}})') == 0
        whole = not any(math.isnan(number) for number in found.values())
        return found if over and whole and found["refused"] + found["lost"] >= refusals else None

    found = wait("the end of TIME_WAIT", counted)
    said(f"TIME_WAIT is over: {found}")
    if query('tcpstates_watch_info{source="trace"}'):
        # A connect that is refused is two: to SYN_SENT and back. What is missing of all is told as lost.
        lost = found["lost"]
        expected = {"steps": 11 * connections + 2 * refusals + 4, "refused": refusals, "client": connections,
                    "server": connections}
        for name, number in expected.items():
            assert number - lost <= found[name] <= number, (name, number, found)
    else:
        said("by polls: what lives between two of them is not counted")

    troubles["none"].say(2)
    for trouble in troubles.values():
        trouble.read("over")
    said("the troubles are over")
    labels = {trouble.label for trouble in troubles.values()}
    wait("the end of every alert", lambda: not {alert for alert in active() if alert[1] in labels})
    said("every alert is resolved")

    # The dashboard: each panel's expression is one, and finds something.
    import promql_parser
    dashboard = json.loads((example / "dashboard.json").read_text())
    count = 0
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            expression = target["expr"].replace("$job", "tcpstates").replace("$instance", ".*").replace("$netns", ".*")
            expression = expression.replace("$__rate_interval", "1m")
            promql_parser.parse(expression)
            # What has a limit shows nothing where nothing is beyond it; it did.
            first = "orphans_limit" in expression or "memory_limit" in expression
            if first and not os.path.exists("/proc/sys/net/ipv4/tcp_mem"):
                said(f"{panel['title']}: a limit that the first network namespace alone shows")
                continue
            found = query(f"count_over_time(({expression})[{int(time.monotonic() - begin) + 10}s:1s])")
            assert found, f"{panel['title']}: {expression}"
            count += 1
    said(f"{count} expressions of the dashboard find something")
    assert count > 15, count
finally:
    fleet.terminate()
    fleet.wait()
    for trouble in everything:
        trouble.process.kill()
        trouble.process.wait()
print("ok")
