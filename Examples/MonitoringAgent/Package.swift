// swift-tools-version: 6.2

import PackageDescription

let package = Package(
    name: "MonitoringAgent",
    dependencies: [
        // Elsewhere: .package(url: "https://github.com/tcpstates/tcpstates", branch: "main", traits: ["Metrics"])
        .package(name: "tcpstates", path: "../..", traits: ["Metrics"]),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    ],
    targets: [
        .executableTarget(
            name: "MonitoringAgent",
            dependencies: [
                .product(name: "TCPWatch", package: "tcpstates"),
                .product(name: "TCPMetrics", package: "tcpstates"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Logging", package: "swift-log"),
            ]
        )
    ],
    swiftLanguageModes: [.v6]
)
