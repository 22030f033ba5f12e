// swift-tools-version: 6.2

import PackageDescription

let package = Package(
    name: "FirstProgram",
    dependencies: [
        // Elsewhere: .package(url: "https://github.com/tcpstates/tcpstates", branch: "main")
        .package(name: "tcpstates", path: "../..")
    ],
    targets: [
        .executableTarget(
            name: "FirstProgram",
            dependencies: [.product(name: "SockDiag", package: "tcpstates")]
        )
    ]
)
