import ArgumentParser
import Foundation
import Training

/// The command that people type.
struct Coordinator: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mtdnn", abstract: "Trains MT-DNN, one BERT encoder for many tasks, over MPI ranks.",
        subcommands: [
            TrainCommand.self, DemoCommand.self, BenchCommand.self, InspectCommand.self, VerifyCommand.self,
            ExportCommand.self, PredictCommand.self, PrepareCommand.self, EmbedCommand.self, SweepCommand.self,
            CompareCommand.self, VocabularyCommand.self,
        ])
}

StandardStream.fillPlaces()
CheckpointProbe.answerIfAsked()
requireProcessor()
do {
    var command = try Coordinator.parseAsRoot()
    try command.run()
} catch let error where error is ExitCode || JobExit.code(of: error) == 1 {
    Coordinator.exit(withError: error)
} catch {
    StandardStream.error.say("Error: \(error)")
    exit(JobExit.code(of: error))
}
