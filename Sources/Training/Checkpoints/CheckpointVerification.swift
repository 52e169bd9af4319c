import Foundation

/// A check of all sums of a checkpoint, or of all checkpoints of a run folder.
public struct CheckpointVerification {
    /// A line for each checkpoint that is whole, and one for each damaged file.
    public private(set) var lines: [String] = []
    /// Whether all are whole.
    public private(set) var isWhole = true

    private let probe: CheckpointProbe

    /// Checks the checkpoint or run folder at `path`; throws where there is none.
    /// - Parameter probe: looks into each checkpoint whose sums hold.
    public init(path: String, probe: CheckpointProbe = .none) throws {
        self.probe = probe
        let isRun = FileManager.default.fileExists(atPath: "\(path)/checkpoints")
        let paths = isRun ? try CheckpointFolder(run: path).entries().reversed().map(\.path) : [path]
        guard !paths.isEmpty, isRun || FileManager.default.fileExists(atPath: path) else {
            throw TrainingError("\(path): is neither a checkpoint nor a run folder with one")
        }
        for path in paths {
            let before = (lines, isWhole)
            check(path)
            // A run that is training removes its older checkpoints, also while they are looked at.
            if isRun, !FileManager.default.fileExists(atPath: path) { (lines, isWhole) = before }
        }
    }

    private mutating func check(_ path: String) {
        do {
            let checkpoint = try Checkpoint(path: path)
            let damage = checkpoint.manifest.damage(in: path)
            guard damage.isEmpty else {
                lines += damage
                isWhole = false
                return
            }
            try probe.require(path)
            let manifest = checkpoint.manifest
            lines.append(
                "\(path): is whole: step \(manifest.step), \(manifest.files.count + 1) files, "
                    + byteText(manifest.byteCount))
        } catch {
            lines.append("\(error)")
            isWhole = false
        }
    }
}
