import Foundation

/// What a finished job left.
public struct JobResult: Sendable {
    /// The exit status of `mpirun`; negative is the number of the signal that ended it.
    public let status: Int32
    /// What the ranks wrote to standard output.
    public let output: String
    /// What the ranks and `mpirun` wrote to standard error.
    public let error: String
    /// Wall time in seconds.
    public let seconds: Double
}

/// Why a job gave no result.
public struct JobError: Error, CustomStringConvertible {
    /// One sentence.
    public let description: String

    /// An error with this sentence.
    public init(description: String) { self.description = description }
}

/// Runs `mpirun` with a number of ranks of one of this package's executables, and waits for its end.
///
/// - Parameters:
///   - ranks: How many; more than cores are allowed.
///   - executable: The product's name, or a path.
///   - environment: Added to that of this process.
///   - timeout: Seconds until the job is killed and `JobError` thrown.
public func runJob(
    ranks: Int, executable: String, arguments: [String] = [], environment: [String: String] = [:],
    timeout: Double = 60
) throws -> JobResult {
    try run(
        ["mpirun", "--oversubscribe", "--bind-to", "none", "-n", "\(ranks)", try path(of: executable)] + arguments,
        "\(executable) \(arguments) on \(ranks) ranks", environment, timeout)
}

/// Runs one rank of one of this package's executables without `mpirun`, which starts sooner, and waits for its end.
public func runAlone(
    executable: String, arguments: [String] = [], environment: [String: String] = [:], timeout: Double = 60
) throws -> JobResult {
    try run([try path(of: executable)] + arguments, "\(executable) \(arguments)", environment, timeout)
}

private func path(of executable: String) throws -> String {
    let path = executable.contains("/") ? executable : productPath(executable)
    guard FileManager.default.isExecutableFile(atPath: path) else {
        throw JobError(description: "\(path) is not built")
    }
    return path
}

private func run(
    _ command: [String], _ name: String, _ environment: [String: String], _ timeout: Double
) throws -> JobResult {
    try RunningProgram(command, name: name, environment: environment).wait(timeout: timeout)
}

/// The path of one of this package's executables.
public func productPath(_ name: String) -> String { productFolder().appendingPathComponent(name).path }

/// Where the package's executables lie: beside the bundle of the tests.
private func productFolder() -> URL {
    let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? Bundle.main.bundlePath
    let url = URL(fileURLWithPath: bundle)
    // On Linux the bundle is itself the program in the build folder, and Foundation names its folder.
    return url.pathExtension == "xctest" ? url.deletingLastPathComponent() : url
}
