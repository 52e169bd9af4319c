import ArgumentParser
import Training

/// `mtdnn export`: a checkpoint's weights for other programs.
struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Writes a checkpoint's weights for other programs.")

    @Option(
        name: .customLong("hdf5"),
        help: ArgumentHelp("One plain HDF5 file with every tensor whole.", valueName: "file"))
    var hdf5File: String

    @Argument(
        help: ArgumentHelp("A checkpoint, or a run folder for its best or else newest one.", valueName: "path"))
    var path: String

    func run() throws { try CheckpointExport.writeHDF5(to: hdf5File, from: path, probe: .ownProcess) { print($0) } }
}
