import Foundation

// A run goes on with the settings that it began with: others would give neither the one result nor the other.
extension RunSettings {
    /// The settings that may change when a run goes on: no weight depends on them, or they only name places, of which the contents are
    /// compared, so that a run may move.
    static let changeableKeys: Set<String> = [
        "folder", "prepared", "checkpoint_steps", "keep_last", "keep_best", "stall_timeout", "max_restarts",
        "threads", "recompute", "data", "tasks", "encoder.from", "encoder.vocab", "initialize.checkpoint",
    ]

    /// Throws unless a run that had the settings `old` may go on with these, and lists the differences.
    ///
    /// `epochs` may grow. The schedule of the learning rate is then that of the longer run, from the step on where the run goes on.
    func requireResumable(from old: RunSettings) throws {
        let refused = changes(since: old).filter { change in
            let isNew = change.before == "none" || change.after == "none"
            let mayChange = RunSettings.changeableKeys.contains(change.key) && !isNew
            return !mayChange && !(change.key == "epochs" && epochs > old.epochs)
        }
        guard refused.isEmpty else {
            let list = refused.map { "\($0.key): \($0.before) -> \($0.after)" }.joined(separator: "; ")
            let free = RunSettings.changeableKeys.sorted().joined(separator: ", ")
            throw TrainingError(
                "\(folder) holds a run with other settings (\(list)); use those settings, or another --folder; "
                    + "only \(free) may change, and epochs grow")
        }
    }

    /// Throws unless the run folder is new or holds a run that may go on with these settings.
    func requireResumableFolder() throws {
        guard let old = FileManager.default.contents(atPath: settingsPath) else { return }
        try requireResumable(from: try RunSettings.parse(String(decoding: old, as: UTF8.self), path: settingsPath))
    }

    /// Where the run folder keeps the settings in effect.
    var settingsPath: String { "\(folder)/run.yml" }
}
