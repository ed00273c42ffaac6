// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

/// What the dashboard's pages are made of, compiled into the executable.
let dashboardFiles = [
    "dashboard.css", "dashboard.js", "favicon.svg", "audit.mustache", "chart.mustache", "failure.mustache",
    "filters.mustache", "layout.mustache", "login.mustache", "metrics.mustache", "overview.mustache",
    "progress.mustache", "queue.mustache", "refresh.mustache", "request.mustache", "requests.mustache",
    "requestrows.mustache", "rollout.mustache", "rollouts.mustache", "rules.mustache",
]

/// Products of other packages, each named once.
extension Target.Dependency {
    static let argumentParser: Self = .product(name: "ArgumentParser", package: "swift-argument-parser")
    static let atomics: Self = .product(name: "Atomics", package: "swift-atomics")
    static let coreMetrics: Self = .product(name: "CoreMetrics", package: "swift-metrics")
    static let crypto: Self = .product(name: "Crypto", package: "swift-crypto")
    static let grdb: Self = .product(name: "GRDB", package: "GRDB.swift")
    static let grdbSQLite: Self = .product(name: "GRDBSQLite", package: "GRDB.swift")
    static let httpTypes: Self = .product(name: "HTTPTypes", package: "swift-http-types")
    static let hummingbird: Self = .product(name: "Hummingbird", package: "hummingbird")
    static let hummingbirdCore: Self = .product(name: "HummingbirdCore", package: "hummingbird")
    static let inMemoryLogging: Self = .product(name: "InMemoryLogging", package: "swift-log")
    static let logging: Self = .product(name: "Logging", package: "swift-log")
    static let mustache: Self = .product(name: "Mustache", package: "swift-mustache")
    static let nioConcurrencyHelpers: Self = .product(name: "NIOConcurrencyHelpers", package: "swift-nio")
    static let nioCore: Self = .product(name: "NIOCore", package: "swift-nio")
    static let nioEmbedded: Self = .product(name: "NIOEmbedded", package: "swift-nio")
    static let nioHTTP1: Self = .product(name: "NIOHTTP1", package: "swift-nio")
    static let nioHTTPTypes: Self = .product(name: "NIOHTTPTypes", package: "swift-nio-extras")
    static let nioHTTPTypesHTTP1: Self = .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras")
    static let nioPosix: Self = .product(name: "NIOPosix", package: "swift-nio")
    static let nioSSL: Self = .product(name: "NIOSSL", package: "swift-nio-ssl")
    static let serviceLifecycle: Self = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
    static let subprocess: Self = .product(name: "Subprocess", package: "swift-subprocess")
    static let systemPackage: Self = .product(name: "SystemPackage", package: "swift-system")
    static let unixSignals: Self = .product(name: "UnixSignals", package: "swift-service-lifecycle")
}

let package = Package(
    name: "metadata-gateway",
    products: [
        .executable(name: "metadata-gateway", targets: ["MetadataGateway"]),
        .library(name: "Common", targets: ["Common"]),
        .library(name: "Ingress", targets: ["Ingress"]),
        .library(name: "GatewayCommand", targets: ["GatewayCommand"]),
    ],
    dependencies: [
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0", traits: []),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-atomics", from: "1.3.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        // 2.100 is a floor, not a taste: CVE-2026-28970 and CVE-2026-28980 are open below it.
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.0", traits: []),
    ],
    targets: [
        .systemLibrary(name: "CHiredis", providers: [.apt(["libhiredis-dev"])]),
        .systemLibrary(name: "CCurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CYAML", providers: [.apt(["libyaml-dev"])]),
        .systemLibrary(name: "CDecoders"),
        .systemLibrary(name: "CMalloc"),
        .target(name: "Text", swiftSettings: settings),
        .target(name: "JSON", dependencies: ["Text"], swiftSettings: settings),
        .target(name: "Compression", dependencies: ["CDecoders", "CZlib", "Text"], swiftSettings: settings),
        .target(
            name: "Telemetry",
            dependencies: ["Text", .atomics, .coreMetrics, .nioConcurrencyHelpers],
            swiftSettings: settings
        ),
        .target(
            name: "Redis",
            dependencies: [
                "CHiredis", "Text", .crypto, .logging, .nioConcurrencyHelpers, .nioCore, .nioPosix, .nioSSL,
                .serviceLifecycle,
            ],
            swiftSettings: settings
        ),
        .target(
            name: "Upstream",
            dependencies: [
                "CCurl", "Compression", "Text", .logging, .nioConcurrencyHelpers, .nioCore, .serviceLifecycle,
            ],
            swiftSettings: settings
        ),
        .target(
            name: "Common",
            dependencies: [
                "CYAML", "JSON", "Redis", "Text", "Upstream", .crypto, .logging, .nioConcurrencyHelpers,
                .nioCore, .nioPosix, .serviceLifecycle,
            ],
            swiftSettings: settings
        ),
        .target(
            name: "Queue",
            dependencies: [
                "Common", "Redis", "Upstream", .logging, .nioConcurrencyHelpers, .nioCore, .nioPosix,
                .serviceLifecycle,
            ],
            swiftSettings: settings
        ),
        .target(name: "Policies", dependencies: ["Common", "JSON", "Text"], swiftSettings: settings),
        .target(
            name: "HTTPServing",
            dependencies: [
                "Common", "Telemetry", .coreMetrics, .httpTypes, .hummingbirdCore, .logging, .nioConcurrencyHelpers,
                .nioCore, .nioHTTP1, .nioHTTPTypes, .nioHTTPTypesHTTP1, .serviceLifecycle,
            ],
            swiftSettings: settings
        ),
        .target(
            name: "MetricsServing",
            dependencies: [
                "Common", "HTTPServing", "JSON", "Telemetry", .httpTypes, .hummingbird, .logging, .nioCore,
                .serviceLifecycle,
            ],
            swiftSettings: settings
        ),
        .target(
            name: "Dashboard",
            dependencies: ["Common", "JSON", "RequestLog", "Text", .crypto, .mustache],
            resources: dashboardFiles.map { .embedInCode("Files/\($0)") },
            swiftSettings: settings
        ),
        .target(
            name: "Ingress",
            dependencies: [
                "Common", "Compression", "Dashboard", "HTTPServing", "JSON", "Policies", "Queue", "Redis",
                "RequestLog", "Telemetry", "Upstream", .coreMetrics, .crypto, .httpTypes, .hummingbird, .logging,
                .nioConcurrencyHelpers, .nioCore, .nioHTTP1, .nioHTTPTypes, .nioHTTPTypesHTTP1, .nioPosix,
                .serviceLifecycle, .unixSignals,
            ],
            resources: [.embedInCode("OpenAPI/openapi.json")],
            swiftSettings: settings
        ),
        .target(
            name: "Forwarder",
            dependencies: [
                "Common", "Compression", "JSON", "Policies", "Queue", "Redis", "Telemetry", "Upstream",
                .coreMetrics, .logging, .nioConcurrencyHelpers, .nioCore, .nioPosix, .serviceLifecycle,
            ],
            resources: [.embedInCode("Providers/providers.yaml")],
            swiftSettings: settings
        ),
        .target(
            name: "RequestLogServing",
            dependencies: ["Common", "Queue", "Redis", "RequestLog", "Upstream", .logging, .serviceLifecycle],
            swiftSettings: settings
        ),
        .target(
            name: "RequestLog",
            dependencies: ["Common", "JSON", "Text"],
            resources: [.embedInCode("Prices/prices.yaml")],
            swiftSettings: settings
        ),
        .target(
            name: "TraceStore",
            dependencies: [
                "Common", "Compression", "HTTPServing", "JSON", "RequestLog", "Telemetry", .coreMetrics, .crypto,
                .grdb, .grdbSQLite, .httpTypes, .hummingbird, .logging, .nioConcurrencyHelpers, .nioCore, .nioPosix,
                .serviceLifecycle,
            ],
            swiftSettings: settings
        ),
        .target(
            name: "Verifier",
            dependencies: [
                "Common", "JSON", "Queue", "Redis", "Telemetry", "Upstream", .coreMetrics, .crypto, .logging,
                .nioConcurrencyHelpers, .serviceLifecycle,
            ],
            swiftSettings: settings
        ),
        .target(
            name: "GatewayCommand",
            dependencies: [
                "CMalloc", "Common", "Forwarder", "HTTPServing", "Ingress", "JSON", "MetricsServing", "Policies",
                "Queue",
                "Redis", "RequestLog", "RequestLogServing", "Telemetry", "TraceStore", "Upstream", "Verifier",
                .argumentParser, .logging, .nioConcurrencyHelpers, .nioCore, .serviceLifecycle, .subprocess,
                .systemPackage, .unixSignals,
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "MetadataGateway",
            dependencies: ["GatewayCommand", "Ingress"],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "CustomGateway",
            dependencies: ["Common", "GatewayCommand", "Ingress", .httpTypes, .hummingbird],
            path: "Examples/CustomGateway",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "RequestLogBench",
            dependencies: ["Common", "RequestLog", "TraceStore", .grdb, .grdbSQLite, .logging],
            path: "Benchmarks/RequestLog",
            swiftSettings: settings
        ),
        .target(
            name: "TestSupport",
            dependencies: [
                "Common", "JSON", "Policies", "Queue", "Redis", "RequestLog", .logging, .nioConcurrencyHelpers,
                .nioCore, .nioPosix, .subprocess, .systemPackage,
            ],
            path: "Tests/Support",
            swiftSettings: settings
        ),
        .testTarget(
            name: "CommonTests",
            dependencies: [
                "Common", "JSON", "Redis", "TestSupport", "Upstream", .crypto, .inMemoryLogging, .logging,
                .nioConcurrencyHelpers, .nioCore, .nioPosix,
            ],
            swiftSettings: settings
        ),
        .testTarget(name: "CompressionTests", dependencies: ["Compression", "TestSupport"], swiftSettings: settings),
        .testTarget(
            name: "JSONTests",
            dependencies: ["Common", "JSON", "TestSupport"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "TelemetryTests",
            dependencies: [
                "Common", "Forwarder", "HTTPServing", "Ingress", "MetricsServing", "Telemetry", "TestSupport",
                "TraceStore", "Verifier", .coreMetrics, .logging, .nioCore, .serviceLifecycle, .subprocess,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "DashboardTests",
            dependencies: ["Common", "Dashboard", "JSON", "TestSupport", .nioConcurrencyHelpers],
            swiftSettings: settings),
        .testTarget(
            name: "PoliciesTests", dependencies: ["Common", "JSON", "Policies", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "QueueTests",
            dependencies: [
                "Common", "Queue", "Redis", "TestSupport", "Upstream", .nioConcurrencyHelpers, .nioCore,
                .nioEmbedded,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "RedisTests",
            dependencies: [
                "Common", "Redis", "TestSupport", .nioConcurrencyHelpers, .nioCore, .nioPosix, .subprocess,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "UpstreamTests",
            dependencies: [
                "Common", "Compression", "TestSupport", "Upstream", .nioConcurrencyHelpers, .nioCore, .nioPosix,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "HTTPServingTests",
            dependencies: [
                "HTTPServing", "Telemetry", "TestSupport", .httpTypes, .hummingbirdCore, .logging, .nioCore,
                .nioEmbedded, .nioHTTP1, .nioHTTPTypes, .nioPosix,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "IngressTests",
            dependencies: [
                "Common", "Compression", "Dashboard", "HTTPServing", "Ingress", "JSON", "Policies", "Queue", "Redis",
                "RequestLog", "RequestLogServing", "Telemetry", "TestSupport", "Upstream", .crypto, .httpTypes,
                .hummingbird, .logging, .inMemoryLogging, .nioCore, .nioEmbedded, .nioHTTP1, .nioHTTPTypes,
                .nioHTTPTypesHTTP1, .nioConcurrencyHelpers, .serviceLifecycle,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "ForwarderTests",
            dependencies: [
                "Common", "Compression", "Forwarder", "JSON", "Policies", "Queue", "Redis", "RequestLog", "Telemetry",
                "TestSupport", "TraceStore", "Upstream", .logging, .inMemoryLogging, .nioCore, .nioEmbedded,
                .nioConcurrencyHelpers, .nioCore, .nioPosix, .serviceLifecycle,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "RequestLogTests", dependencies: ["Common", "JSON", "RequestLog", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "TraceStoreTests",
            dependencies: [
                "Common", "Compression", "HTTPServing", "JSON", "RequestLog", "TestSupport", "TraceStore", .grdb,
                .httpTypes, .inMemoryLogging, .logging, .nioConcurrencyHelpers, .serviceLifecycle,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "VerifierTests",
            dependencies: [
                "Common", "JSON", "Queue", "Redis", "TestSupport", "TraceStore", "Upstream", "Verifier", .logging,
                .nioConcurrencyHelpers, .serviceLifecycle,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "Common", "CustomGateway", "GatewayCommand", "JSON", "MetadataGateway", "Redis", "RequestLog",
                "TestSupport", "TraceStore", "Upstream", .argumentParser, .serviceLifecycle, .nioConcurrencyHelpers,
                .subprocess,
            ],
            swiftSettings: settings
        ),
    ]
)
