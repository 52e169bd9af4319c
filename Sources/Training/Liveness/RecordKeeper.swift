import Communication
import Foundation
import Synchronization

/// A thread beside the training thread that keeps this rank's record up to date and, when asked to, watches those of the others.
///
/// It alone touches files: where the run folder's disk hangs, only this thread hangs with it. It never calls MPI.
final class RecordKeeper: Sendable {
    /// What was seen of a rank.
    struct Sight: Sendable {
        /// Its newest record; nil as long as none could be read.
        var record: RankRecord?
        /// Seconds for which it has been watched and has not got on.
        var quiet = 0.0
        /// Seconds for which it has been watched and its process has shown no life.
        var silent = 0.0
    }

    /// What was seen of all ranks.
    struct Sights: Sendable {
        var ranks: [Sight]
        /// Grows with each look.
        var lookCount = 0
    }

    /// Seconds between two looks at the training thread: as late as that another rank may see a change of phase.
    private static let pollInterval = 0.02
    /// Seconds after which the record is written again though nothing changed.
    private static let beatInterval = 0.25
    /// The thread sleeps so many times as long as its files took, so that it never loads a slow disk.
    private static let restFactor = 20.0

    private let rank: Int
    private let host: String
    private let runFolder: String
    private let lookInterval: Double
    private let sights: Mutex<Sights>
    private let wantsSight = Atomic<Bool>(false)
    private let isEnded = Atomic<Bool>(false)
    private let isGone = DispatchSemaphore(value: 0)

    /// - Parameter lookInterval: seconds between two looks at the other ranks.
    init(rank: Int, of rankCount: Int, host: String, runFolder: String, lookInterval: Double) {
        self.rank = rank
        self.host = host
        self.runFolder = runFolder
        self.lookInterval = lookInterval
        sights = Mutex(Sights(ranks: Array(repeating: Sight(), count: rankCount)))
        Thread.detachNewThread { [self] in
            keep()
            isGone.signal()
        }
    }

    /// Whether the other ranks are to be watched. What was seen before is forgotten when that begins.
    func watchOthers(_ wanted: Bool) {
        guard wanted != wantsSight.load(ordering: .relaxed) else { return }
        sights.withLock { $0 = Sights(ranks: $0.ranks.map { _ in Sight() }, lookCount: $0.lookCount + 1) }
        wantsSight.store(wanted, ordering: .relaxed)
    }

    /// What was seen of all ranks; nothing of this one.
    var seen: Sights { sights.withLock { $0 } }

    /// Ends the thread and removes the record; gives up where the disk hangs.
    func end() {
        isEnded.store(true, ordering: .relaxed)
        guard isGone.wait(timeout: .now() + 5) == .success else { return }
        unlink(RankRecord.path(rank: rank, inRun: runFolder))
    }

    /// This rank's record as it is now.
    func record(beats: UInt64) -> RankRecord {
        let place = RankPosition.place
        return RankRecord(
            rank: rank, host: host, processIdentifier: getpid(), step: place.step, phase: "\(place.phase)",
            writing: RankPosition.written.map { "\($0)" }, isWaiting: MPIActivity.isInside, change: place.change,
            advances: RankPosition.advances, beats: beats)
    }

    private func keep() {
        let path = RankRecord.path(rank: rank, inRun: runFolder)
        var beats: UInt64 = 0
        var written: (place: RankPosition.Place, background: Phase?)?
        var lastWrite = 0.0
        var lastLook = seconds()
        while !isEnded.load(ordering: .relaxed) {
            let now = seconds()
            let position = (place: RankPosition.place, background: RankPosition.written)
            if written == nil || written! != position || now - lastWrite >= Self.beatInterval {
                beats += 1
                record(beats: beats).write(to: path)
                written = position
                lastWrite = now
            }
            if now - lastLook >= lookInterval {
                // A process that was stopped, or had no processor, has not watched meanwhile.
                if wantsSight.load(ordering: .relaxed) { look(passed: min(now - lastLook, 2 * lookInterval)) }
                lastLook = now
            }
            Thread.sleep(forTimeInterval: max(Self.pollInterval, Self.restFactor * (seconds() - now)))
        }
    }

    private func look(passed: Double) {
        let old = seen
        let new = old.ranks.enumerated().map { other, sight in
            guard other != rank else { return sight }
            let record = RankRecord(rank: other, path: RankRecord.path(rank: other, inRun: runFolder))
            return sight.followed(by: record, passed: passed)
        }
        sights.withLock { sights in
            guard sights.lookCount == old.lookCount else { return }  // forgotten while this looked
            sights = Sights(ranks: new, lookCount: old.lookCount + 1)
        }
    }

    private func seconds() -> Double { Double(monotonicNanoseconds()) / 1e9 }
}

extension RecordKeeper.Sight {
    /// What is known after another look; `record` is nil where it could not be read, which is no news.
    func followed(by record: RankRecord?, passed: Double) -> RecordKeeper.Sight {
        guard let record else {
            return RecordKeeper.Sight(record: self.record, quiet: quiet + passed, silent: silent + passed)
        }
        guard let old = self.record else { return RecordKeeper.Sight(record: record) }
        return RecordKeeper.Sight(
            record: record, quiet: record.advances == old.advances ? quiet + passed : 0,
            silent: record.beats == old.beats ? silent + passed : 0)
    }
}
