import ArgumentParser
import Data
import Training

/// `mtdnn demo`: a suite of four small tasks that the program makes itself, trained from scratch on two ranks.
struct DemoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "Makes four small tasks, trains them together from scratch, prints their scores."
    )

    @Option(help: "Number of MPI ranks.")
    var ranks = 2

    @Option(help: "Where the suite and the run go.")
    var folder = "runs/demo"

    @Option(help: "Seed of the suite.")
    var seed: UInt64 = 2018

    func run() throws {
        guard DemoSuite.mayWrite(to: folder) else {
            throw LaunchError(
                "--folder \(folder): holds something else than a demo, or one whose settings were changed; name a new folder"
            )
        }
        try DemoSuite.write(to: folder, seed: seed)
        let runFile = "\(folder)/run.yml"
        let overrides = ["folder=\(yamlText("\(folder)/run"))"]
        let settings = try RunSettings.load(path: runFile, overrides: overrides)
        var job = JobOptions()
        job.ranks = ranks
        job.threads = nil
        job.hostfile = nil
        try job.validate()
        // The demo's own run of an earlier call would be gone on with, and is finished.
        try job.train(
            settings, arguments: [runFile] + overrides.flatMap { ["--set", $0] }, startsAfresh: true)
        try Output.standard.say(ScoreTable(settings, baselines: [.majority, .bagOfWords]).text)
    }
}
