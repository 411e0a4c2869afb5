// swift-tools-version: 6.2

import PackageDescription

let settings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .treatAllWarnings(as: .error),
]

let package = Package(
  name: "watchbuild",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "watchbuild", targets: ["watchbuild"]),
    .executable(name: "bench-map", targets: ["bench-map"]),
    .executable(name: "bench-watch", targets: ["bench-watch"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
    .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-http2", exact: "1.46.0"),
    .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
    .package(url: "https://github.com/apple/swift-system", exact: "1.8.1"),
    .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
    .package(url: "https://github.com/swift-server/async-http-client", exact: "1.37.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", exact: "1.0.2", traits: []),
  ],
  targets: [
    // The order of the targets is the order of the data; each imports only those before it.
    .systemLibrary(name: "CInotifyTools", providers: [.apt(["libinotifytools-dev"])]),
    .systemLibrary(name: "CLibcrypto", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
    .target(
      name: "Basics",
      dependencies: [
        .product(name: "SystemPackage", package: "swift-system")
      ],
      swiftSettings: settings
    ),
    .target(
      name: "Watcher",
      dependencies: [
        "CInotifyTools",
        "Basics",
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: settings
    ),
    .target(
      name: "Graph",
      dependencies: [
        "Basics",
        "Watcher",
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: settings
    ),
    .target(
      name: "Batching",
      dependencies: [
        "Basics",
        "Watcher",
        "Graph",
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: settings
    ),
    .target(
      name: "Processes",
      dependencies: [
        "Basics",
        "Watcher",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Subprocess", package: "swift-subprocess"),
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: settings
    ),
    .target(
      name: "Bazel",
      dependencies: [
        "Basics",
        "Graph",
        "Processes",
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: settings
    ),
    .target(
      name: "Images",
      dependencies: [
        "Basics",
        "CLibcrypto",
        "CZlib",
        "Graph",
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: settings
    ),
    .target(
      name: "Runtimes",
      dependencies: [
        "Basics",
        "Processes",
        "Images",
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHPACK", package: "swift-nio-http2"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOHTTP2", package: "swift-nio-http2"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: settings
    ),
    .target(
      name: "Events",
      dependencies: [
        "Basics",
        "Graph",
        "Bazel",
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: settings
    ),
    .target(
      name: "Runner",
      dependencies: [
        "Basics",
        "Watcher",
        "Graph",
        "Batching",
        "Processes",
        "Bazel",
        "Images",
        "Runtimes",
        "Events",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: settings
    ),
    .target(
      name: "Settings",
      dependencies: [
        "Basics",
        "Graph",
        "Batching",
        "Images",
        "Runtimes",
        .product(name: "SystemPackage", package: "swift-system"),
        .product(name: "Yams", package: "Yams"),
      ],
      swiftSettings: settings
    ),
    .target(
      name: "Session",
      dependencies: [
        "Basics",
        "Watcher",
        "Graph",
        "Batching",
        "Bazel",
        "Images",
        "Runtimes",
        "Events",
        "Runner",
        "Settings",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: settings
    ),
    // A face of a run, as the commands are: it reads what the run tells, and nothing but them knows it.
    .target(
      name: "Dashboard",
      dependencies: [
        "Basics",
        "Watcher",
        "Graph",
        "Bazel",
        "Events",
        "Settings",
        "Session",
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      // The page is part of the program, which stays one file.
      resources: [.embedInCode("Page")],
      swiftSettings: settings
    ),
    .executableTarget(
      name: "watchbuild",
      dependencies: [
        "Basics",
        "Watcher",
        "Graph",
        "Batching",
        "Processes",
        "Bazel",
        "Runtimes",
        "Events",
        "Runner",
        "Settings",
        "Session",
        "Dashboard",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "SystemPackage", package: "swift-system"),
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
      ],
      swiftSettings: settings
    ),
    // What `make bench-map` measures.
    .executableTarget(
      name: "bench-map",
      dependencies: [
        "Basics",
        "Watcher",
        "Graph",
        "Processes",
        "Bazel",
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      path: "Benchmarks/map",
      exclude: ["run.py"],
      swiftSettings: settings
    ),
    // What `make bench-watch` measures.
    .executableTarget(
      name: "bench-watch",
      dependencies: [
        "Watcher",
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      path: "Benchmarks/watch",
      exclude: ["bare.c", "run"],
      swiftSettings: settings
    ),
    .target(
      name: "TestSupport",
      dependencies: [
        "Basics",
        "Graph",
        "Processes",
        "Bazel",
        "Images",
        "Runtimes",
        "Events",
        "Runner",
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      path: "Tests/TestSupport",
      swiftSettings: settings
    ),
    .testTarget(
      name: "BasicsTests",
      dependencies: [
        "Basics",
        "TestSupport",
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: settings
    ),
    .testTarget(
      name: "WatcherTests",
      dependencies: [
        "Basics",
        "Watcher",
        "TestSupport",
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      // Read where they lie.
      exclude: ["Scripts"],
      swiftSettings: settings
    ),
    .testTarget(
      name: "GraphTests",
      dependencies: [
        "Basics",
        "Watcher",
        "Graph",
        "TestSupport",
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: settings
    ),
    .testTarget(
      name: "BatchingTests",
      dependencies: [
        "Basics",
        "Watcher",
        "Graph",
        "Batching",
        "TestSupport",
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: settings
    ),
    .testTarget(
      name: "ProcessesTests",
      dependencies: [
        "Processes",
        "TestSupport",
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: settings
    ),
    .testTarget(
      name: "BazelTests",
      dependencies: [
        "Basics",
        "Graph",
        "Processes",
        "Bazel",
        "TestSupport",
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: settings
    ),
    .testTarget(
      name: "ImagesTests",
      dependencies: [
        "Graph",
        "Images",
        "TestSupport",
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: settings
    ),
    .testTarget(
      name: "RuntimesTests",
      dependencies: [
        "Basics",
        "Processes",
        "Images",
        "Runtimes",
        "TestSupport",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: settings
    ),
    .testTarget(
      name: "EventsTests",
      dependencies: [
        "Basics",
        "Bazel",
        "Events",
        "TestSupport",
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: settings
    ),
    .testTarget(
      name: "RunnerTests",
      dependencies: [
        "Basics",
        "Watcher",
        "Graph",
        "Batching",
        "Processes",
        "Bazel",
        "Images",
        "Runtimes",
        "Events",
        "Runner",
        "TestSupport",
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: settings
    ),
    .testTarget(
      name: "SettingsTests",
      dependencies: [
        "Basics",
        "Graph",
        "Batching",
        "Runtimes",
        "Settings",
        "TestSupport",
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: settings
    ),
    .testTarget(
      name: "SessionTests",
      dependencies: [
        "Basics",
        "Watcher",
        "Graph",
        "Batching",
        "Bazel",
        "Runtimes",
        "Events",
        "Runner",
        "Settings",
        "Session",
        "TestSupport",
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: settings
    ),
    .testTarget(
      name: "DashboardTests",
      dependencies: [
        "Basics",
        "Graph",
        "Batching",
        "Bazel",
        "Events",
        "Runner",
        "Settings",
        "Session",
        "Dashboard",
        "TestSupport",
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: settings
    ),
    .testTarget(
      name: "WatchbuildTests",
      dependencies: [
        "Basics",
        "Graph",
        "Batching",
        "Processes",
        "Bazel",
        "Runtimes",
        "Events",
        "Runner",
        "Settings",
        "watchbuild",
        "TestSupport",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: settings
    ),
    .testTarget(
      name: "EndToEndTests",
      dependencies: [
        "Basics",
        "Watcher",
        "Graph",
        "Processes",
        "Bazel",
        "Images",
        "Runtimes",
        "Runner",
        "Session",
        "TestSupport",
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      // Read where they lie.
      exclude: ["RuleSets"],
      swiftSettings: settings
    ),
  ],
  swiftLanguageModes: [.v6]
)
