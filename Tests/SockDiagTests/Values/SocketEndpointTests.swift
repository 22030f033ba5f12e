import LinuxSystem
import Testing

@testable import SockDiag

/// Endpoints, cookies and the other small values: their text, and what makes two of them the same.
struct SocketEndpointTests {
    @Test func `An endpoint is printed so that its port cannot be taken for a part of the address`() throws {
        let v6 = try #require(IPAddress("2001:db8::1"))
        #expect(SocketEndpoint(IPAddress(ipv4: 0xc000_0201), port: 443).description == "192.0.2.1:443")
        #expect(SocketEndpoint(v6, port: 65535).description == "[2001:db8::1]:65535")
        #expect(SocketEndpoint(.anyIPv4, port: 0).description == "0.0.0.0:*")
        #expect(SocketEndpoint(.anyIPv6, port: 0).description == "[::]:*")
        let mapped = try #require(IPAddress("::ffff:192.0.2.1"))
        #expect(SocketEndpoint(mapped, port: 80).description == "[::ffff:192.0.2.1]:80")
    }

    @Test func `The scope is a part of the endpoint`() throws {
        let address = try #require(IPAddress("fe80::1"))
        let scope = NetworkInterface(rawValue: 2)
        var endpoint = SocketEndpoint(address, port: 22, scope: scope)
        #expect(endpoint.description == "[fe80::1%2]:22")
        #expect(endpoint.scope == scope)
        #expect(endpoint != SocketEndpoint(address, port: 22))
        #expect(endpoint != SocketEndpoint(address, port: 22, scope: NetworkInterface(rawValue: 3)))
        endpoint.scope = nil
        #expect(endpoint == SocketEndpoint(address, port: 22))
        #expect(endpoint.description == "[fe80::1]:22")
    }

    @Test func `Endpoints of different ports or addresses are different`() {
        let endpoints: Set = [
            SocketEndpoint(.loopbackIPv4, port: 1), SocketEndpoint(.loopbackIPv4, port: 2),
            SocketEndpoint(.loopbackIPv6, port: 1), SocketEndpoint(.loopbackIPv4, port: 1),
        ]
        #expect(endpoints.count == 3)
    }

    @Test func `A cookie is printed as ss prints it and read back`() {
        for value in [0, 1, 0xabc, 0x1_0000_0000, .max] as [UInt64] {
            let cookie = SocketCookie(rawValue: value)
            #expect(cookie.description == String(value, radix: 16))
            #expect(SocketCookie(cookie.description) == cookie)
            #expect(SocketCookie("0x\(cookie.description.uppercased())") == cookie)
        }
    }

    @Test(arguments: [
        "", "0x", "x1", "0x0x1", "+1", "-1", " 1", "1 ", "g", "10000000000000000", "1\0", "sk:1", "\u{ff11}",
    ]) func `What is no cookie is refused`(text: String) {
        #expect(SocketCookie(text) == nil)
    }

    @Test func `The families have the kernel's numbers and names`() {
        #expect(AddressFamily.ipv4.rawValue == 2 && AddressFamily.ipv6.rawValue == 10)
        #expect(AddressFamily.ipv4.description == "ipv4" && AddressFamily.ipv6.description == "ipv6")
        #expect(AddressFamily(rawValue: 99).description == "family_99")
    }

    @Test(arguments: [
        ("6.18.44-fc", 6, 18), ("5.4.0-150-generic", 5, 4), ("7.0.0-rc1", 7, 0), ("6.1", 6, 1), ("10", 10, 0),
        ("4.19+", 4, 19), ("", 0, 0), ("linux", 0, 0), ("6.x", 6, 0), ("99999999999999999999.1", 0, 1),
    ]) func `A release is read as far as it is numbers`(release: String, major: Int, minor: Int) {
        let kernel = KernelRelease(release)
        #expect((kernel.major, kernel.minor) == (major, minor))
    }

    @Test func `The running kernel's release is read`() { #expect(KernelRelease.running.major >= 3) }
}
