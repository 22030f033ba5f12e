// swift-tools-version: 6.2

import PackageDescription

let package = Package(
    name: "MonitoringAgent",
    dependencies: [
        // Elsewhere: .package(url: "https://github.com/tcpstates/tcpstates", branch: "main")
        .package(name: "tcpstates", path: "../.."),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
    ],
    targets: [
        .executableTarget(
            name: "MonitoringAgent",
            dependencies: [
                .product(name: "TCPWatch", package: "tcpstates"),
                .product(name: "SockDiag", package: "tcpstates"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
            ]
        )
    ],
    swiftLanguageModes: [.v6]
)
