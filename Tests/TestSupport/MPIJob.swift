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
        ["mpirun", "--oversubscribe", "--map-by", "slot", "-n", "\(ranks)", try path(of: executable)] + arguments,
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
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = command
    process.environment = ProcessInfo.processInfo.environment
        .merging(jobEnvironment) { $1 }.merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    let output = Pipe()
    let error = Pipe()
    process.standardOutput = output
    process.standardError = error

    let start = Date()
    try process.run()
    // A full pipe would stop the job, so both are emptied while it runs.
    let collected = [output, error].map { Collector($0.fileHandleForReading) }
    let deadline = start + timeout
    while process.isRunning, Date() < deadline { Thread.sleep(forTimeInterval: 0.01) }
    if process.isRunning {
        // mpirun passes SIGTERM on to its ranks and needs a moment for it.
        process.terminate()
        let lastMoment = Date() + 5
        while process.isRunning, Date() < lastMoment { Thread.sleep(forTimeInterval: 0.01) }
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        throw JobError(
            description: "\(name) did not end in \(timeout) s: "
                + collected.map { $0.text(within: 1) }.joined(separator: "\n"))
    }
    let status = process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
    return JobResult(
        status: status, output: collected[0].text(within: 5), error: collected[1].text(within: 5),
        seconds: Date().timeIntervalSince(start))
}

private let jobEnvironment = [
    // Containers run tests as root and forbid reading another process's memory.
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_btl_vader_single_copy_mechanism": "none",
    "OPENBLAS_NUM_THREADS": "1",
]

/// The path of one of this package's executables.
public func productPath(_ name: String) -> String { productFolder().appendingPathComponent(name).path }

/// Where the package's executables lie: beside the bundle of the tests.
private func productFolder() -> URL {
    let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? Bundle.main.bundlePath
    let url = URL(fileURLWithPath: bundle)
    // On Linux the bundle is itself the program in the build folder, and Foundation names its folder.
    return url.pathExtension == "xctest" ? url.deletingLastPathComponent() : url
}

/// Reads a pipe to its end on a thread of its own.
private final class Collector: @unchecked Sendable {  // `data` is read only after `done`
    private var data = Data()
    private let done = DispatchSemaphore(value: 0)

    init(_ handle: FileHandle) {
        Thread.detachNewThread { [self] in
            data = handle.readDataToEndOfFile()
            done.signal()
        }
    }

    /// What was read; says so if the pipe is still held open after some seconds.
    func text(within seconds: Double) -> String {
        guard done.wait(timeout: .now() + seconds) == .success else { return "(output not closed)" }
        return String(decoding: data, as: UTF8.self)
    }
}
