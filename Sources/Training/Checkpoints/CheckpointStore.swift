import Communication
import Foundation
import Model
import Storage

/// The checkpoints of a run: each is whole or does not exist, and none is ever overwritten.
///
/// A checkpoint begins with a copy of what this rank owns. A thread writes the copy into `step-N.partial` and waits for the disk, while
/// training goes on. When all ranks have told, in the exchange of a step, that theirs is done, the first rank makes a checkpoint of the
/// shards, on a thread as well. At most one checkpoint is at hand.
package final class CheckpointStore {
    /// How far the checkpoint at hand is: the same on every rank.
    private enum Stage {
        case none
        case writing(step: Int, score: Double?, BackgroundWork<Manifest.File>)
        /// The work is the first rank's.
        case committing(step: Int, BackgroundWork<String?>?)
    }

    private let world: Communicator
    private let folder: CheckpointFolder
    private let staging: ShardStaging
    private let commit: CheckpointCommit
    private let say: (String) -> Void
    private var stage = Stage.none
    /// Why the last checkpoint was not written; known to the first rank.
    private var failure: String?
    /// Whether no training follows the checkpoint at hand.
    private var isLast = false

    /// - Parameter say: receives a sentence, on the first rank, for each checkpoint that could not be written.
    init(_ world: Communicator, _ staging: ShardStaging, _ commit: CheckpointCommit, say: @escaping (String) -> Void) {
        self.world = world
        self.staging = staging
        self.commit = commit
        self.say = say
        folder = commit.folder
    }

    /// What this rank tells all others of it in every step.
    package var flags: StepFlags {
        switch stage {
        case .none: []
        case .writing(_, _, let work): work.isEnded ? .shardEnded : []
        case .committing(_, let work): work?.isEnded == true ? .commitEnded : []
        }
    }

    /// Takes the next stage of the checkpoint at hand, where what was heard in a step allows it.
    package func advance(_ heard: HeardFlags) throws {
        switch stage {
        case .none: return
        case .writing: if heard.byAll.contains(.shardEnded) { try beginCommit() }
        case .committing: if heard.byAny.contains(.commitEnded) { endCommit() }
        }
    }

    /// Copies the state after `step` steps and begins to write it; waits for the checkpoint before, if that is still at hand.
    package func begin(step: Int, score: Double?) throws {
        try waitForWriting()
        failure = nil
        staging.fill()
        let (staging, partial) = (staging, folder.partialPath(step: step))
        let path = "\(partial)/\(Shard.name(rank: world.rank, of: world.size))"
        let work = BackgroundWork {
            RankPosition.writes(.checkpoint)
            defer { RankPosition.writes(nil) }
            try createFolder(partial)
            return try staging.write(to: path, step: step)
        }
        stage = .writing(step: step, score: score, work)
    }

    /// Waits until the last checkpoint is whole; throws on all ranks where it could not be written, so that nobody takes the run for safe.
    package func finish(step: Int) throws {
        isLast = true
        try waitForWriting()
        try world.byFirst {
            if let failure {
                throw TrainingError(
                    "the checkpoint of step \(step) could not be written, so the steps since the one before are lost: "
                        + "\(failure); mend this and start the run again")
            }
        }
    }

    private func waitForWriting() throws {
        if case .writing(_, _, let work) = stage {
            _ = Result { try work.wait() }
            try beginCommit()
        }
        if case .committing(_, let work) = stage {
            _ = Result { try work?.wait() }
            try world.barrier()
            endCommit()
        }
    }

    /// All ranks' shards are on the disk, or some have failed.
    private func beginCommit() throws {
        guard case .writing(let step, let score, let work) = stage else { return }
        let reports = try world.allGather(CheckpointStore.encode(Result { try work.wait() }))
        let failures = reports.filter { $0.hasPrefix("!") }.map { String($0.dropFirst()) }
        guard failures.isEmpty else {
            stage = .none
            if world.rank == 0 { giveUp(step: step, failures.joined(separator: "; ")) }
            return
        }
        let shards = try reports.map { try JSONDecoder().decode(Manifest.File.self, from: Data($0.utf8)) }
        let commit = commit
        stage = .committing(
            step: step,
            world.rank == 0
                ? BackgroundWork {
                    RankPosition.writes(.commit)
                    defer { RankPosition.writes(nil) }
                    return try commit.make(step: step, score: score, shards: shards)
                } : nil)
    }

    private func endCommit() {
        guard case .committing(let step, let work) = stage else { return }
        stage = .none
        do {
            if let note = try work?.wait() { say(note) }
        } catch {
            giveUp(step: step, "\(error)")
        }
    }

    /// The room that the failed checkpoint took is free again for the next.
    private func giveUp(step: Int, _ cause: String) {
        var reason = cause
        do { try removeIfPresent(folder.partialPath(step: step)) } catch { reason += "; \(error)" }
        failure = reason
        if !isLast { say("checkpoint of step \(step) was not written, training goes on: \(reason)") }
    }

    /// A file's description, or `!` and the reason why there is none.
    private static func encode(_ outcome: Result<Manifest.File, any Error>) throws -> String {
        switch outcome {
        case .success(let file): String(decoding: try JSONEncoder().encode(file), as: UTF8.self)
        case .failure(let error): "!\(error)"
        }
    }
}
