import ArgumentParser
import Training

/// The command that people type.
struct Coordinator: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mtdnn", abstract: "Trains MT-DNN, one BERT encoder for many tasks, over MPI ranks.",
        subcommands: [
            TrainCommand.self, DemoCommand.self, BenchCommand.self, InspectCommand.self, VerifyCommand.self,
            ExportCommand.self,
        ])
}

requireProcessor()
Coordinator.main()
