// swift-tools-version: 6.1
import PackageDescription

// The part of the package that `scripts/mutate.sh` builds again and again: Kernels and Model with their tests, without any
// dependency, so that a mutant is built in seconds.

let kernelFlags: [SwiftSetting] = {
    #if arch(x86_64)
        return [.unsafeFlags(["-Xcc", "-march=x86-64-v3"])]
    #else
        return []
    #endif
}()

let package = Package(
    name: "mutants",
    platforms: [.macOS(.v15)],
    targets: [
        .target(name: "Model", dependencies: ["Kernels"]),
        .target(name: "Kernels", dependencies: ["COpenBLAS", "CProcessor", "CVector"], swiftSettings: kernelFlags),
        .target(
            name: "Storage",
            sources: [
                "JSONScanner.swift", "MappedFile.swift", "SafeTensors.swift", "SafeTensorsHeader.swift",
                "StorageError.swift",
            ]),
        .systemLibrary(name: "CProcessor"),
        .systemLibrary(name: "CVector"),
        .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
        .target(name: "TestSupport", dependencies: ["Storage"], path: "Tests/TestSupport"),
        .testTarget(name: "KernelsTests", dependencies: ["Kernels", "TestSupport"]),
        .testTarget(name: "ModelTests", dependencies: ["Model", "Kernels", "Storage", "TestSupport"]),
    ],
    swiftLanguageModes: [.v6]
)
