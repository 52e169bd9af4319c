import ArgumentParser
import Foundation
import Training

/// `mtdnn bench`: times the steps of a run file and writes nothing.
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Times the first steps of a run file, without leaving a run behind.",
        discussion: "Token files are prepared where they are not there yet; nothing else is written.")

    @Argument(help: ArgumentHelp("The run file.", valueName: "run.yml"))
    var runFile: String

    @OptionGroup var job: JobOptions

    @Option(help: "Steps to time, after two that are not.")
    var steps = 24

    @Flag(help: "Print one line of JSON, with the rows of each batch.")
    var json = false

    @Option(
        name: .customLong("set"), help: ArgumentHelp("Overrides a setting of the run file.", valueName: "key=value"))
    var overrides: [String] = []

    func validate() throws {
        if steps < 1 { throw ValidationError("--steps must be at least 1, not \(steps).") }
    }

    func run() throws {
        let overrides = overrides + job.overrides
        let settings = try RunSettings.load(path: runFile, overrides: overrides)
        let arguments = [runFile] + overrides.flatMap { ["--set", $0] } + ["--bench", "\(steps)"]
        try job.start(settings, arguments: arguments + (json ? ["--json"] : []))
    }
}
