internal import LinuxLibC

/// The version of a Linux kernel, as far as its answers depend on it.
package struct KernelRelease: Hashable, Sendable {
    package let major: Int
    package let minor: Int

    /// Reads the leading numbers of a release: `6.12.3-amd64` is 6.12; what is not a number counts as 0.
    package init(_ release: String) {
        let numbers = release.split(separator: ".", maxSplits: 2).map { Int($0.prefix { $0.isNumber }) ?? 0 }
        major = numbers.first ?? 0
        minor = numbers.count > 1 ? numbers[1] : 0
    }

    /// The running kernel's (`uname(2)`).
    package static let running: KernelRelease = {
        var name = utsname()
        guard uname(&name) == 0 else { return KernelRelease("") }
        return withUnsafeBytes(of: &name.release) { bytes in
            KernelRelease(String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self))
        }
    }()
}

extension KernelRelease: Comparable {
    /// By age.
    package static func < (left: KernelRelease, right: KernelRelease) -> Bool {
        (left.major, left.minor) < (right.major, right.minor)
    }
}
