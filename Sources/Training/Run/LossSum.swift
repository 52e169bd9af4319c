import Communication
import Model

/// The mean loss of a global batch: sums of slices in Double, added in slice order on every rank, so it does not depend on who held which.
final class LossSum {
    private let world: Communicator
    private let sums: UnsafeMutableBufferPointer<Double>
    private let counts, displacements: UnsafeMutablePointer<Int32>

    init(_ world: Communicator, _ shares: RankShares) {
        self.world = world
        sums = .allocate(capacity: shares.sliceCount)
        counts = .allocate(capacity: world.size)
        displacements = .allocate(capacity: world.size)
        for (rank, run) in shares.runs.enumerated() {
            counts[rank] = Int32(run.count)
            displacements[rank] = Int32(run.lowerBound)
        }
    }

    deinit {
        sums.deallocate()
        counts.deallocate()
        displacements.deallocate()
    }

    /// The sum over all units of the global batch of which this rank holds `share`.
    func gather(_ share: PackedBatch) throws -> Double {
        for index in 0..<share.tree.local.count {
            var sum = 0.0
            for unit in share.units(ofSlice: index) { sum += share.losses[unit] }
            sums[share.tree.local.lowerBound + index] = sum
        }
        try world.allGatherInPlace(sums, counts: counts, displacements: displacements)
        var total = 0.0
        for sum in sums { total += sum }
        return total
    }
}
