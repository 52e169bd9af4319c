import ArgumentParser
import Foundation
import Training

/// `mtdnn train`: prepares, starts the ranks, shows progress, prints the scores beside baselines.
struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train", abstract: "Trains the tasks of a run file on as many ranks as you say.")

    @Argument(help: ArgumentHelp("The run file.", valueName: "run.yml"))
    var runFile: String

    @OptionGroup var job: JobOptions

    @Option(help: "The run folder (default: the run file's path without its extension).")
    var folder: String?

    @Option(
        name: .customLong("set"), help: ArgumentHelp("Overrides a setting of the run file.", valueName: "key=value"))
    var overrides: [String] = []

    func run() throws {
        let overrides = overrides + job.overrides + (folder.map { ["folder=\(yamlText($0))"] } ?? [])
        let settings = try RunSettings.load(path: runFile, overrides: overrides)
        try job.train(settings, arguments: [runFile] + overrides.flatMap { ["--set", $0] })
        // The baselines of large tasks take their time, and there is nothing to save any more.
        StopSignals.ofProgram.letGo()
        try Output.standard.say(
            ScoreTable(settings, baselines: [.majority, .wordOverlap, .untrainedEncoder]).text)
    }
}

/// How a job is started.
struct JobOptions: ParsableArguments {
    @Option(help: "Number of MPI ranks.")
    var ranks = 1

    @Option(help: "Threads inside each rank (default: as the run file says, or 1).")
    var threads: Int?

    @Option(help: "Hosts to start the ranks on, as mpirun reads them (default: the batch job's, or this machine).")
    var hostfile: String?

    func validate() throws {
        if let threads { try ThreadOption.check(threads) }
        if ranks < 1 { throw ValidationError("--ranks must be at least 1, not \(ranks).") }
    }

    /// Settings that the options stand for.
    var overrides: [String] { threads.map { ["threads=\($0)"] } ?? [] }

    /// Trains, or throws where the job did not end well.
    /// - Parameter startsAfresh: whether what an earlier run left in the run folder is removed before.
    func train(_ settings: RunSettings, arguments: [String], startsAfresh: Bool = false) throws {
        let progress = isatty(STDERR_FILENO) == 1 ? "live" : "lines"
        let launcher = try launcher(settings, arguments + ["--progress", progress])
        if let warning = launcher.warning { Supervisor.say(warning) }
        let code = try Supervisor(launcher: launcher, settings: settings).run {
            if startsAfresh { try RunLock.removeAllElse(in: settings.folder) }
        }
        if code != 0 { throw ExitCode(code) }
    }

    /// Runs the worker with `arguments` on all ranks, once and without a run folder, and says what they print; throws where the job did not end well.
    func start(_ settings: RunSettings, arguments: [String]) throws {
        let temporaries = JobTemporaries()
        let outcome = JobOutcome(folder: temporaries.path, job: temporaries.job)
        let printed = PrintedText()
        var launcher = try launcher(settings, arguments + ["--outcome", outcome.path])
        launcher.printed = printed
        let code = try outcome.take(status: launcher.run(temporaries, .ofProgram)).code
        try temporaries.remove()
        try Output.standard.write(printed.text())
        if code != 0 { throw ExitCode(code) }
    }

    private func launcher(_ settings: RunSettings, _ arguments: [String]) throws -> Launcher {
        _ = try settings.sliceCount(ranks: ranks)
        return Launcher(
            ranks: ranks, threads: settings.threads, hostfile: hostfile, stallTimeout: settings.stallTimeout,
            workerArguments: arguments)
    }
}
