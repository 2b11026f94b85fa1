// swift-tools-version: 6.1
import PackageDescription

/// libtorch, as `make bootstrap` links it: the `torch` folder of the Python wheel.
let torch = Context.packageDirectory + "/.deps/torch"

/// Every Swift target is built in Swift 6 mode; an `import` leaks only where it says `public`.
///
/// One release build serves tests and use, so our modules are open to `@testable`. Said here and not on the command line: there it would hold for
/// the packages we depend on, too, and double the time that they take to compile.
let strict: [SwiftSetting] = [
    .unsafeFlags(["-enable-testing"]),
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// SwiftPM has no other way to name a header or library folder that pkg-config does not know, nor a run path.
let torchLinking: [LinkerSetting] = [
    .unsafeFlags(["-L\(torch)/lib", "-Xlinker", "-rpath", "-Xlinker", "\(torch)/lib"]),
    .linkedLibrary("torch_cpu"),
    .linkedLibrary("c10"),
]

let package = Package(
    name: "StyleFinder",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "stylefinder", targets: ["stylefinder"]),
        // For programs that talk to a server.
        .library(name: "StyleFinderClient", targets: ["StyleFinderClient"]),
    ],
    // Past one machine, for who has one of these: what it needs takes ten minutes to compile, and without it nothing of it is.
    traits: [.trait(name: "Milvus", description: "Search in a Milvus: `swift build --traits Milvus`.")],
    dependencies: [
        .package(url: "https://github.com/apple/swift-algorithms", from: "1.2.1"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/grpc/grpc-swift-2", from: "2.4.3"),
        .package(url: "https://github.com/grpc/grpc-swift-nio-transport", from: "2.9.2"),
        .package(url: "https://github.com/grpc/grpc-swift-protobuf", from: "2.4.1"),
        // Without its support for swift-configuration, another module to compile.
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: ["FullFoundation"]),
    ],
    targets: [
        // Above the torch line: nothing here touches a tensor.
        .target(
            name: "CImaging",
            linkerSettings: ["jpeg", "png", "webp", "webpdemux", "z"].map { .linkedLibrary($0) }
        ),
        .target(name: "Imaging", dependencies: ["CImaging"], swiftSettings: strict),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
        .target(name: "TensorFiles", dependencies: ["CZlib"], swiftSettings: strict),
        .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"]), .brew(["openssl"])]),
        .target(name: "Hashing", dependencies: ["CCrypto"], swiftSettings: strict),
        // libcurl and not Foundation's client, which on Linux is libcurl too and does not wait for a slow disk.
        .systemLibrary(
            name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"]), .brew(["curl"])]),
        .target(name: "Hub", dependencies: ["CCurl", "Hashing"], swiftSettings: strict),
        .target(name: "CStart"),
        .systemLibrary(name: "CStemmer", providers: [.apt(["libstemmer-dev"]), .brew(["snowball"])]),
        .target(
            name: "Catalog",
            dependencies: [
                "CStemmer", "Hashing", .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "BitCollections", package: "swift-collections"),
            ],
            swiftSettings: strict
        ),
        .target(name: "CVector"),
        .target(
            name: "Retrieval",
            dependencies: [
                "CVector", "TensorFiles", "Hashing", .product(name: "BitCollections", package: "swift-collections"),
            ],
            swiftSettings: strict),
        // Everything in it stands behind the trait: a plain build finds it empty.
        .target(
            name: "Milvus",
            dependencies: [
                "Retrieval",
                .product(name: "BitCollections", package: "swift-collections", condition: .when(traits: ["Milvus"])),
                .product(name: "GRPCCore", package: "grpc-swift-2", condition: .when(traits: ["Milvus"])),
                .product(
                    name: "GRPCNIOTransportHTTP2Posix", package: "grpc-swift-nio-transport", condition: .when(traits: ["Milvus"])),
                .product(name: "GRPCProtobuf", package: "grpc-swift-protobuf", condition: .when(traits: ["Milvus"])),
                .product(name: "SwiftProtobuf", package: "swift-protobuf", condition: .when(traits: ["Milvus"])),
            ],
            // How the generated code is made is written in the first.
            exclude: ["Wire/milvus.proto", "Wire/generate.sh"],
            swiftSettings: strict),
        .target(
            name: "Search",
            dependencies: [
                "Imaging", "Catalog", "Retrieval", .product(name: "BitCollections", package: "swift-collections"),
                .product(name: "DequeModule", package: "swift-collections"),
            ],
            swiftSettings: strict),
        .systemLibrary(name: "CCairo", pkgConfig: "cairo", providers: [.apt(["libcairo2-dev"]), .brew(["cairo"])]),
        .target(name: "Atelier", dependencies: ["Imaging", "CCairo"], swiftSettings: strict),
        .target(name: "Report", dependencies: ["Retrieval", "Imaging", "CCairo"], swiftSettings: strict),
        .target(
            name: "API",
            dependencies: [
                "Search", "Catalog", "Imaging",
                .product(name: "Hummingbird", package: "hummingbird"), .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"), .product(name: "CoreMetrics", package: "swift-metrics"),
            ],
            // In the program itself, so that it can lie anywhere.
            resources: [.embedInCode("openapi.json")],
            swiftSettings: strict),

        // Knows the API and nothing of ours.
        .target(name: "StyleFinderClient", swiftSettings: strict),

        .target(
            name: "Tokenizers", dependencies: ["CZlib", "Hashing", .product(name: "Algorithms", package: "swift-algorithms")],
            swiftSettings: strict),

        // Below the torch line.
        .target(name: "CInt8"),
        .target(
            name: "CTorch",
            dependencies: ["CInt8"],
            // The compiler of C++ has no module of CInt8 built: under its name the header is read as text.
            cxxSettings: [.unsafeFlags(["-isystem", "\(torch)/include", "-fmodule-name=CInt8"])],
            linkerSettings: torchLinking
        ),
        .target(name: "Torch", dependencies: ["CTorch", "TensorFiles"], swiftSettings: strict),
        .target(
            name: "CLIP", dependencies: ["Torch", "Tokenizers", "Imaging", "TensorFiles", "Hashing"], swiftSettings: strict),
        .target(name: "Evaluation", dependencies: ["CLIP", "Imaging", "Catalog", "Retrieval"], swiftSettings: strict),
        .target(
            name: "Training",
            dependencies: [
                "Evaluation", "CLIP", "Tokenizers", "Torch", "Imaging", "Catalog", "Retrieval", "TensorFiles", "Hashing",
                .product(name: "DequeModule", package: "swift-collections"),
            ],
            swiftSettings: strict),
        .target(
            name: "Inference",
            dependencies: [
                "CLIP", "Search", "Imaging", "Catalog", "Retrieval",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "stylefinder",
            dependencies: [
                "CStart", "Imaging", "TensorFiles", "Catalog", "Retrieval", "Search", "Atelier", "Report", "API", "Hub", "Torch",
                "Tokenizers", "CLIP",
                "Evaluation", "Training", "Inference",
                .target(name: "Milvus", condition: .when(traits: ["Milvus"])),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "Logging", package: "swift-log"), .product(name: "CoreMetrics", package: "swift-metrics"),
            ],
            swiftSettings: strict
        ),

        // Programs that measure; Benchmarks/*.py run them beside their peers.
        .executableTarget(
            name: "ImagingBenchmark", dependencies: ["Imaging"], path: "Benchmarks/Sources/ImagingBenchmark",
            swiftSettings: strict),
        .executableTarget(
            name: "SearchBenchmark",
            dependencies: ["Retrieval", "Search", "Catalog", "Imaging", .product(name: "GRDB", package: "GRDB.swift")],
            path: "Benchmarks/Sources/SearchBenchmark",
            swiftSettings: strict),
        .executableTarget(
            name: "CatalogBenchmark",
            dependencies: [
                "Catalog", .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "BitCollections", package: "swift-collections"),
            ],
            path: "Benchmarks/Sources/CatalogBenchmark", swiftSettings: strict),
        .executableTarget(
            name: "EncoderBenchmark", dependencies: ["CLIP", "Torch"], path: "Benchmarks/Sources/EncoderBenchmark",
            swiftSettings: strict),
        .executableTarget(
            name: "DeviceBenchmark", dependencies: ["Training", "CLIP", "Torch", "Imaging", "Catalog", "Retrieval"],
            path: "Benchmarks/Sources/DeviceBenchmark", swiftSettings: strict),
        .executableTarget(
            name: "TrainingBenchmark", dependencies: ["Training", "CLIP", "Torch"], path: "Benchmarks/Sources/TrainingBenchmark",
            swiftSettings: strict),

        // Tests: one target per module.
        // A hub on this machine, with every trouble that one can give.
        .target(name: "LocalHub", path: "Tests/LocalHub", exclude: ["hub.py"], swiftSettings: strict),
        .testTarget(name: "HubTests", dependencies: ["Hub", "LocalHub", "Hashing"], swiftSettings: strict),
        .testTarget(
            name: "ImagingTests", dependencies: ["Imaging", "CImaging", "Hashing"],
            exclude: ["Fixtures"],
            swiftSettings: strict),
        .testTarget(name: "TensorFilesTests", dependencies: ["TensorFiles"], exclude: ["Fixtures"], swiftSettings: strict),
        .testTarget(
            name: "CatalogTests",
            dependencies: [
                "Catalog", "ImportVictim", .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "BitCollections", package: "swift-collections"),
            ],
            swiftSettings: strict),
        // An import that the tests kill.
        .executableTarget(name: "ImportVictim", dependencies: ["Catalog"], path: "Tests/ImportVictim", swiftSettings: strict),
        .testTarget(name: "CVectorTests", dependencies: ["CVector"], swiftSettings: strict),
        .testTarget(name: "CInt8Tests", dependencies: ["CInt8"], swiftSettings: strict),
        .testTarget(
            name: "RetrievalTests",
            dependencies: [
                "Retrieval", "CVector", "TensorFiles", .product(name: "BitCollections", package: "swift-collections"),
            ],
            exclude: ["Fixtures"], swiftSettings: strict),
        .testTarget(
            name: "MilvusTests",
            dependencies: [
                "Milvus", "Retrieval", "Catalog", "Search",
                .product(name: "BitCollections", package: "swift-collections"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf", condition: .when(traits: ["Milvus"])),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "SearchTests",
            dependencies: ["Search", "Catalog", "Retrieval", "Imaging", .product(name: "GRDB", package: "GRDB.swift")],
            swiftSettings: strict),
        .testTarget(name: "AtelierTests", dependencies: ["Atelier", "Catalog", "Imaging"], swiftSettings: strict),
        .testTarget(
            name: "APITests",
            dependencies: [
                "API", "Search", "Catalog", "Imaging", .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
            ],
            swiftSettings: strict),
        .testTarget(name: "ReportTests", dependencies: ["Report", "Retrieval", "Imaging"], swiftSettings: strict),
        .testTarget(name: "TorchTests", dependencies: ["Torch", "CTorch", "TensorFiles"], swiftSettings: strict),
        .testTarget(
            name: "TokenizersTests", dependencies: ["Tokenizers"], exclude: ["Fixtures"], swiftSettings: strict),
        .testTarget(
            name: "CLIPTests", dependencies: ["CLIP", "Tokenizers", "Torch", "TensorFiles", "Imaging"], exclude: ["Fixtures"],
            swiftSettings: strict),
        .testTarget(
            name: "EvaluationTests", dependencies: ["Evaluation", "CLIP", "Catalog", "Retrieval", "Imaging"],
            swiftSettings: strict),
        .testTarget(
            name: "TrainingTests",
            dependencies: ["Training", "CLIP", "Tokenizers", "Torch", "TensorFiles", "Catalog", "Retrieval", "Imaging"],
            exclude: ["Fixtures"], swiftSettings: strict),
        .testTarget(
            name: "InferenceTests", dependencies: ["Inference", "CLIP", "Search", "Catalog", "Imaging", "Retrieval"],
            swiftSettings: strict),
        .testTarget(
            name: "CommandTests",
            dependencies: [
                "stylefinder", "StyleFinderClient", "CLIP", "Imaging", "TensorFiles", "Catalog", "Retrieval", "Search",
                "LocalHub",
            ],
            swiftSettings: strict),
    ],
    cxxLanguageStandard: .cxx20
)
