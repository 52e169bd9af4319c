import Testing

@testable import Training

/// Who is to blame when a job does not get on.
struct StallTests {
    private func sight(
        _ rank: Int, step: Int = 6, change: Int = 3, waiting: Bool, quiet: Double = 20, silent: Double = 0
    ) -> RecordKeeper.Sight {
        .init(
            record: RankRecord(
                rank: rank, host: "host\(rank)", processIdentifier: 10, step: step, phase: "exchange", writing: nil,
                isWaiting: waiting, change: change, advances: 1, beats: 1), quiet: quiet, silent: silent)
    }

    private func culprit(_ ranks: RecordKeeper.Sight...) -> Int { Stall(ranks, timeout: 20).rank }

    @Test func `The rank that works is behind, not those that wait for it`() {
        #expect(culprit(sight(0, waiting: true), sight(1, waiting: false), sight(2, waiting: true)) == 1)
        // One that got further may work as well, as long as it has not come to the place where it will wait.
        #expect(culprit(sight(0, waiting: false), sight(1, change: 2, waiting: false)) == 1)
        #expect(culprit(sight(0, step: 7, change: 1, waiting: false), sight(1, waiting: false)) == 1)
        #expect(culprit(sight(0, waiting: false), sight(1, waiting: false)) == 0)
    }

    @Test func `A process without life is behind even where it waits`() {
        #expect(culprit(sight(0, waiting: false), sight(1, waiting: true, silent: 20)) == 1)
        #expect(culprit(sight(0, waiting: false), sight(1, waiting: true, silent: 9)) == 0)
        #expect(culprit(sight(0, waiting: true), .init(record: nil, quiet: 20, silent: 20)) == 1)
    }

    @Test func `Where all wait, the one that got least far is behind`() {
        #expect(culprit(sight(0, waiting: true), sight(1, change: 2, waiting: true), sight(2, waiting: true)) == 1)
    }

    @Test func `The sentence names rank, host, step, phase, reason and cure`() {
        #expect(
            Stall([sight(0, waiting: true), sight(1, waiting: false)], timeout: 20).description
                == "rank 1 on host1: step 6, exchange: it does not get on, and the other ranks wait for it; "
                + "the job made no progress for 20 s (`stall_timeout`); start it again to go on from its newest checkpoint"
        )
    }

    @Test func `A job is quiet only as long as none of its ranks gets on`() {
        #expect(Stall.quiet([sight(0, waiting: true), sight(1, waiting: false, quiet: 5)]) == 5)
    }

    @Test func `The first rank that lives speaks`() {
        let ranks = [sight(0, waiting: true, silent: 20), sight(1, waiting: true), sight(2, waiting: false)]
        #expect((0..<3).map { Stall.speakers(before: $0, ranks, timeout: 20) } == [0, 0, 1])
    }

    @Test func `A rank is followed from the first look on, and a look that fails is no news`() {
        let first = sight(1, waiting: false, quiet: 0)
        var sight = RecordKeeper.Sight().followed(by: nil, passed: 1)
        #expect(sight.quiet == 1 && sight.silent == 1)
        sight = sight.followed(by: first.record, passed: 1)
        #expect(sight.quiet == 0 && sight.silent == 0)
        sight = sight.followed(by: nil, passed: 2).followed(by: first.record, passed: 1)
        #expect(sight.quiet == 3 && sight.silent == 3)
        var beating = first.record!
        beating.beats += 1
        sight = sight.followed(by: beating, passed: 1)
        #expect(sight.quiet == 4 && sight.silent == 0)
        beating.advances += 1
        #expect(sight.followed(by: beating, passed: 1).quiet == 0)
    }

    @Test func `A record survives being written, and is always of the same size`() {
        var record = sight(3, waiting: true).record!
        record.host = String(repeating: "a long name ", count: 20)
        for writing in [nil, "commit"] {
            record.writing = writing
            record.advances = .max
            #expect(record.line.count == RankRecord.byteCount)
            let read = RankRecord(rank: 3, line: record.line)
            #expect(read?.host.hasPrefix("a_long_name_a") == true)
            record.host = read?.host ?? ""
            #expect(read == record)
        }
        #expect(RankRecord(rank: 3, line: Array(record.line.dropLast())) == nil)
        #expect(RankRecord(rank: 3, line: Array(repeating: 32, count: RankRecord.byteCount - 1) + [10]) == nil)
    }

    @Test func `The place of a rank is kept in one word`() {
        RankPosition.begin(step: 123_456_789)
        RankPosition.enter(.sample)
        let advances = RankPosition.advances
        RankPosition.enter(.commit)
        let place = RankPosition.place
        #expect(place.step == 123_456_789 && place.change == 2 && place.phase == .commit)
        #expect(RankPosition.advances == advances + 1)
        RankPosition.writes(.checkpoint)
        #expect(RankPosition.written == .checkpoint && RankPosition.place == place)
        RankPosition.writes(nil)
        #expect(RankPosition.written == nil && RankPosition.advances == advances + 3)
        for _ in 0..<70_000 { RankPosition.enter(.evaluate) }
        #expect(RankPosition.place.step == 123_456_789 && RankPosition.place.change == 0xFFFF)
    }
}
