// swift-tools-version: 6.3

import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableExperimentalFeature("Lifetimes"),  // SocketRecord borrows the receive buffer
    .treatAllWarnings(as: .error),
]

/// The trait that the command line and the plugins need, and with them swift-argument-parser.
let commandLine: Set<String> = ["CommandLine"]
/// The trait that `serve` needs, and with it SwiftNIO. Without it nobody fetches or builds that.
let serve: Set<String> = ["Serve"]

/// The trait that `TCPMetrics` needs, and with it swift-metrics. Without it nobody fetches or builds that.
let metrics: Set<String> = ["Metrics"]

let package = Package(
    name: "tcpstates",
    products: [
        .executable(name: "tcpstates", targets: ["tcpstates"]),
        .library(name: "SockDiag", targets: ["SockDiag"]),
        .library(name: "SocketOwners", targets: ["SocketOwners"]),
        .library(name: "TCPWatch", targets: ["TCPWatch"]),
        .library(name: "SocketLeaks", targets: ["SocketLeaks"]),
        .library(name: "TCPDiagnosis", targets: ["TCPDiagnosis"]),
        .library(name: "TCPRecords", targets: ["TCPRecords"]),
        .library(name: "TCPMetrics", targets: ["TCPMetrics"]),
        .library(name: "SocketTesting", targets: ["SocketTesting"]),
        .library(name: "SocketTestingXCTest", targets: ["SocketTestingXCTest"]),
        .plugin(name: "tcpstates-command", targets: ["tcpstates-command"]),
        .plugin(name: "tcpstates-test", targets: ["tcpstates-test"]),
    ],
    traits: [
        .trait(name: "CommandLine", description: "The command line and the plugins; takes swift-argument-parser."),
        .trait(name: "Metrics", description: "The library TCPMetrics, for swift-metrics; takes swift-metrics."),
        .trait(
            name: "Serve",
            description: "The subcommand serve: metrics and a page over HTTP; takes swift-nio.",
            enabledTraits: commandLine
        ),
        .default(enabledTraits: commandLine),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    ],
    targets: [
        .systemLibrary(name: "CMnl", pkgConfig: "libmnl", providers: [.apt(["libmnl-dev"]), .yum(["libmnl-devel"])]),
        .target(name: "LinuxLibC", swiftSettings: settings),
        .target(name: "SocketValues", swiftSettings: settings),
        .target(name: "LinuxSystem", dependencies: ["CMnl", "LinuxLibC", "SocketValues"], swiftSettings: settings),
        .target(
            name: "SockDiag",
            dependencies: ["CMnl", "LinuxLibC", "LinuxSystem", "SocketValues"],
            swiftSettings: settings
        ),
        .target(
            name: "BPF",
            dependencies: ["CMnl", "LinuxLibC", "LinuxSystem", "SocketValues"],
            swiftSettings: settings
        ),
        .target(name: "ConnectionTracking", dependencies: ["SocketValues"], swiftSettings: settings),
        .target(name: "KernelTrace", dependencies: ["BPF", "SockDiag", "SocketValues"], swiftSettings: settings),
        .target(
            name: "TableWalk",
            dependencies: ["BPF", "LinuxSystem", "SockDiag", "SocketValues"],
            swiftSettings: settings
        ),
        .target(
            name: "SocketOwners",
            dependencies: ["BPF", "LinuxLibC", "LinuxSystem", "SockDiag", "SocketValues"],
            swiftSettings: settings
        ),
        .target(
            name: "TCPWatch",
            dependencies: [
                "BPF", "ConnectionTracking", "KernelTrace", "LinuxLibC", "LinuxSystem", "SockDiag", "SocketOwners",
                "SocketValues", "TableWalk",
            ],
            swiftSettings: settings
        ),
        .target(
            name: "SocketLeaks",
            dependencies: ["LinuxLibC", "LinuxSystem", "SockDiag", "SocketOwners", "TCPWatch"],
            swiftSettings: settings
        ),
        .target(
            name: "TCPDiagnosis",
            dependencies: ["LinuxLibC", "LinuxSystem", "SockDiag", "SocketOwners"],
            swiftSettings: settings
        ),
        .target(
            name: "TCPRecords",
            dependencies: [
                "ConnectionTracking", "LinuxSystem", "SockDiag", "SocketValues", "TCPDiagnosis", "TCPWatch",
            ],
            swiftSettings: settings
        ),
        .target(
            name: "TCPMetrics",
            dependencies: [
                "SockDiag", "TCPDiagnosis", "TCPRecords", "TCPWatch",
                .product(name: "CoreMetrics", package: "swift-metrics", condition: .when(traits: metrics)),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "SocketTesting",
            dependencies: ["LinuxLibC", "LinuxSystem", "SockDiag", "SocketLeaks", "TCPWatch"],
            swiftSettings: settings
        ),
        .target(
            name: "SocketTestingXCTest",
            dependencies: ["LinuxLibC", "SockDiag", "SocketLeaks", "SocketTesting"],
            swiftSettings: settings
        ),
        .target(
            name: "TCPStatesServe",
            dependencies: [
                "LinuxLibC",
                "SockDiag",
                "SocketOwners",
                "TCPDiagnosis",
                "TCPRecords",
                "TCPWatch",
                .product(name: "NIOCore", package: "swift-nio", condition: .when(traits: serve)),
                .product(name: "NIOHTTP1", package: "swift-nio", condition: .when(traits: serve)),
                .product(name: "NIOPosix", package: "swift-nio", condition: .when(traits: serve)),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "TCPStatesCommands",
            dependencies: [
                "BPF",
                "LinuxLibC",
                "LinuxSystem",
                "SockDiag",
                "SocketLeaks",
                "SocketOwners",
                "TCPDiagnosis",
                "TCPRecords",
                "TCPWatch",
                "TableWalk",
                .target(name: "TCPStatesServe", condition: .when(traits: serve)),
                .product(
                    name: "ArgumentParser",
                    package: "swift-argument-parser",
                    condition: .when(traits: commandLine)
                ),
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "tcpstates",
            dependencies: [
                "TCPStatesCommands",
                .product(
                    name: "ArgumentParser",
                    package: "swift-argument-parser",
                    condition: .when(traits: commandLine)
                ),
            ],
            swiftSettings: settings
        ),
        .plugin(
            name: "tcpstates-command",
            capability: .command(
                intent: .custom(verb: "tcpstates", description: "What TCP connections do: list, watch, summary, run.")
            ),
            dependencies: [.target(name: "tcpstates", condition: .when(traits: commandLine))]
        ),
        .plugin(
            name: "tcpstates-test",
            capability: .command(
                intent: .custom(
                    verb: "tcpstates-test",
                    description: "Run the tests; report the sockets they left open."
                )
            ),
            dependencies: [.target(name: "tcpstates", condition: .when(traits: commandLine))]
        ),
        .target(name: "SeededRandom", path: "Tests/SeededRandom", swiftSettings: settings),
        .target(name: "OTLPReading", path: "Tests/OTLPReading", swiftSettings: settings),
        .target(
            name: "KernelModel",
            dependencies: ["ConnectionTracking", "SeededRandom", "SocketValues"],
            path: "Tests/KernelModel",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "model",
            dependencies: ["KernelModel"],
            path: "Tests/ModelRun",
            swiftSettings: settings
        ),
        .testTarget(
            name: "KernelModelTests",
            dependencies: ["ConnectionTracking", "KernelModel", "SocketValues"],
            swiftSettings: settings
        ),
        .testTarget(name: "PackageTests", swiftSettings: settings),
        .testTarget(
            name: "ConnectionTrackingTests",
            dependencies: ["ConnectionTracking", "SocketValues"],
            swiftSettings: settings
        ),
        .systemLibrary(name: "CLab", path: "Tests/CLab"),
        .target(
            name: "TCPStateLab",
            dependencies: ["CLab", "LinuxSystem", "SockDiag"],
            path: "Tests/TCPStateLab",
            swiftSettings: settings
        ),
        .testTarget(
            name: "TCPStateLabTests",
            dependencies: ["CLab", "SockDiag", "TCPStateLab"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "LinuxSystemTests",
            dependencies: ["LinuxSystem", "SocketValues", "TCPStateLab"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "SockDiagTests",
            dependencies: ["CLab", "LinuxSystem", "SeededRandom", "SockDiag", "TCPStateLab", "SystemProbe"],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "SystemProbe",
            dependencies: ["LinuxSystem", "SocketLeaks", "SocketOwners", "SockDiag", "TCPWatch"],
            path: "Tests/SystemProbe",
            swiftSettings: settings
        ),
        .testTarget(
            name: "SocketOwnersTests",
            dependencies: [
                "BPF", "LinuxSystem", "SeededRandom", "SocketOwners", "SockDiag", "TCPStateLab", "SystemProbe",
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "BPFTests",
            dependencies: ["BPF", "LinuxSystem", "SocketValues", "TCPStateLab"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "TableWalkTests",
            dependencies: ["BPF", "LinuxSystem", "SockDiag", "SocketValues", "TCPStateLab", "TableWalk"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "KernelTraceTests",
            dependencies: ["BPF", "KernelTrace", "LinuxSystem", "SockDiag", "TCPStateLab"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "TCPWatchTests",
            dependencies: [
                "BPF", "ConnectionTracking", "KernelTrace", "LinuxSystem", "TCPWatch", "SeededRandom", "SockDiag",
                "SocketOwners",
                "SocketValues", "TCPStateLab", "TableWalk",
                "SystemProbe",
            ],
            exclude: ["Journals"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "SocketLeaksTests",
            dependencies: [
                "LinuxSystem", "SockDiag", "SocketLeaks", "SocketOwners", "SystemProbe", "TCPStateLab", "TCPWatch",
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "TCPDiagnosisTests",
            dependencies: ["SockDiag", "SocketOwners", "TCPDiagnosis", "TCPStateLab"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "TCPRecordsTests",
            dependencies: [
                "ConnectionTracking", "LinuxSystem", "OTLPReading", "SeededRandom", "SockDiag", "SocketValues",
                "TCPDiagnosis",
                "TCPRecords",
                "TCPStateLab", "TCPWatch",
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "TCPMetricsTests",
            dependencies: [
                "SockDiag", "TCPMetrics", "TCPRecords", "TCPStateLab", "TCPWatch",
                .product(name: "CoreMetrics", package: "swift-metrics", condition: .when(traits: metrics)),
                .product(name: "MetricsTestKit", package: "swift-metrics", condition: .when(traits: metrics)),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "SocketTestingTests",
            dependencies: [
                "LinuxSystem", "SockDiag", "SocketLeaks", "SocketOwners", "SocketTesting", "SocketTestingXCTest",
                "TCPStateLab", "TCPWatch",
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "TCPStatesServeTests",
            dependencies: [
                "TCPRecords", "TCPStatesServe", "TCPWatch",
                .product(name: "NIOCore", package: "swift-nio", condition: .when(traits: serve)),
                .product(name: "NIOHTTP1", package: "swift-nio", condition: .when(traits: serve)),
                .product(name: "NIOPosix", package: "swift-nio", condition: .when(traits: serve)),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "TCPStatesCommandsTests",
            dependencies: [
                "BPF", "CMnl", "ConnectionTracking", "LinuxSystem", "OTLPReading", "SeededRandom", "SockDiag",
                "SocketLeaks", "SocketOwners",
                "TCPDiagnosis", "TCPRecords", "TCPWatch", "TCPStatesCommands", "TCPStateLab", "TableWalk", "tcpstates",
            ],
            exclude: ["Fleet/Scripts", "Snapshots"],
            swiftSettings: settings
        ),
    ],
    swiftLanguageModes: [.v6]
)
