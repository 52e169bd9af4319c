import Foundation
import Storage

/// What makes shards that are on the disk a checkpoint: the first rank's work, on a thread of its own.
struct CheckpointCommit: Sendable {
    let folder: CheckpointFolder
    let view: ShardView
    let origin: Manifest.Origin
    let keepLast: Int
    let keepBest: Bool
    /// Brings the run's other files to the disk up to the checkpoint's step.
    let synchronizeRun: @Sendable () throws -> Void

    /// Writes view and manifest, waits for the disk, renames the folder, and waits for that; then removes what is not to be kept.
    /// - Returns: a sentence where an old checkpoint could not be removed.
    func make(step: Int, score: Double?, shards: [Manifest.File]) throws -> String? {
        let (partial, whole) = (folder.partialPath(step: step), folder.path(step: step))
        let viewPath = "\(partial)/\(ShardView.fileName)"
        try view.write(to: viewPath)
        let manifest = Manifest(
            step: step, score: score, rankCount: shards.count, origin: origin,
            files: shards + [try Manifest.describe(viewPath)])
        let manifestPath = "\(partial)/\(Manifest.name)"
        do {
            try manifest.encoded().write(to: URL(fileURLWithPath: manifestPath))
        } catch {
            throw TrainingError("\(manifestPath): cannot be written: \(systemReason(error))")
        }
        try synchronize(manifestPath)
        try synchronize(partial)
        try synchronizeRun()
        guard rename(partial, whole) == 0 else {
            throw TrainingError("\(whole): cannot be made of \(partial): \(String(cString: strerror(errno)))")
        }
        try synchronize(folder.path)
        // The folder of all checkpoints may itself be new.
        try synchronize(folder.run)
        do {
            try folder.prune(keepLast: keepLast, keepBest: keepBest)
            return nil
        } catch {
            return "an old checkpoint could not be removed: \(error)"
        }
    }
}
