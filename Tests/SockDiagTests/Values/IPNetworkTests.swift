import SockDiag
import Testing

@Suite("Networks")
struct IPNetworkTests {
    @Test(
        "A network is read and printed in its canonical form",
        arguments: [
            ("192.0.2.0/24", "192.0.2.0/24"), ("192.0.2.77/24", "192.0.2.0/24"), ("10/8", "10.0.0.0/8"),
            ("172.16/12", "172.16.0.0/12"), ("192.0.2/25", "192.0.2.0/25"), ("192.0.2.1", "192.0.2.1"),
            ("192.0.2.1/32", "192.0.2.1"), ("0/0", "0.0.0.0/0"), ("2001:db8::1/32", "2001:db8::/32"), ("::/0", "::/0"),
            ("::1", "::1"), ("2001:db8::ffff/113", "2001:db8::8000/113"),
            ("::ffff:10.0.0.9/104", "::ffff:10.0.0.0/104"),
        ]
    )
    func text(read: String, printed: String) throws {
        #expect(IPNetwork(read)?.description == printed)
        #expect(IPNetwork(printed) == IPNetwork(read))
    }

    @Test(
        "What is no network is refused",
        arguments: [
            "", "/", "/8", "10", "10.1", "192.0.2.1/33", "192.0.2.1/-1", "192.0.2.1/+8", "192.0.2.1/", "::/129",
            "10.0.0.0.0/8",
            "256/8", "10./8", "::1/8/8", "10/8x", " 10/8",
        ]
    )
    func refusal(text: String) { #expect(IPNetwork(text) == nil) }

    @Test("Addresses are found by the prefix's bits, and IPv4-mapped ones by the IPv4 network")
    func contains() throws {
        func contains(_ network: String, _ address: String) throws -> Bool {
            try #require(IPNetwork(network)).contains(try #require(IPAddress(address)))
        }
        for (network, address) in [
            ("192.0.2.0/24", "192.0.2.255"), ("192.0.2.0/24", "::ffff:192.0.2.7"), ("0/0", "::ffff:1.2.3.4"),
            ("0/0", "255.255.255.255"), ("::/0", "::ffff:1.2.3.4"), ("2001:db8::/33", "2001:db8:7fff::1"),
            ("::ffff:0:0/96", "::ffff:1.2.3.4"), ("128/1", "128.0.0.0"), ("::1", "::1"), ("fe80::/64", "fe80::1"),
        ] { #expect(try contains(network, address), "\(network) \(address)") }
        for (network, address) in [
            ("192.0.2.0/24", "192.0.3.0"), ("192.0.2.0/24", "::192.0.2.7"), ("0/0", "::1"), ("::/0", "1.2.3.4"),
            ("2001:db8::/33", "2001:db8:8000::1"), ("::ffff:0:0/96", "1.2.3.4"), ("128/1", "127.255.255.255"),
            ("::1", "::"), ("fe80::/64", "fe80:0:0:1::"),
        ] { #expect(try !contains(network, address), "\(network) \(address)") }
    }
}
