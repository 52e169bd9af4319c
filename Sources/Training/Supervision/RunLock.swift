import Foundation
import Storage

/// `RUN/lock`: who trains in a run folder. Nobody else writes there meanwhile.
///
/// Two kernel locks, which end with their holders: `lock` belongs to the process that answers for the job (`mtdnn`, or the first rank of a
/// job that was started without it), `lock.ranks` to each of its ranks. Where the first is free and the second is not, a job has lost its
/// head and is about to end. For hosts that do not see each other's kernel locks, `lock` names its holder and is renewed while that lives.
public final class RunLock: @unchecked Sendable {  // what changes is the heartbeat's, which guards itself
    /// What the file says.
    struct Holder: Codable, Equatable {
        var host: String
        var pid: Int32
        /// When the holder took the lock, and when it last said that it lives.
        var since: String
        var heartbeat: String
        /// Whether the job is about to end.
        var isStopping = false
        /// The job's own folder for temporary files, so that the next holder can clear up after a killed one.
        var temporary: String?
    }

    /// How long others are waited for.
    struct Patience {
        /// Between two looks.
        var interval = 0.1
        /// For a holder that does not say that it is about to end: a killed job may need a moment for that.
        var living = 3.0
        /// For a job that is about to end: it may have a step to finish and a checkpoint to write.
        var dying = 600.0
        /// Without a new heartbeat, after which a holder on another host counts as dead.
        var silent = 15.0
    }

    /// The lock was not to be had; one sentence.
    public struct Refusal: Error, CustomStringConvertible {
        /// The sentence.
        public let description: String
    }

    /// What the folder's last job left behind because it was killed.
    private let predecessorTemporary: String?
    private let file: LockFile
    private let ranks: LockFile
    private let folder: String
    private let heartbeat: Heartbeat

    /// Takes the lock of a run folder, which is made where there is none.
    /// - Parameters:
    ///   - onReplaced: called where the folder was removed and another job has begun there.
    ///   - report: receives a sentence if there is something to wait for.
    /// - Throws: `Refusal` where another job holds it.
    public convenience init(
        folder: String, onReplaced: (@Sendable () -> Void)? = nil, report: (String) -> Void
    ) throws {
        try self.init(folder: folder, patience: Patience(), onReplaced: onReplaced, report: report)
    }

    init(
        folder: String, patience: Patience, onReplaced: (@Sendable () -> Void)? = nil, report: (String) -> Void
    ) throws {
        self.folder = folder
        try createFolder(folder)
        file = try LockFile("\(folder)/lock")
        ranks = try LockFile("\(folder)/lock.ranks")
        let previous = try RunLock.take(file, folder, patience, report)
        let host = hostName()
        predecessorTemporary = previous?.host == host ? previous?.temporary : nil
        let now = RunLock.now()
        heartbeat = Heartbeat(
            file,
            Holder(
                host: host, pid: getpid(), since: now, heartbeat: now, temporary: predecessorTemporary),
            onReplaced: onReplaced)
        try waitForRanks(patience, report)
        try heartbeat.start()
        do { try clearUpBehindPredecessor(patience, report) } catch {
            // The file goes on naming what is to be removed.
            heartbeat.stop()
            file.unlock()
            throw error
        }
    }

    /// Waits until no rank of an earlier job lives.
    public func waitForRanks(report: (String) -> Void) throws { try waitForRanks(Patience(), report) }

    /// Notes in the file where the job that is about to start has its temporary files.
    public func note(temporary: String?) throws { try heartbeat.change { $0.temporary = temporary } }

    /// Notes in the file that the job is about to end.
    public func noteStopping() throws { try heartbeat.change { $0.isStopping = true } }

    /// Removes what a killed job left, once its mpirun has ended: that may still start ranks, and write to its folder.
    private func clearUpBehindPredecessor(_ patience: Patience, _ report: (String) -> Void) throws {
        guard let path = predecessorTemporary else { return }
        let temporaries = JobTemporaries(path: path)
        var waited = 0.0
        while temporaries.isInUse {
            guard waited < patience.dying else {
                throw Refusal(
                    description:
                        "\(folder): an earlier job's mpirun did not end within \(Int(patience.dying)) s; end it")
            }
            Thread.sleep(forTimeInterval: patience.interval)
            waited += patience.interval
        }
        try waitForRanks(patience, report)
        try temporaries.remove()
        try note(temporary: nil)
    }

    /// Gives the lock back.
    public func release() throws {
        try heartbeat.end()
        file.unlock()
    }

    /// Removes all in the run folder but the lock, whose holder one must be.
    public static func removeAllElse(in folder: String) throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) where !name.hasPrefix("lock") {
            try FileManager.default.removeItem(atPath: "\(folder)/\(name)")
        }
    }

    /// Takes the lock of `file`; returns what a killed holder left in it.
    private static func take(
        _ file: LockFile, _ folder: String, _ patience: Patience, _ report: (String) -> Void
    ) throws -> Holder? {
        var waited = 0.0
        var hasReported = false
        while try !file.tryLock(.exclusive) {
            let holder = try holder(in: file)
            let isStopping = holder?.isStopping == true
            guard waited < (isStopping ? patience.dying : patience.living) else { throw refusal(holder, folder) }
            if isStopping, !hasReported {
                report("\(folder) is in use by \(text(holder)), which is about to end; waiting for it")
                hasReported = true
            }
            Thread.sleep(forTimeInterval: patience.interval)
            waited += patience.interval
        }
        let previous = try holder(in: file)
        guard let previous, !file.hasLocks || previous.host != hostName() else { return previous }
        // The kernel's word does not count here: whoever lives renews the file.
        report("\(folder) was in use by \(text(previous)); looking whether it lives, for \(Int(patience.silent)) s")
        waited = 0
        while waited < patience.silent {
            Thread.sleep(forTimeInterval: patience.interval)
            waited += patience.interval
            let now = try holder(in: file)
            if let now, now.heartbeat != previous.heartbeat { throw refusal(now, folder) }
            if now == nil, try file.read().isEmpty { return nil }
        }
        return previous
    }

    private func waitForRanks(_ patience: Patience, _ report: (String) -> Void) throws {
        var waited = 0.0
        var hasReported = false
        while try !ranks.tryLock(.exclusive) {
            guard waited < patience.dying else {
                throw Refusal(
                    description: "\(folder): ranks of an earlier job did not end within \(Int(patience.dying)) s; "
                        + "end the processes `mtdnn-worker` that train in this folder")
            }
            // After a kill, ranks take a moment to notice.
            if waited >= 0.5, !hasReported {
                report("\(folder): ranks of an earlier job are about to end; waiting for them")
                hasReported = true
            }
            Thread.sleep(forTimeInterval: patience.interval)
            waited += patience.interval
        }
        ranks.unlock()
    }

    static func holder(in file: LockFile) throws -> Holder? {
        let bytes = try file.read()
        // Empty after an orderly end; anything else that cannot be read was cut off by a kill, and tells as much.
        do { return try JSONDecoder().decode(Holder.self, from: Data(bytes)) } catch { return nil }
    }

    private static func refusal(_ holder: Holder?, _ folder: String) -> Refusal {
        let cure = holder.map { "stop it with `kill \($0.pid)` there" } ?? "stop it"
        return Refusal(
            description: "\(folder) is in use by \(text(holder)); wait for its end, \(cure), or use another --folder")
    }

    private static func text(_ holder: Holder?) -> String {
        guard let holder else { return "another job" }
        return "a job on \(holder.host) (process \(holder.pid), since \(holder.since))"
    }

    /// The time of day, to the second.
    static func now() -> String { Date().ISO8601Format() }
}

/// The name of this machine.
private func hostName() -> String {
    var name = [CChar](repeating: 0, count: 256)
    guard gethostname(&name, name.count - 1) == 0 else { return "an unknown host" }
    return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
