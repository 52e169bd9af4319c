import Communication
import Foundation
import Model
import Storage

/// Loads a run's newest whole checkpoint, written by any number of ranks.
struct Restoration {
    let world: Communicator
    let settings: RunSettings
    let origin: Manifest.Origin
    let model: MultiTaskModel
    let optimizer: Optimizer
    let memory: HostMemory
    private var folder: CheckpointFolder { CheckpointFolder(run: settings.folder) }

    /// Loads the newest whole checkpoint; returns its step, or nil where the run has none yet.
    /// - Parameter report: receives a sentence, on the first rank, for each checkpoint that is damaged and passed over.
    func restoreNewest(report: (String) -> Void) throws -> Int? {
        let path = try world.fromFirst { () throws -> String? in
            try folder.removePartial()
            let checkpoint = try folder.newestWhole(report: report)
            if let checkpoint, checkpoint.manifest.origin.program != origin.program {
                report(
                    "\(checkpoint.path) was written by another build of the program; the run goes on, but only one build promises the same bits"
                )
            }
            if let checkpoint, settings.reproducible == .perRankCount, checkpoint.manifest.rankCount != world.size {
                report(
                    "\(checkpoint.path) is of a run with ranks: \(checkpoint.manifest.rankCount), which goes on with \(world.size); "
                        + "under `reproducible: per_rank_count` that changes the bits of all that follows")
            }
            if checkpoint == nil, let newest = try folder.entries().first {
                throw TrainingError(
                    "none of the checkpoints in \(folder.path) is whole (the newest is \(newest.path)); "
                        + "move them away to begin the run anew")
            }
            if checkpoint == nil, try settings.isEnded() {
                throw TrainingError(
                    "the run in \(settings.folder) is finished and its checkpoints are gone; remove the folder to train it anew, or name another"
                )
            }
            return checkpoint?.path
        }
        guard let path else { return nil }
        let step = try world.agree { try restore(Checkpoint(path: path)) }
        try memory.synchronize()
        try world.byFirst { try folder.setAside(after: step) }
        return step
    }

    private func restore(_ checkpoint: Checkpoint) throws -> Int {
        try requireSameRun(checkpoint)
        let parameters = Dictionary(uniqueKeysWithValues: model.parameters.all.map { ($0.name, $0) })
        let owned = Dictionary(
            uniqueKeysWithValues: optimizer.owned.joined().map { ($0.piece.parameter.name, $0) })
        try checkpoint.forEachPart { file, part in
            guard let parameter = parameters[part.name] else { return }
            if memory.isFirstOfHost { try part.read(from: file, into: parameter) }
            if let piece = owned[part.name] { try readMoments(file, part, piece) }
        }
        return checkpoint.step
    }

    /// Reads the rows that both a shard and this rank own.
    private func readMoments(_ file: HDF5File, _ part: Checkpoint.Part, _ piece: Optimizer.OwnedPiece) throws {
        let start = piece.piece.range.lowerBound - piece.piece.parameter.offset
        let common = part.elements.clamped(to: start..<(start + piece.piece.range.count))
        guard !common.isEmpty else { return }
        for (kind, moments) in zip(Shard.kinds.dropFirst(), [piece.first, piece.second]) {
            let all = try part.moments(kind, from: file)
            for index in common { moments[index - start] = all[index - part.elements.lowerBound] }
        }
    }

    private func requireSameRun(_ checkpoint: Checkpoint) throws {
        let path = "\(checkpoint.path)/\(Manifest.name)"
        let old = checkpoint.manifest.origin
        try settings.requireResumable(from: try RunSettings.parse(old.settings, path: path))
        guard old.tasks.count == origin.tasks.count else { throw TrainingError("\(path): has not the run's tasks") }
        try settings.requireTasks(old)
        try settings.refuseTasks(
            zip(settings.train, zip(old.tasks, origin.tasks)).filter { $1.0 != $1.1 }.map(\.0))
        try settings.requireEncoder(old, origin.encoderFiles, tokenizer: origin.tokenizer)
        guard old.parameters == origin.parameters, old.encoder == origin.encoder else {
            throw TrainingError("\(settings.folder) holds a run of another model; use its encoder, or another --folder")
        }
    }
}
