// swift-tools-version: 6.2

import PackageDescription

let package = Package(
    name: "Agent",
    dependencies: [
        // Elsewhere: .package(url: "https://github.com/tcpstates/tcpstates", branch: "main", traits: [])
        // Without the command line's trait nothing else is fetched.
        .package(name: "tcpstates", path: "../..", traits: [])
    ],
    targets: [
        .executableTarget(
            name: "StateGauges",
            dependencies: [
                .product(name: "SockDiag", package: "tcpstates"), .product(name: "TCPWatch", package: "tcpstates"),
            ]
        ),
        .executableTarget(
            name: "Steering",
            dependencies: [
                .product(name: "SockDiag", package: "tcpstates"), .product(name: "TCPWatch", package: "tcpstates"),
            ]
        ),
        .executableTarget(name: "EventLoop", dependencies: [.product(name: "TCPWatch", package: "tcpstates")]),
        .executableTarget(
            name: "Records",
            dependencies: [
                .product(name: "TCPRecords", package: "tcpstates"), .product(name: "TCPWatch", package: "tcpstates"),
            ]
        ),
    ]
)
