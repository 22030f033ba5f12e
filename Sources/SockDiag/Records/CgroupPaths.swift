internal import CMnl
internal import LinuxLibC

/// The paths of control groups (version 2) by the id that ``SocketFields/cgroupID`` gives.
///
/// ```swift
/// var paths = CgroupPaths()
/// if let id = socket.cgroupID, let path = paths.path(of: id) { print(path) }  // "/system.slice/nginx.service"
/// ```
///
/// An id is the inode of the group's directory. An unknown one costs a walk over the tree, and is remembered, also where
/// no group was found: it was removed, or lies outside of what is mounted here. A path's parts are named by whoever
/// made the group: escape control characters before they reach a terminal.
public struct CgroupPaths {
    private var paths: [UInt64: String?] = [:]
    private let root: String?

    /// Paths below the first mount of the file system `cgroup2`; there is none where version 1 alone is in use.
    public init() { root = Self.mountPoint() }

    /// The path of a group from the root of the tree; nil where none of that id is found.
    public mutating func path(of id: UInt64) -> String? {
        if let known = paths[id] { return known }
        if let root { walk(root, "/") }
        let path = paths[id] ?? nil
        paths[id] = .some(path)
        return path
    }

    private mutating func walk(_ directory: String, _ path: String) {
        var status = stat()
        guard lstat(directory, &status) == 0, let stream = opendir(directory) else { return }
        defer { closedir(stream) }
        paths[UInt64(status.st_ino)] = path
        while let entry = readdir(stream) {
            // A group's other entries are plain files.
            guard entry.pointee.d_type == UInt8(DT_DIR) else { continue }
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard name != ".", name != ".." else { continue }
            walk("\(directory)/\(name)", path == "/" ? "/\(name)" : "\(path)/\(name)")
        }
    }

    /// The id of the group of a path, from the root of the tree or of the file system; nil where there is none.
    static func id(of path: String) -> UInt64? {
        guard !path.utf8.contains(0), let root = mountPoint() else { return nil }
        let isWhole = path == root || path.hasPrefix(root + "/")
        var status = stat()
        guard lstat(isWhole ? path : "\(root)/\(path)", &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            return nil
        }
        return UInt64(status.st_ino)
    }

    /// The second word of the line of `/proc/self/mounts` whose third is `cgroup2`.
    private static func mountPoint() -> String? {
        guard let mounts = setmntent("/proc/self/mounts", "r") else { return nil }
        defer { endmntent(mounts) }
        var entry = mntent()
        var line = [CChar](repeating: 0, count: 4096)
        while getmntent_r(mounts, &entry, &line, Int32(line.count)) != nil {
            if String(cString: entry.mnt_type) == "cgroup2" { return String(cString: entry.mnt_dir) }
        }
        return nil
    }
}
