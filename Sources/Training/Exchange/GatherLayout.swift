import Communication

/// Where each rank's part lies in a buffer that all ranks fill together: memory that MPI reads, made once.
final class GatherLayout {
    private let counts, displacements: UnsafeMutablePointer<Int32>
    private let rankCount: Int

    /// A layout for so many ranks, all parts empty.
    init(rankCount: Int) {
        self.rankCount = rankCount
        counts = .allocate(capacity: rankCount)
        displacements = .allocate(capacity: rankCount)
        counts.initialize(repeating: 0, count: rankCount)
        displacements.initialize(repeating: 0, count: rankCount)
    }

    deinit {
        counts.deallocate()
        displacements.deallocate()
    }

    /// The elements of a rank's part.
    subscript(rank: Int) -> Range<Int> {
        get { Int(displacements[rank])..<Int(displacements[rank] + counts[rank]) }
        set {
            displacements[rank] = Int32(newValue.lowerBound)
            counts[rank] = Int32(newValue.count)
        }
    }

    /// Number of elements of all parts.
    var count: Int { (0..<rankCount).reduce(0) { $0 + Int(counts[$1]) } }

    /// After this, every rank has all parts of the buffer.
    func gather<Element: MPIElement>(_ buffer: UnsafeMutablePointer<Element>, _ world: Communicator) throws {
        try world.allGatherInPlace(
            UnsafeMutableBufferPointer(start: buffer, count: count), counts: counts, displacements: displacements)
    }
}
