import Communication
import Foundation
import Storage
import Synchronization

/// Sees to it that a job which does not get on ends: a thread beside the training thread, on each rank.
///
/// It touches no file and never calls MPI, so whatever another thread hangs in, this one goes on.
package final class StallWatch: Sendable {
    /// Exit code of a job that was ended because it did not get on (`EX_PROTOCOL` of sysexits.h).
    package static let exitCode: Int32 = 76
    /// Seconds that a rank leaves the one before it to end the job.
    private static let turn = 10.0

    private let rank: Int
    private let runFolder: String
    private let timeout: Double
    private let keeper: RecordKeeper
    private let isEnded = Atomic<Bool>(false)

    /// Publishes where this rank is from here on, and watches.
    package init(_ world: Communicator, _ settings: RunSettings) throws {
        RankPosition.enter(.startup)
        rank = world.rank
        runFolder = settings.folder
        timeout = Double(settings.stallTimeout)
        try world.byFirst {
            try RankRecord.removeAll(ofRun: settings.folder)
            try createFolder(RankRecord.folder(ofRun: settings.folder))
        }
        keeper = RecordKeeper(
            rank: world.rank, of: world.size, host: world.hostName, runFolder: settings.folder,
            lookInterval: max(0.1, min(5, timeout / 30)))
        Thread.detachNewThread { [self] in watch() }
    }

    /// Ends the watch at the job's regular end; the first rank removes the folder of records when all are here.
    package func end(_ world: Communicator) throws {
        isEnded.store(true, ordering: .relaxed)
        keeper.end()
        try world.barrier()
        if world.rank == 0 { rmdir(RankRecord.folder(ofRun: runFolder)) }
    }

    private func watch() {
        let interval = min(1, timeout / 50)
        var advances = RankPosition.advances
        var quiet = 0.0
        var lookCount = 0
        var blind = 0.0
        var asked = 0.0
        var last = monotonicNanoseconds()
        while true {
            Thread.sleep(forTimeInterval: interval)
            if isEnded.load(ordering: .relaxed) { return }
            let now = monotonicNanoseconds()
            // A job that was stopped as a whole, or had no processor, has not been quiet meanwhile.
            let passed = min(Double(now - last) / 1e9, 2 * interval)
            last = now
            quiet = RankPosition.advances == advances ? quiet + passed : 0
            advances = RankPosition.advances
            let isSuspicious = quiet >= min(5, timeout / 10)
            keeper.watchOthers(isSuspicious)
            let seen = keeper.seen
            blind = isSuspicious && seen.lookCount == lookCount ? blind + passed : 0
            lookCount = seen.lookCount
            // mpirun asks, where another rank has ended the job, and leaves a moment before it kills: all is said then.
            asked = StopRequest.isAsked ? asked + passed : 0
            guard quiet >= timeout, !StopRequest.isAsked || asked >= Self.turn else { continue }
            let mine = RecordKeeper.Sight(record: keeper.record(beats: 0), quiet: quiet)
            judge(seen.ranks, mine, blind: blind)
        }
    }

    /// Ends the job where no rank has got on and it is this rank's turn to say so.
    private func judge(_ seen: [RecordKeeper.Sight], _ mine: RecordKeeper.Sight, blind: Double) {
        var ranks = seen
        ranks[rank] = mine
        let turns = Double(Stall.speakers(before: rank, ranks, timeout: timeout))
        if Stall.quiet(ranks) >= timeout + turns * Self.turn {
            end(Stall(ranks, timeout: timeout).description)
        } else if blind >= timeout + Double(rank) * Self.turn, let record = mine.record {
            end(
                "rank \(rank) on \(record.host): step \(record.step), \(record.phase): it does not get on, and the disk of "
                    + "\(runFolder) does not answer; the job made no progress for \(Int(timeout)) s (`stall_timeout`); "
                    + "start it again to go on from its newest checkpoint")
        }
    }

    /// mpirun ends the other ranks when it sees one fail; a stopped one as well, with SIGKILL.
    private func end(_ sentence: String) -> Never {
        let line = Array("mtdnn-worker: \(sentence)\n".utf8)
        _ = write(STDERR_FILENO, line, line.count)
        _exit(Self.exitCode)
    }
}
