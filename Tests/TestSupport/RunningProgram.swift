import Foundation

/// A program that runs, with what it has written so far.
public final class RunningProgram {
    private let process = Process()
    private let name: String
    private let output: Collector
    private let error: Collector
    private let start = Date()

    /// Starts `command`, whose first word is a path or a name on the `PATH`.
    /// - Parameters:
    ///   - name: what an error calls it; the command unless given.
    ///   - environment: added to that of this process.
    public init(_ command: [String], name: String? = nil, environment: [String: String] = [:]) throws {
        self.name = name ?? "\(command)"
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = command
        process.environment = ProcessInfo.processInfo.environment
            .merging(jobEnvironment) { $1 }.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        let (output, error) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = error
        try process.run()
        // A full pipe would stop the program, so both are emptied while it runs.
        self.output = Collector(output.fileHandleForReading)
        self.error = Collector(error.fileHandleForReading)
    }

    /// Its process, which leads a process group.
    public var processIdentifier: Int32 { process.processIdentifier }

    /// Whether it runs.
    public var isRunning: Bool { process.isRunning }

    /// Waits for its end.
    /// - Parameter timeout: Seconds until it is killed and `JobError` thrown.
    public func wait(timeout: Double) throws -> JobResult {
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
                    + [output, error].map { $0.text(within: 1) }.joined(separator: "\n"))
        }
        let status = process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
        return JobResult(
            status: status, output: output.text(within: 5), error: error.text(within: 5),
            seconds: Date().timeIntervalSince(start))
    }
}

private let jobEnvironment = [
    // Containers run tests as root and forbid reading another process's memory.
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_btl_vader_single_copy_mechanism": "none",
    "OPENBLAS_NUM_THREADS": "1",
]

/// Reads a pipe to its end on a thread of its own.
private final class Collector: @unchecked Sendable {  // `data` is read only after `done`
    private var data = Data()
    private let done = DispatchSemaphore(value: 0)

    init(_ handle: FileHandle) {
        Thread.detachNewThread { [self] in
            data = handle.readDataToEndOfFile()
            // Foundation keeps what a finished process had, and reads beyond a buffer where a program has a thousand files open.
            do { try handle.close() } catch { preconditionFailure("a pipe cannot be closed: \(error)") }
            done.signal()
        }
    }

    /// What was read; says so if the pipe is still held open after some seconds.
    func text(within seconds: Double) -> String {
        guard done.wait(timeout: .now() + seconds) == .success else { return "(output not closed)" }
        return String(decoding: data, as: UTF8.self)
    }
}
