"""What Examples/Fleet/simulate answers: the series of a real serve, counters that never go back, and states whose numbers are
what their steps come to; and a Prometheus that it measures.

    simulate.py TCPSTATES
"""
import pathlib, subprocess, sys, urllib.request
from prometheus_client.openmetrics.parser import text_string_to_metric_families

example = pathlib.Path(__file__).resolve().parents[4] / "Examples/Fleet/simulate"
machines = 40


def start(*words):
    process = subprocess.Popen([sys.executable, example, str(machines), "--tool", sys.argv[1], *words],
                               stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline().startswith("http://127.0.0.1:19300/targets"), "it does not answer"
    return process


def scrape(number):
    with urllib.request.urlopen(f"http://127.0.0.1:19300/machine/{number}/metrics", timeout=60) as answer:
        text = answer.read().decode()
    families = list(text_string_to_metric_families(text))
    samples = {(one.name, tuple(sorted(one.labels.items()))): one.value for family in families for one in family.samples}
    rising = {(one.name, tuple(sorted(one.labels.items()))) for family in families for one in family.samples
              if family.type in ("counter", "histogram")}
    return samples, rising


def population(samples, state):
    return sum(value for (name, labels), value in samples.items()
               if name == "tcpstates_sockets" and dict(labels)["state"] == state)


def steps(samples, way, state):
    return sum(value for (name, labels), value in samples.items()
               if name == "tcpstates_transitions_total" and dict(labels)[way] == state)


process = start()
try:
    moved = 0
    before = [scrape(number)[0] for number in range(machines)]
    for number in range(machines):
        after, rising = scrape(number)
        assert after.keys() == before[number].keys()
        assert all(after[key] >= before[number][key] for key in rising), number
        for state in ("established", "close_wait", "fin_wait_1", "fin_wait_2", "last_ack", "time_wait", "syn_sent", "syn_received"):
            change = population(after, state) - population(before[number], state)
            come = steps(after, "to", state) - steps(before[number], "to", state)
            gone = steps(after, "from", state) - steps(before[number], "from", state)
            assert change == come - gone, (number, state, change, come, gone)
            moved += come
    assert moved > 0
finally:
    process.terminate()
    process.wait()

process = start("--measure", "--interval", "1", "--seconds", "20")
try:
    rest = process.stdout.read()
finally:
    process.terminate()
    process.wait()
figures = dict((line[:48].strip(), line[48:].strip()) for line in rest.splitlines() if len(line) > 48)
assert figures["machines that answer"] == str(machines), rest
assert float(figures["samples a second"].replace(",", "")) > machines * 100, rest
assert float(figures["bytes a sample on disk"]) > 0, rest
assert any("TcpAcceptQueueNearlyFull" in name for name in figures), rest
print(rest)
print("ok")
