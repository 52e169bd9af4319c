import ArgumentParser
import Training

/// `mtdnn prepare`: a run's data in tokens, for other programs.
struct PrepareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prepare",
        abstract: "Writes a run's data as mt-dnn's preprocessed JSON lines, for mt-dnn or for `format: json_lines`.",
        discussion: "Training needs no such step: `mtdnn train` prepares what it reads.")

    @Argument(help: ArgumentHelp("The run file.", valueName: "run.yml"))
    var runFile: String

    @Option(
        name: .customLong("json-lines"),
        help: ArgumentHelp("Where TASK_SPLIT.json of each task and split go.", valueName: "folder"))
    var folder: String

    @Option(
        name: .customLong("set"), help: ArgumentHelp("Overrides a setting of the run file.", valueName: "key=value"))
    var overrides: [String] = []

    func run() throws {
        let settings = try RunSettings.load(path: runFile, overrides: overrides)
        try JSONLinesExport.write(settings, to: folder, report: StandardStream.output.say)
    }
}
