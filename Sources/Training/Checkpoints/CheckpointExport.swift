import Foundation
import Storage

/// A checkpoint's parameters as one plain HDF5 file, each a whole dataset under its name.
public enum CheckpointExport {
    /// Writes the file.
    /// - Parameters:
    ///   - path: a checkpoint, or a run folder for its best or else newest one.
    ///   - probe: looks into the checkpoint before this process does.
    ///   - report: receives sentences that say what was chosen and done.
    public static func writeHDF5(
        to file: String, from path: String, probe: CheckpointProbe = .none, report: (String) -> Void
    ) throws {
        guard !FileManager.default.fileExists(atPath: file) else {
            throw TrainingError("\(file): exists; remove it, or give another name")
        }
        let checkpoint = try Checkpoint.find(path, probe: probe, report: report)
        try replaceFile(at: file) { temporaryPath in
            let result = try HDF5File(creating: temporaryPath)
            var created: Set<String> = []
            try checkpoint.forEachPart { shard, part in
                let dataset = "\(Shard.kinds[0])/\(part.name)"
                if created.insert(part.name).inserted {
                    try result.create(dataset, shape: part.shape, of: Float.self)
                }
                let values = try shard.read(dataset, as: Float.self)
                try values.withUnsafeBufferPointer { try result.write($0, rows: part.rows, of: dataset) }
            }
            try result.setAttribute("step", of: "/", to: Int64(checkpoint.step))
            try result.close()
        }
        report("wrote \(checkpoint.manifest.origin.parameters.count) tensors of step \(checkpoint.step) to \(file)")
    }
}
