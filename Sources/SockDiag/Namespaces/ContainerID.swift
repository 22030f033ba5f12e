internal import LinuxLibC
internal import LinuxSystem

/// The number of the container that a process is in, as its control groups are named after it.
///
/// Docker, Podman, containerd and CRI-O name a group by 64 hexadecimal digits, bare or with a prefix:
/// `/docker/ID`, `/system.slice/docker-ID.scope`, `/kubepods/burstable/podUID/ID`, `cri-containerd-ID.scope`,
/// `kubepods.slice:cri-containerd:ID`, `crio-ID.scope`, `libpod-ID.scope`.
enum ContainerID {
    /// Finds it in a file like `/proc/PID/cgroup`; nil where there is none.
    static func find(in file: String) -> String? {
        guard let groups = try? OpenFile.start(of: file, limit: 4096) else { return nil }
        return find(in: groups)
    }

    /// Finds the innermost one in the lines `hierarchy:controllers:path`.
    static func find(in groups: [UInt8]) -> String? {
        for line in groups.split(separator: UInt8(ascii: "\n")) {
            let words = line.split { separators.contains($0) }
            if let id = words.last(where: { $0.count == length && $0.allSatisfy(isDigit) }) {
                return String(decoding: id, as: UTF8.self)
            }
        }
        return nil
    }

    private static let length = 64
    private static let separators = Array("/-:.".utf8)

    private static func isDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"): true
        default: false
        }
    }
}
