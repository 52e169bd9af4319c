import Foundation
import Storage

/// `RUN/checkpoints`: which checkpoints a run has, and which of them stay.
struct CheckpointFolder: Sendable {
    /// The run folder.
    let run: String
    var path: String { "\(run)/checkpoints" }

    /// The folder of the checkpoint after `step` steps.
    func path(step: Int) -> String { "\(path)/\(CheckpointFolder.name(step))" }

    /// Where a checkpoint is written before it is whole.
    func partialPath(step: Int) -> String { "\(path(step: step))\(CheckpointFolder.partialSuffix)" }

    private static let partialSuffix = ".partial"
    private static func name(_ step: Int) -> String { String(format: "step-%08d", step) }

    /// The step that the name of a checkpoint's folder tells; nil for other names.
    static func step(ofName name: String) -> Int? {
        guard let step = Int(name.dropFirst("step-".count)), step >= 0, name == self.name(step) else { return nil }
        return step
    }

    /// The run folder and the step of a checkpoint's path; that of a run folder has no step.
    static func parts(of path: String) -> (run: String, step: Int?) {
        let path = path as NSString
        guard let step = step(ofName: path.lastPathComponent) else { return (path as String, nil) }
        return ((path.deletingLastPathComponent as NSString).deletingLastPathComponent, step)
    }

    /// The folders named as checkpoints, newest first.
    func entries() throws -> [(step: Int, path: String)] {
        try entriesIfPresent(path).compactMap { name in
            CheckpointFolder.step(ofName: name).map { ($0, "\(path)/\(name)") }
        }
        .sorted { $0.step > $1.step }
    }

    /// The newest checkpoint whose checksums hold; nil where there is none.
    /// - Parameter report: receives a sentence for each one that is damaged and passed over.
    func newestWhole(report: (String) -> Void) throws -> Checkpoint? {
        for entry in try entries() {
            let checkpoint = try CheckpointFolder.unlessDamaged(report) { try Checkpoint(path: entry.path) }
            if let checkpoint, try CheckpointFolder.unlessDamaged(report, checkpoint.verify) != nil {
                return checkpoint
            }
        }
        return nil
    }

    /// Of the checkpoints whose checksums hold the one with the best score, or the newest where none has a score.
    func bestWhole(report: (String) -> Void) throws -> Checkpoint? {
        var candidates = try readable(report: report)
        while let best = CheckpointFolder.best(of: candidates) ?? candidates.first {
            if try CheckpointFolder.unlessDamaged(report, best.verify) != nil { return best }
            candidates.removeAll { $0.step == best.step }
        }
        return nil
    }

    /// The checkpoints whose manifests are whole, newest first.
    func readable(report: (String) -> Void) throws -> [Checkpoint] {
        try entries().compactMap { entry in
            try CheckpointFolder.unlessDamaged(report) { try Checkpoint(path: entry.path) }
        }
    }

    /// The one with the best score, of equal ones the earliest; nil where none has a score.
    static func best(of checkpoints: [Checkpoint]) -> Checkpoint? {
        checkpoints.filter { $0.manifest.score != nil }.min {
            ($1.manifest.score!, $0.step) < ($0.manifest.score!, $1.step)
        }
    }

    private static func unlessDamaged<Value>(_ report: (String) -> Void, _ body: () throws -> Value) throws -> Value? {
        do {
            return try body()
        } catch let error as Manifest.OtherFormat {
            throw error
        } catch {
            report("passed over a checkpoint: \(error)")
            return nil
        }
    }
}

// What is made room for. Only the first rank does any of this.
extension CheckpointFolder {
    /// Removes all but the newest checkpoints and the best one. Damaged ones are left for their owner to look at.
    func prune(keepLast: Int, keepBest: Bool) throws {
        let checkpoints = try readable(report: { _ in })
        let best = keepBest ? CheckpointFolder.best(of: checkpoints)?.step : nil
        for checkpoint in checkpoints.dropFirst(keepLast) where checkpoint.step != best {
            // Under this name it is no checkpoint any more, and the next start removes what a kill leaves of it.
            let doomed = partialPath(step: checkpoint.step)
            try rename(checkpoint.path, to: doomed)
            try FileManager.default.removeItem(atPath: doomed)
        }
    }

    /// Gives the checkpoints after `step` other names: they were found damaged, and the run will write those steps again.
    func setAside(after step: Int) throws {
        for entry in try entries() where entry.step > step {
            let aside = "\(entry.path).damaged"
            try removeIfPresent(aside)
            try rename(entry.path, to: aside)
        }
    }

    /// Removes what a job that was killed had begun to write.
    func removePartial() throws {
        for name in try entriesIfPresent(path)
        where name.hasPrefix("step-") && name.hasSuffix(CheckpointFolder.partialSuffix) {
            try removeIfPresent("\(path)/\(name)")
        }
    }
}

private func rename(_ old: String, to new: String) throws {
    guard rename(old, new) == 0 else {
        throw TrainingError("\(old): cannot be renamed to \(new): \(String(cString: strerror(errno)))")
    }
}

/// Removes a file or folder that may not be there.
func removeIfPresent(_ path: String) throws {
    do {
        try FileManager.default.removeItem(atPath: path)
    } catch CocoaError.fileNoSuchFile {
        return
    } catch {
        throw TrainingError("\(path): cannot be removed: \(systemReason(error))")
    }
}
