import Communication
import Model

/// What all ranks must know of a step before they act: its loss, and what each rank has to tell.
///
/// Losses of slices are summed in Double and added in slice order on every rank, so the loss does not depend on who held which.
final class StepAgreement {
    private let world: Communicator
    private let layout: GatherLayout
    private let runs: [Range<Int>]
    /// For each rank its flags, then its slices' losses.
    private let words: UnsafeMutablePointer<Double>

    init(_ world: Communicator, _ shares: RankShares) {
        self.world = world
        runs = shares.runs
        layout = GatherLayout(rankCount: world.size)
        words = .allocate(capacity: shares.sliceCount + world.size)
        words.initialize(repeating: 0, count: shares.sliceCount + world.size)
        for (rank, run) in runs.enumerated() {
            layout[rank] = (run.lowerBound + rank)..<(run.upperBound + rank + 1)
        }
    }

    deinit { words.deallocate() }

    /// The sum of losses over all units of the global batch of which this rank holds `parts`, and what all ranks tell.
    func reach(_ parts: [PackedBatch], telling flags: StepFlags) throws -> (loss: Double, heard: HeardFlags) {
        var next = layout[world.rank].lowerBound
        words[next] = Double(flags.rawValue)
        for part in parts {
            for slice in 0..<part.tree.local.count {
                var sum = 0.0
                for unit in part.units(ofSlice: slice) { sum += part.losses[unit] }
                next += 1
                words[next] = sum
            }
        }
        try layout.gather(words, world)
        var loss = 0.0
        var heard = HeardFlags(byAny: [], byAll: StepFlags(rawValue: .max))
        for rank in 0..<runs.count {
            let part = layout[rank]
            let told = StepFlags(rawValue: UInt32(words[part.lowerBound]))
            heard.byAny.formUnion(told)
            heard.byAll.formIntersection(told)
            for index in (part.lowerBound + 1)..<part.upperBound { loss += words[index] }
        }
        return (loss, heard)
    }
}
