import Foundation
import Storage

// A run goes on with the settings that it began with: others would give neither the one result nor the other.
extension RunSettings {
    /// The settings that may change when a run goes on: no weight of any step depends on them.
    static let changeableKeys: Set<String> = [
        "folder", "prepared", "checkpoint_steps", "keep_last", "keep_best", "stall_timeout", "max_restarts", "patience",
        "threads", "recompute", "gradient_accumulation",
    ]
    /// Settings that only name places: a checkpoint tells what was there, which is compared, so that a run may move.
    static let places: Set<String> = ["data", "tasks", "encoder.from", "encoder.vocab"]

    /// Throws unless a run that had the settings `old` may go on with these, and lists the differences.
    ///
    /// `epochs` may grow, unless the shares of tasks depend on their number. The schedule of the learning rate is then that of the longer run, from
    /// the step on where the run goes on.
    func requireResumable(from old: RunSettings) throws {
        let changeable = RunSettings.changeableKeys.union(RunSettings.places)
        let refused = try changes(since: old).filter { change in
            let isNew = change.before == "none" || change.after == "none"
            // One slice for each part of each rank: then the bits depend on both.
            let isBound = change.key == "gradient_accumulation" && reproducible == .perRankCount
            let mayChange = changeable.contains(change.key) && !isNew && !isBound
            let isLonger = change.key == "epochs" && epochs > old.epochs && sampler.kind != .annealed
            let isMoved =
                try change.key == "initialize.checkpoint"
                && RunSettings.isMoved(from: old.initialize?.checkpoint, to: initialize?.checkpoint)
            return !mayChange && !isLonger && !isMoved
        }
        guard refused.isEmpty else {
            let list = refused.map { "\($0.key): \($0.before) -> \($0.after)" }.joined(separator: "; ")
            let free = changeable.sorted().joined(separator: ", ")
            throw TrainingError(
                "\(folder) holds a run with other settings (\(list)); use those settings, or another --folder; "
                    + "only \(free) may change, and epochs grow")
        }
    }

    /// Whether the checkpoint that a run began with may be the one that is named now: whoever moves runs or removes checkpoints that nobody needs any
    /// more leaves nothing at the old place, and at the new one the same step or no checkpoint.
    private static func isMoved(from old: String?, to new: String?) throws -> Bool {
        guard let old, let new, !FileManager.default.fileExists(atPath: old) else { return false }
        let (oldName, newName) = ((old as NSString).lastPathComponent, (new as NSString).lastPathComponent)
        if oldName == newName { return true }
        return try CheckpointFolder.step(ofName: newName) == nil && CheckpointFolder(run: new).entries().isEmpty
    }

    /// Throws where the run folder holds a run that may not go on with these settings. One that failed before its first checkpoint has nothing to go on
    /// from: whoever mends its settings begins anew in the same folder.
    func requireResumableFolder() throws {
        guard let old = try contentsIfPresent(settingsPath) else { return }
        guard try !CheckpointFolder(run: folder).entries().isEmpty || isEnded() else { return }
        try requireResumable(from: try RunSettings.parse(String(decoding: old, as: UTF8.self), path: settingsPath))
    }

    /// What the run folder's log says so far.
    func history() throws -> RunHistory { try RunHistory(path: logPath) }

    /// Whether the run folder holds a run with these settings that is at its end; throws where it holds one with others.
    public func isFinished() throws -> Bool {
        guard let old = try contentsIfPresent(settingsPath) else { return false }
        try requireResumableFolder()
        let begun = try RunSettings.parse(String(decoding: old, as: UTF8.self), path: settingsPath)
        return try begun.epochs == epochs && begun.patience == patience && isEnded()
    }

    /// Whether the run folder's log says that its run came to an end, whatever its settings. A job that was killed early may have no log yet.
    func isEnded() throws -> Bool { try FileManager.default.fileExists(atPath: logPath) && history().isEnded }

    private var logPath: String { "\(folder)/metrics.jsonl" }

    /// Where the run folder keeps the settings in effect.
    var settingsPath: String { "\(folder)/run.yml" }
}
