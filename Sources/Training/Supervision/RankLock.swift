import Foundation
import Storage

/// A rank's share of the run folder's lock, held until the process ends.
final class RankLock {
    private let file: LockFile
    private let heartbeat: Heartbeat?

    /// - Parameters:
    ///   - renews: whether the rank keeps the holder's entry fresh, so that it outlives an `mtdnn` that was killed.
    ///   - onReplaced: called, where it renews, when the folder was removed and another job has begun there.
    init(folder: String, renews: Bool, onReplaced: (@Sendable () -> Void)? = nil) throws {
        file = try LockFile("\(folder)/lock.ranks")
        heartbeat = renews ? Heartbeat(try LockFile("\(folder)/lock"), onReplaced: onReplaced) : nil
        try takeShare(folder)
        try heartbeat?.start()
    }

    private func takeShare(_ folder: String) throws {
        // Who asks whether ranks live holds the file for no more than a moment.
        for _ in 0..<100 {
            if try file.tryLock(.shared) { return }
            Thread.sleep(forTimeInterval: 0.05)
        }
        throw RunLock.Refusal(description: "\(folder): another job has just been started there")
    }
}
