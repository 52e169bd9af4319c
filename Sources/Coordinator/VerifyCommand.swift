import ArgumentParser
import Training

/// `mtdnn verify`: checks every checksum again.
struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Checks every checksum of a checkpoint, or of all of a run folder; names what is damaged.")

    @Argument(help: ArgumentHelp("A checkpoint or a run folder.", valueName: "path"))
    var path: String

    func run() throws {
        let verification = try CheckpointVerification(path: path, probe: .ownProcess)
        try Output.standard.say(verification.lines.joined(separator: "\n"))
        if !verification.isWhole { throw ExitCode.failure }
    }
}
