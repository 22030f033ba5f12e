// swift-tools-version: 6.2

import PackageDescription

let package = Package(
    name: "Benchmarks",
    dependencies: [
        .package(name: "tcpstates", path: "../.."),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    ],
    targets: [
        .executableTarget(
            name: "Benchmarks",
            dependencies: [.product(name: "ArgumentParser", package: "swift-argument-parser")]
        ),
        // The kernel's own limit: receives the replies of a dump and parses nothing.
        .executableTarget(name: "DumpLimit"),
        .executableTarget(name: "PeakMemory"),
        .executableTarget(
            name: "WatchCost",
            dependencies: [
                .product(name: "SockDiag", package: "tcpstates"),
                .product(name: "TCPWatch", package: "tcpstates"),
            ]
        ),
        // What `.noSocketLeaks` adds to a test.
        .testTarget(
            name: "TraitCost",
            dependencies: [.product(name: "SocketTesting", package: "tcpstates")],
            path: "Tests/TraitCost"
        ),
        .executableTarget(
            name: "TraceCost",
            dependencies: [
                .product(name: "SockDiag", package: "tcpstates"),
                .product(name: "TCPWatch", package: "tcpstates"),
            ]
        ),
    ],
    swiftLanguageModes: [.v6]
)
