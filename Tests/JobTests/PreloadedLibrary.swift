import Foundation
import Testing

/// C libraries that tests load into programs before all others, to watch or to disturb them.
enum PreloadedLibrary {
    /// Where the compiler is; nil where there is none.
    static let compiler: String? = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        .map { "\($0)/cc" }.first { FileManager.default.isExecutableFile(atPath: $0) }

    /// Compiles a source below `Tests` into a library in `folder`; gives the library's path.
    static func compile(_ source: String, into folder: String) throws -> String {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let path = tests.appendingPathComponent(source)
        let library = "\(folder)/lib\(path.deletingPathExtension().lastPathComponent).so"
        if FileManager.default.fileExists(atPath: library) { return library }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(compiler))
        process.arguments = ["-shared", "-fPIC", "-O1", "-o", library, path.path, "-ldl"]
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        return library
    }
}
