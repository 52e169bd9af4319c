import ArgumentParser
import Training

/// `mtdnn export`: a checkpoint's weights for other programs.
struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Writes a checkpoint's weights for other programs.")

    @Option(
        name: .customLong("hdf5"),
        help: ArgumentHelp("One plain HDF5 file with every tensor whole.", valueName: "file"))
    var hdf5File: String?

    @Option(help: ArgumentHelp("A folder that Hugging Face's transformers load.", valueName: "folder"))
    var huggingFace: String?

    @Option(help: "With --hugging-face: the task whose head is written too (default: the encoder alone).")
    var task: String?

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp("With --hugging-face: where the vocabulary lies now.", valueName: "key=value"))
    var overrides: [String] = []

    @Argument(
        help: ArgumentHelp("A checkpoint, or a run folder for its best or else newest one.", valueName: "path"))
    var path: String

    func validate() throws {
        guard (hdf5File == nil) != (huggingFace == nil) else {
            throw ValidationError("Name one of --hdf5 and --hugging-face.")
        }
        if huggingFace == nil, task != nil || !overrides.isEmpty {
            throw ValidationError("--task and --set belong to --hugging-face; --hdf5 writes all tensors as they are.")
        }
    }

    func run() throws {
        let report = StandardStream.output.say
        if let hdf5File {
            try CheckpointExport.writeHDF5(to: hdf5File, from: path, probe: .ownProcess, report: report)
        }
        if let huggingFace {
            let export = try HuggingFaceExport(
                path, task: task, overrides: overrides, probe: .ownProcess, report: report)
            try export.write(to: huggingFace, report: report)
        }
    }
}
