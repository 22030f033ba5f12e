// swift-tools-version: 6.3

import PackageDescription

let watch: [Target.Dependency] = [
    .product(name: "SockDiag", package: "tcpstates"), .product(name: "TCPWatch", package: "tcpstates"),
]

let package = Package(
    name: "Agent",
    dependencies: [
        // Without its trait the library has no dependencies: nothing is fetched.
        // Elsewhere: .package(url: "https://github.com/tcpstates/tcpstates", branch: "main", traits: [])
        .package(name: "tcpstates", path: "../..", traits: [])
    ],
    targets: [
        // A program each, in Sources/NAME, and its tests in Tests/NAMETests.
        .executableTarget(name: "StateGauges", dependencies: watch),
        .executableTarget(name: "AlertRule", dependencies: watch),
        .testTarget(name: "AlertRuleTests", dependencies: ["AlertRule"] + watch),
        .executableTarget(name: "Steering", dependencies: watch),
        .executableTarget(name: "EventLoop", dependencies: watch),
        .executableTarget(
            name: "Records",
            dependencies: watch + [.product(name: "TCPRecords", package: "tcpstates")]
        ),
        .executableTarget(name: "Leaks", dependencies: [.product(name: "SocketLeaks", package: "tcpstates")]),
        .executableTarget(name: "Preflight", dependencies: watch),
        // All that there is, in one program.
        .testTarget(
            name: "EmbeddingTests",
            dependencies: watch
                + [
                    "SocketLeaks", "SocketOwners", "SocketTesting", "SocketTestingXCTest", "TCPDiagnosis", "TCPRecords",
                ].map { .product(name: $0, package: "tcpstates") }
        ),
    ],
    swiftLanguageModes: [.v6]
)
