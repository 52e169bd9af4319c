import ArgumentParser
import Communication
import Foundation
import Training

/// One rank of a training job: `mpirun -n N mtdnn-worker RUN.yml` is a complete one.
struct Worker: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mtdnn-worker",
        abstract: "One rank of a training job; mpirun starts as many as there are.")

    @Argument(help: ArgumentHelp("The run file.", valueName: "run.yml"))
    var runFile: String

    @Option(
        name: .customLong("set"), help: ArgumentHelp("Overrides a setting of the run file.", valueName: "key=value"))
    var overrides: [String] = []

    @Option(help: "How progress is shown: live, lines or none.")
    var progress = "lines"

    @Option(
        help: ArgumentHelp(
            "Started by mtdnn, which reads here how the job ended, and holds the lock of a run folder.",
            visibility: .hidden))
    var outcome: String?

    @Option(help: ArgumentHelp("Times so many steps and writes nothing, instead of training.", valueName: "steps"))
    var bench: Int?

    @Flag(help: "With --bench: prints one line of JSON.")
    var json = false

    func validate() throws {
        if json, bench == nil { throw ValidationError("--json belongs to --bench.") }
    }

    func run() throws {
        let outcome = outcome.map(JobOutcome.init(path:))
        func ending(_ code: Int32, isFirst: Bool) -> Int32 { outcome?.leave(code, isFirst: isFirst) ?? code }
        StopRequest.listen()
        if let bench {
            return try withMPI(exitCode: JobExit.code, ending: ending) { world throws in
                let benchmark = try world.agree {
                    try Benchmark(RunSettings.load(path: runFile, overrides: overrides), world: world, steps: bench)
                }
                try benchmark.run(asJSON: json)
            }
        }
        let (code, isFirst) = try withMPI(exitCode: JobExit.code, ending: ending) { world throws in
            if world.rank == 0 { outcome?.begin() }
            let run = try world.agree {
                let settings = try RunSettings.load(path: runFile, overrides: overrides)
                return try TrainingRun(settings, world: world, progress: progress, isSupervised: outcome != nil)
            }
            return (try run.run().exitCode, world.rank == 0)
        }
        let status = ending(code, isFirst: isFirst)
        if status != 0 { throw ExitCode(status) }
    }
}

StandardStream.fillPlaces()
CheckpointProbe.answerIfAsked()
becomeDeafProgramIfAsked()
requireProcessor()
Worker.main()
