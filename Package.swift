// swift-tools-version: 6.1
import PackageDescription

// Instruction set of the kernels: `MTDNN_TARGET=native` (this processor), `baseline` (any of the architecture),
// or a name the compiler's -march knows. On x86-64 the default is AVX2 and FMA.
#if arch(x86_64)
    let defaultInstructionSet = "x86-64-v3"
#else
    let defaultInstructionSet = "baseline"
#endif
let instructionSet = Context.environment["MTDNN_TARGET"] ?? defaultInstructionSet
let kernelFlags: [SwiftSetting] =
    instructionSet == "baseline" ? [] : [.unsafeFlags(["-Xcc", "-march=\(instructionSet)"])]

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

let package = Package(
    name: "mtdnn",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "mtdnn", targets: ["Coordinator"]),
        .executable(name: "mtdnn-worker", targets: ["Worker"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // Executables: parse arguments, call Training.
        .executableTarget(name: "Coordinator", dependencies: ["Training", "Data", "Storage", argumentParser]),
        .executableTarget(name: "Worker", dependencies: ["Training", "Communication", argumentParser]),

        // The algorithm around the model.
        .target(
            name: "Training",
            dependencies: ["Model", "Data", "Communication", "Storage", "Kernels", crypto, yams]),

        // MT-DNN; text to batches; MPI in Swift.
        .target(name: "Model", dependencies: ["Kernels"]),
        .target(name: "Data", dependencies: ["Storage", crypto, yams]),
        .target(name: "Communication", dependencies: ["CMPI"]),

        // Products, loops and random numbers, with sgemm as their measure; HDF5 and safetensors in Swift.
        .target(name: "Kernels", dependencies: ["COpenBLAS", "CProcessor", "CVector"], swiftSettings: kernelFlags),
        .target(name: "Storage", dependencies: ["CHDF5", crypto]),

        // C libraries, each wrapped once, and what a processor can do.
        .systemLibrary(name: "CProcessor"),
        .systemLibrary(name: "CVector"),
        .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
        .systemLibrary(name: "CHDF5", pkgConfig: "hdf5", providers: [.apt(["libhdf5-dev"])]),
        .systemLibrary(name: "CMPI", pkgConfig: "ompi-c", providers: [.apt(["libopenmpi-dev"])]),

        // Run under mpirun, started by JobTests.
        .executableTarget(
            name: "CommunicationSelfTest", dependencies: ["Communication"], path: "Tests/CommunicationSelfTest"),
        .executableTarget(
            name: "TrainingSelfTest",
            dependencies: ["Training", "Model", "Data", "Communication", "Storage", "Kernels", "TestSupport"],
            path: "Tests/TrainingSelfTest"),
        .executableTarget(
            name: "HostileFiles", dependencies: ["Training", "Model", "Data", "Storage", "TestSupport"],
            path: "Tests/HostileFiles", exclude: ["failing_hdf5.c"]),
        .target(name: "TestSupport", dependencies: ["Storage"], path: "Tests/TestSupport"),
        .testTarget(name: "KernelsTests", dependencies: ["Kernels", "TestSupport"]),
        .testTarget(name: "ModelTests", dependencies: ["Model", "Kernels", "Storage", "TestSupport"]),
        .testTarget(name: "DataTests", dependencies: ["Data", "Storage", "TestSupport"]),
        .testTarget(name: "StorageTests", dependencies: ["Storage", "TestSupport"]),
        .testTarget(
            name: "TrainingTests", dependencies: ["Training", "Data", "Model", "Kernels", "Storage", "TestSupport"]),
        .testTarget(
            name: "JobTests",
            dependencies: [
                "CommunicationSelfTest", "TrainingSelfTest", "HostileFiles", "Coordinator", "Worker", "Training",
                "Communication",
                "Storage", "TestSupport",
            ]),
    ],
    swiftLanguageModes: [.v6]
)
