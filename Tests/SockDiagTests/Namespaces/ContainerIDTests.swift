import Testing

@testable import SockDiag

@Suite struct ContainerIDTests {
    private static let id = String(repeating: "0123456789abcdef", count: 4)
    private static let outer = String(repeating: "f", count: 64)

    @Test(arguments: [
        "0::/system.slice/docker-\(id).scope",
        "12:memory:/docker/\(id)\n11:cpu:/docker/\(id)\n",
        "0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod9a.slice/cri-containerd-\(id).scope",
        "0::/kubepods/besteffort/pod5f3c2a60-1c2b-4f0a-9e57-111111111111/\(id)",
        "0::/system.slice/kubepods-pod1.slice:cri-containerd:\(id)",
        "0::/kubepods.slice/crio-\(id).scope/container",
        "0::/machine.slice/libpod-\(id).scope",
        "0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-\(id).scope/container",
        "1:name=systemd:/\n0::/../../docker/\(id)",
        "0::/docker/\(outer)/docker/\(id)",
    ])
    func `The number that a container engine names the group by is found`(groups: String) {
        #expect(ContainerID.find(in: Array(groups.utf8)) == Self.id)
    }

    @Test func `The label of a namespace has it, as long as docker ps shows it`() {
        let name = ProcessName("nginx")
        #expect(NetworkNamespace.label(4711, name, Self.id) == "pid:4711(nginx)@0123456789ab")
        #expect(NetworkNamespace.label(4711, name, nil) == "pid:4711(nginx)")
    }

    @Test(arguments: [
        "", "0::/", "0::/system.slice/nginx.service", "0::/docker/\(id.dropLast())", "0::/docker/\(id)0",
        "0::/docker/\(id.uppercased())", "0::/docker/\(id.dropLast())\u{1b}", "no lines at all",
    ])
    func `Other groups name no container`(groups: String) {
        #expect(ContainerID.find(in: Array(groups.utf8)) == nil)
    }
}
