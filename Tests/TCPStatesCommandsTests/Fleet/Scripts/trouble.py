"""A trouble in a network namespace of its own, from one line on standard input to the next; then it is over.

    unshare --net trouble.py leak|queue|flood|ports|loss|generator|none
"""
import errno, os, select, socket, struct, subprocess, sys, threading, time

kind = sys.argv[1]


def shell(command):
    return subprocess.run(command, shell=True, capture_output=True, text=True)


def set_to(name, value):
    with open("/proc/sys/net/ipv4/" + name, "w") as file:
        file.write(value)


def is_over(seconds=0.0):
    return bool(select.select([sys.stdin], [], [], seconds)[0])


def server(port, backlog=512, address="127.0.0.1"):
    return socket.create_server((address, port), backlog=backlog)


def leak(kept):
    """A server that never closes."""
    listener = server(7001)
    while True:
        client = socket.create_connection(listener.getsockname())
        kept.append(listener.accept()[0])
        client.close()
        if len(kept) > 30 and is_over(0.2):
            return


def queue(kept):
    """A program that does not accept: 200 connects to a listen(1)."""
    listener = server(7002, backlog=1)
    while not is_over(0.2):
        for _ in range(200 if not kept else 4):
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
            kept.append(client)


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def flood(kept):
    """SYNs of addresses that never answer, 1,000 a second."""
    # What is sent to them is lost on the way.
    shell("ip route add 198.51.100.0/24 dev lo")
    listener = server(7003, backlog=64)
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    number = 0
    while True:
        for _ in range(100):
            number += 1
            source = socket.inet_aton(f"198.51.100.{1 + number % 250}")
            target = socket.inet_aton("127.0.0.1")
            head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40, number % 65536, 0, 64, 6, 0, source, target)
            segment = lambda check: struct.pack(
                "!HHIIBBHHH", 1024 + number % 60000, 7003, number, 0, 0x50, 2, 1024, check, 0)
            pseudo = source + target + struct.pack("!BBH", 0, 6, 20)
            raw.sendto(head + segment(checksum(pseudo + segment(0))), ("127.0.0.1", 0))
        if is_over(0.1):
            return


def ports(kept):
    """Connections that take nearly every local port to one destination."""
    set_to("ip_local_port_range", "40000 40099")
    listener = server(7004, backlog=512)
    for _ in range(90):
        kept.append(socket.create_connection(listener.getsockname()))
        kept.append(listener.accept()[0])
    is_over(None)


def loss(kept):
    """A path that loses a fifth of what is sent."""
    listener = server(7005)
    refused = shell("tc qdisc add dev lo root netem loss 20%")
    if refused.returncode != 0:
        # A kernel without netem; the firewall loses as much.
        made = shell("nft add table ip lossy && nft 'add chain ip lossy in { type filter hook input priority 0; }' && "
                     "nft add rule ip lossy in tcp dport 7005 numgen random mod 100 '<' 20 drop && "
                     "nft add rule ip lossy in tcp sport 7005 numgen random mod 100 '<' 20 drop")
        print("without netem: " + (refused.stderr.strip() or "refused"), flush=True)
        if made.returncode != 0:
            print("cannot lose segments: " + made.stderr.strip(), flush=True)
            sys.exit(1)
    over = threading.Event()

    def answer():
        while not over.is_set():
            peer = listener.accept()[0]
            threading.Thread(target=talk, args=(peer,), daemon=True).start()

    def talk(peer):
        try:
            while data := peer.recv(65536):
                peer.sendall(data)
        except OSError:
            pass

    def ask():
        client = socket.create_connection(listener.getsockname())
        while not over.is_set():
            client.sendall(b"x" * 2000)
            client.recv(65536)

    threading.Thread(target=answer, daemon=True).start()
    for _ in range(40):
        threading.Thread(target=ask, daemon=True).start()
    is_over(None)
    over.set()


def generator(kept):
    """As many connections as the argument says, a thousand a second at most; and some that are refused."""
    count, refusals = int(sys.argv[2]), int(sys.argv[3])
    # Each listener's share of ports in TIME_WAIT is less than there are.
    listeners = [server(7100 + number) for number in range(4)]
    for number in range(count):
        listener = listeners[number % 4]
        client = socket.create_connection(listener.getsockname())
        accepted = listener.accept()[0]
        client.close()
        accepted.recv(1)
        accepted.close()
        if number % 50 == 49:
            time.sleep(0.05)
    for _ in range(refusals):
        client = socket.socket()
        if client.connect_ex(("127.0.0.1", 1)) != errno.ECONNREFUSED:
            sys.exit("it was not refused")
        client.close()
    print("done", flush=True)
    is_over(None)
    kept += listeners


shell("ip link set lo up")
print("ready", flush=True)
sys.stdin.readline()
kept = []
if kind != "none":
    globals()[kind](kept)
sys.stdin.readline()
if kind == "loss":
    shell("tc qdisc del dev lo root; nft delete table ip lossy")
for one in kept:
    one.close()
# The namespace stays until the end of it is asked for: what is counted there is still asked about.
print("over", flush=True)
sys.stdin.readline()
