import SockDiag
import TCPWatch

// What may I see here, and what is missing for more? Nothing is started for the answer.
let access = WatchAccess.current()

for answer in access.answers {
    if let shortfall = answer.shortfall {
        print("missing  \(answer.capability.rawValue): \(shortfall)")
    } else {
        print("there    \(answer.capability.rawValue)")
    }
}
for namespace in access.namespaces { print("found    network namespace \(namespace)") }

// An agent decides by it how to watch, and says once what another privilege would give.
if let failure = access.shortfall(of: .ipv4) ?? access.shortfall(of: .ipv6) { throw failure }
var configuration = SocketWatcher.Configuration()
configuration.source = access.canTrace ? .trace : .poll
let owners = access.findsAllOwners ? "all owners" : "the owners that it may see"
print("An agent here watches by \(configuration.source.rawValue), and names \(owners).")
