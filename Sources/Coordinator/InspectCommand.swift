import ArgumentParser
import Training

/// `mtdnn inspect`: what is in a checkpoint or a run.
struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Prints what is in a checkpoint, or in the checkpoints of a run folder.")

    @Argument(help: ArgumentHelp("A checkpoint or a run folder.", valueName: "path"))
    var path: String

    func run() throws { try Output.standard.say(CheckpointInspection(path: path).text) }
}
