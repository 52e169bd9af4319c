import Foundation
import Storage
import Training

/// Starts one training job with mpirun and waits for its end.
struct Launcher {
    /// Number of ranks.
    var ranks: Int
    /// Threads of each rank; a core for each where there are enough.
    var threads = 1
    /// Where they run; this machine where nil.
    var hostfile: String?
    /// Seconds after which a job without progress is ended.
    var stallTimeout: Int
    /// What the worker is started with.
    var workerArguments: [String]
    /// Receives what the ranks print, where that must not be lost; they print to this program's standard output where nil.
    var printed: PrintedText?
    /// Receives what mpirun and the ranks say on standard error, and passes it on; they speak to this program's where nil.
    var errors: PassedErrors?

    /// Runs the job; returns mpirun's exit code, or 128 and the number of the signal that killed it.
    /// - Parameters:
    ///   - temporaries: where Open MPI keeps its files.
    ///   - signals: told of mpirun, so that they reach the ranks.
    func run(_ temporaries: JobTemporaries, _ signals: StopSignals) throws -> Int32 {
        let process = Process()
        let worker = try Launcher.worker().path
        process.executableURL = try Launcher.find("mpirun")
        process.arguments = ["--report-uri", temporaries.addressFile] + (try arguments(worker))
        try temporaries.create()
        process.environment = environment(temporaries, worker)
        // Nobody writes to it: its end tells the first rank that this program is gone.
        let input = Pipe()
        process.standardInput = input
        defer { do { try input.fileHandleForWriting.close() } catch {} }
        if let printed {
            process.standardOutput = printed.pipe
            printed.read()
        }
        if let errors {
            process.standardError = errors.pipe
            errors.read()
        }
        try signals.run(process)
        return process.terminationStatus + (process.terminationReason == .uncaughtSignal ? 128 : 0)
    }

    /// A sentence where this machine has fewer cores than the job would keep busy. A batch system's job may have other machines.
    var warning: String? {
        let isBatchJob = ["SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID"].contains {
            ProcessInfo.processInfo.environment[$0] != nil
        }
        guard hostfile == nil, !isBatchJob, ranks * threads > Launcher.coreCount else { return nil }
        let cores = Launcher.coreCount
        return
            "\(counted(ranks, "rank")) of \(counted(threads, "thread")) share \(counted(cores, "core")): "
            + "that is slower than a rank or a thread for each, with the same result"
    }

    private func arguments(_ worker: String) throws -> [String] {
        var arguments = ["-n", "\(ranks)"]
        let mapping = threads == 1 ? "slot" : "slot:PE=\(threads)"
        if let hostfile {
            var status = stat()
            guard stat(hostfile, &status) == 0, access(hostfile, R_OK) == 0 else {
                throw LaunchError("--hostfile \(hostfile): cannot be read: \(String(cString: strerror(errno)))")
            }
            guard status.st_mode & S_IFMT == S_IFREG, status.st_size > 0 else {
                throw LaunchError("--hostfile \(hostfile): is no file that names hosts")
            }
            arguments += ["--hostfile", hostfile, "--map-by", mapping, "--bind-to", "core"]
        } else if ranks * threads == Launcher.coreCount {
            arguments += ["--map-by", mapping, "--bind-to", "core"]
        } else {
            // mpirun binds every job's ranks from the first core on: a second job beside this one would share its cores while others idle.
            arguments += ["--oversubscribe", "--bind-to", "none"]
        }
        return arguments + ["-x", "OPENBLAS_NUM_THREADS"] + [worker] + workerArguments
    }

    /// Number of cores, to which mpirun binds; each may count as several processors.
    private static var coreCount: Int {
        let processors = ProcessInfo.processInfo.activeProcessorCount
        let siblings = (0..<processors).compactMap {
            FileManager.default.contents(atPath: "/sys/devices/system/cpu/cpu\($0)/topology/thread_siblings_list")
        }
        return siblings.count == processors ? Set(siblings).count : processors
    }

    private func environment(_ temporaries: JobTemporaries, _ worker: String) -> [String: String] {
        var environment = ProcessInfo.processInfo.environment
        environment["TMPDIR"] = temporaries.path
        environment["OPENBLAS_NUM_THREADS"] = "1"
        if getuid() == 0 {
            environment["OMPI_ALLOW_RUN_AS_ROOT"] = "1"
            environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1"
        }
        return environment.merging(parameters(worker).map { ("OMPI_MCA_\($0)", $1) }) { theirs, _ in theirs }
    }

    /// Open MPI's parameters, where the environment does not set them.
    private func parameters(_ worker: String) -> [String: String] {
        var parameters = [
            // Containers often forbid one process to read another's memory, which this transport would do.
            "btl_vader_single_copy_mechanism": "none",
            // A host out of reach is noticed before its ranks count as stalled: after that mpirun would wait for it a quarter of an hour.
            "oob_tcp_keepalive_time": "\(max(1, stallTimeout / 2))",
            "oob_tcp_keepalive_intvl": "\(max(1, stallTimeout / 20))",
            "oob_tcp_keepalive_probes": "5",
        ]
        // Daemons on other hosts are as deaf as mpirun. Open MPI takes words apart at spaces, so no path with one can be given.
        if !worker.contains(" ") { parameters["orte_launch_agent"] = "\(worker) --deaf orted" }
        return parameters
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
}

/// Why a job could not be started.
struct LaunchError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
