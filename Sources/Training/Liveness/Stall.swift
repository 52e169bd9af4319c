/// A job that does not get on: whose fault it is, as one rank sees it.
struct Stall: Equatable {
    /// The rank that is behind: the one that the others wait for.
    let rank: Int
    /// One sentence that names it.
    let description: String

    /// Judges a job that has not got on for some time.
    ///
    /// A rank whose process shows no life is behind whatever it was at; else the one that got least far of those that are not waiting in
    /// MPI; where all wait for each other, the one that got least far.
    /// - Parameters:
    ///   - ranks: what was seen of each rank.
    ///   - timeout: seconds of quiet that make a stall; half of it without a sign of life make a dead process.
    init(_ ranks: [RecordKeeper.Sight], timeout: Double) {
        let numbers = Array(ranks.indices)
        let silent = numbers.filter { ranks[$0].isSilent(timeout) }
        let working = numbers.filter { ranks[$0].record?.isWaiting == false }
        let suspects = !silent.isEmpty ? silent : !working.isEmpty ? working : numbers
        rank = suspects.min { (ranks[$0].progress, $0) < (ranks[$1].progress, $1) } ?? 0
        let sight = ranks[rank]
        let reason =
            !silent.isEmpty
            ? "its process shows no life, it may be stopped or its host out of reach"
            : working.isEmpty
                ? "all ranks wait for each other in MPI"
                : ranks.count == 1 ? "it does not get on" : "it does not get on, and the other ranks wait for it"
        description =
            "rank \(rank)" + (sight.record.map { " on \($0.host): step \($0.step), \($0.phase)" } ?? "")
            + ": \(reason); "
            + "the job made no progress for \(Int(timeout)) s (`stall_timeout`); "
            + "start it again to go on from its newest checkpoint"
    }

    /// Seconds for which no rank has got on.
    static func quiet(_ ranks: [RecordKeeper.Sight]) -> Double { ranks.map(\.quiet).min() ?? 0 }

    /// Number of ranks before `rank` that can speak: only the first of all that can speaks.
    static func speakers(before rank: Int, _ ranks: [RecordKeeper.Sight], timeout: Double) -> Int {
        ranks[..<rank].count { !$0.isSilent(timeout) }
    }
}

extension RecordKeeper.Sight {
    /// Whether its process has shown no life for so long that it has none.
    fileprivate func isSilent(_ timeout: Double) -> Bool { silent >= timeout / 2 }

    /// How far it got, in an order of numbers.
    fileprivate var progress: Int { record.map { $0.step << 16 + min($0.change, 0xFFFF) } ?? -1 }
}
