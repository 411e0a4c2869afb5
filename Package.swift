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
    .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
    .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
    .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
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
    .target(
      name: "Watcher",
      dependencies: [
        "CInotifyTools",
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: settings
    ),
    .target(
      name: "Batching",
      dependencies: [
        "Watcher",
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: settings
    ),
    .target(
      name: "Runner",
      dependencies: [
        "Batching",
        "Watcher",
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "Subprocess", package: "swift-subprocess"),
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: settings
    ),
    .executableTarget(
      name: "watchbuild",
      dependencies: [
        "Batching",
        "Runner",
        "Watcher",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "SystemPackage", package: "swift-system"),
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
        .product(name: "Yams", package: "Yams"),
      ],
      swiftSettings: settings
    ),
    // What `make bench-map` measures.
    .executableTarget(
      name: "bench-map",
      dependencies: [
        "Batching",
        "Runner",
        "Watcher",
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
        "Batching",
        "Runner",
        "Watcher",
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      path: "Tests/TestSupport",
      swiftSettings: settings
    ),
    .testTarget(
      name: "WatcherTests",
      dependencies: [
        "TestSupport",
        "Watcher",
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      // Read where they lie.
      exclude: ["Scripts"],
      swiftSettings: settings
    ),
    .testTarget(
      name: "BatchingTests", dependencies: ["Batching", "TestSupport"], swiftSettings: settings),
    .testTarget(
      name: "RunnerTests", dependencies: ["Runner", "TestSupport"], swiftSettings: settings),
    .testTarget(
      name: "WatchbuildTests", dependencies: ["TestSupport", "watchbuild"], swiftSettings: settings),
    .testTarget(
      name: "EndToEndTests", dependencies: ["Runner", "TestSupport"], swiftSettings: settings),
  ],
  swiftLanguageModes: [.v6]
)
