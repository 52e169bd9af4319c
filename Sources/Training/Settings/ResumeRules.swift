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
            let bound = reproducible == .perRankCount ? ["gradient_accumulation"] : []
            let free = changeable.subtracting(bound).sorted().joined(separator: ", ")
            throw TrainingError(
                "\(folder) holds a run with other settings (\(list)); use those settings, or another --folder; "
                    + "only \(free) may change, and epochs grow")
        }
    }

    /// Whether the checkpoint that a run began with may be the one that is named now: whoever moves runs, or removes checkpoints that nobody needs any
    /// more, leaves nothing at the old place. At the new one there is the same step of a run of the same name, or no checkpoint.
    private static func isMoved(from old: String?, to new: String?) throws -> Bool {
        guard let old, let new, !FileManager.default.fileExists(atPath: old) else { return false }
        let (began, named) = (CheckpointFolder.parts(of: old), CheckpointFolder.parts(of: new))
        // `ROW/seed-1` and `ROW/TASK/seed-1` are runs of a recipe: the last folder alone would be any row's.
        func name(_ run: String) -> ArraySlice<String> { (run as NSString).pathComponents.suffix(3) }
        guard name(began.run) == name(named.run) else { return false }
        return try began.step == named.step || CheckpointFolder(run: named.run).entries().isEmpty
    }

    /// Throws where the run folder holds a run that may not go on with these settings. One that failed before its first checkpoint has nothing to go on
    /// from: whoever mends its settings begins anew in the same folder.
    func requireResumableFolder() throws {
        guard let old = try contentsIfPresent(settingsPath) else { return }
        guard try !CheckpointFolder(run: folder).entries().isEmpty || isEnded() else { return }
        try requireResumable(from: try RunSettings.parse(String(decoding: old, as: UTF8.self), path: settingsPath))
    }
}
