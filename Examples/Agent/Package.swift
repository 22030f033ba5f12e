// swift-tools-version: 6.2

import PackageDescription

let package = Package(
    name: "Agent",
    dependencies: [
        // Elsewhere: .package(url: "https://github.com/tcpstates/tcpstates", branch: "main", traits: [])
        .package(name: "tcpstates", path: "../..", traits: [])
    ],
    targets: [
        .executableTarget(name: "Leaks", dependencies: [.product(name: "SocketLeaks", package: "tcpstates")])
    ],
    swiftLanguageModes: [.v6]
)
