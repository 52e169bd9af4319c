import Foundation

/// Starts one training job with mpirun and waits for its end.
struct Launcher {
    /// Number of ranks.
    var ranks: Int
    /// Threads of each rank; a core for each where there are enough.
    var threads = 1
    /// Where they run; this machine where nil.
    var hostfile: String?
    /// What the worker is started with.
    var workerArguments: [String]

    /// Runs the job; returns mpirun's exit code.
    func run() throws -> Int32 {
        let process = Process()
        process.executableURL = try Launcher.find("mpirun")
        process.arguments = try arguments()
        process.environment = environment()
        process.standardInput = FileHandle.nullDevice
        let forwarding = Launcher.forwardSignals(to: process)
        defer { forwarding.forEach { $0.cancel() } }
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }

    private func arguments() throws -> [String] {
        var arguments = ["-n", "\(ranks)"]
        let mapping = threads == 1 ? "slot" : "slot:PE=\(threads)"
        if let hostfile {
            guard FileManager.default.isReadableFile(atPath: hostfile) else {
                throw LaunchError("--hostfile \(hostfile): cannot be read")
            }
            arguments += ["--hostfile", hostfile, "--map-by", mapping, "--bind-to", "core"]
        } else if ranks * threads <= ProcessInfo.processInfo.activeProcessorCount {
            arguments += ["--map-by", mapping, "--bind-to", "core"]
        } else {
            arguments += ["--oversubscribe", "--bind-to", "none"]
        }
        var passed = ["OPENBLAS_NUM_THREADS"]
        if ProcessInfo.processInfo.environment["OPENBLAS_CORETYPE"] != nil { passed.append("OPENBLAS_CORETYPE") }
        return arguments + passed.flatMap { ["-x", $0] } + [try Launcher.worker().path] + workerArguments
    }

    private func environment() -> [String: String] {
        var environment = ProcessInfo.processInfo.environment
        environment["OPENBLAS_NUM_THREADS"] = "1"
        // Containers often forbid one process to read another's memory, which this transport would do.
        if environment["OMPI_MCA_btl_vader_single_copy_mechanism"] == nil {
            environment["OMPI_MCA_btl_vader_single_copy_mechanism"] = "none"
        }
        if getuid() == 0 {
            environment["OMPI_ALLOW_RUN_AS_ROOT"] = "1"
            environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1"
        }
        return environment
    }

    /// The worker stands beside this program.
    private static func worker() throws -> URL {
        let folder = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
            .deletingLastPathComponent()
        let beside = (Bundle.main.executableURL?.deletingLastPathComponent() ?? folder)
            .appendingPathComponent("mtdnn-worker")
        guard FileManager.default.isExecutableFile(atPath: beside.path) else {
            throw LaunchError("\(beside.path): not found; build it with `swift build -c release`")
        }
        return beside
    }

    private static func find(_ program: String) throws -> URL {
        for folder in (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":") {
            let path = "\(folder)/\(program)"
            if FileManager.default.isExecutableFile(atPath: path) { return URL(fileURLWithPath: path) }
        }
        throw LaunchError("\(program) is not on the PATH; install Open MPI (Debian: openmpi-bin)")
    }

    /// Ctrl-C and the like ask all ranks, through mpirun, to finish their step and write a checkpoint; a second one ends the job at once.
    ///
    /// A child of `Process` may sit in a process group of its own, which Ctrl-C does not reach.
    private static func forwardSignals(to process: Process) -> [any DispatchSourceSignal] {
        let job = Job(process: process)
        return [SIGINT, SIGTERM, SIGHUP, SIGUSR1].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: job.queue)
            source.setEventHandler { job.stop() }
            source.resume()
            return source
        }
    }

    /// The running mpirun, told to stop from one queue only.
    private final class Job: @unchecked Sendable {
        let queue = DispatchQueue(label: "signals")
        private let process: Process
        private var wasAsked = false

        init(process: Process) { self.process = process }

        func stop() {
            guard process.isRunning else { return }
            kill(process.processIdentifier, wasAsked ? SIGTERM : SIGUSR1)
            wasAsked = true
        }
    }
}

/// Why a job could not be started.
struct LaunchError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
