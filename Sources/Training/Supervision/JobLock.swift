import Communication
import Foundation

/// The run folder's lock as a job's ranks hold it: the first rank's where it is not `mtdnn`'s, and a share of every rank.
struct JobLock {
    private let lock: RunLock?
    private let share: RankLock

    /// - Parameter isSupervised: whether `mtdnn` holds the lock; where it goes, the job stops.
    init(_ world: Communicator, _ settings: RunSettings, isSupervised: Bool) throws {
        let isFirst = world.rank == 0
        let holdsAll = isFirst && !isSupervised
        let folder = settings.folder
        // What this job would write from here on would be among the files of another run.
        let end: @Sendable () -> Void = {
            StandardStream.error.say(
                "\(folder) was removed while this job trained in it, and another job has begun there; this one ends")
            _exit(JobExit.configuration)
        }
        lock = try JobLock.agree(world) {
            holdsAll
                ? try RunLock(folder: folder, onReplaced: end) { StandardStream.output.say("mtdnn-worker: \($0)") }
                : nil
        }
        share = try JobLock.agree(world) {
            try RankLock(folder: folder, renews: isFirst && isSupervised, onReplaced: end)
        }
        if isFirst && isSupervised { StopRequest.followStandardInput() }
    }

    /// Gives the lock back; shares end with their processes.
    func release() throws {
        try lock?.release()
        _ = Unmanaged.passRetained(share)
    }

    private static func agree<Value>(_ world: Communicator, _ body: () throws -> Value) throws -> Value {
        try world.agree {
            do { return try body() } catch let refusal as RunLock.Refusal {
                throw SharedError(refusal.description, exitCode: JobExit.locked)
            }
        }
    }
}
