import Communication
import Kernels
import Model

/// Brings updated values from their owners to all ranks.
final class ValueExchange {
    private let world: Communicator
    private let model: MultiTaskModel
    private let ownerships: [Ownership]
    private let counts, displacements: UnsafeMutablePointer<Int32>
    /// Bytes that this rank has sent so far, to each of the others.
    private(set) var sentByteCount = 0

    init(_ world: Communicator, _ model: MultiTaskModel, _ ownerships: [Ownership]) {
        self.world = world
        self.model = model
        self.ownerships = ownerships
        counts = .allocate(capacity: world.size)
        displacements = .allocate(capacity: world.size)
        counts.initialize(repeating: 0, count: world.size)
        displacements.initialize(repeating: 0, count: world.size)
    }

    deinit {
        counts.deallocate()
        displacements.deallocate()
    }

    /// All values of a group.
    func gather(group: Int) throws {
        guard world.size > 1 else { return }
        let range = ownerships[group].group.range
        for rank in 0..<world.size {
            counts[rank] = Int32(ownerships[group].range(of: rank).count)
            displacements[rank] = Int32(ownerships[group].range(of: rank).lowerBound - range.lowerBound)
        }
        let values = UnsafeMutableBufferPointer(start: model.parameters.values + range.lowerBound, count: range.count)
        try world.allGatherInPlace(values, counts: counts, displacements: displacements)
        sentByteCount += 4 * Int(counts[world.rank])
    }

    /// The word embeddings that the batch at hand touches; others may be out of date where they are not owned.
    func gatherTouchedWords() throws {
        guard world.size > 1 else { return }
        let words = model.wordGradient
        let values = model.encoder.wordEmbeddings.value
        let rows = words.buffer(0)  // free until the backward of this step
        for rank in 0..<world.size {
            let part = touchedRows(of: rank)
            counts[rank] = Int32(part.count * words.columns)
            displacements[rank] = Int32(part.lowerBound * words.columns)
        }
        for row in touchedRows(of: world.rank) {
            rows.row(row).update(from: values.row(Int(words.touched[row])), count: words.columns)
        }
        try world.allGatherInPlace(
            UnsafeMutableBufferPointer(start: rows.pointer, count: words.count * words.columns), counts: counts,
            displacements: displacements)
        for row in 0..<words.count {
            values.row(Int(words.touched[row])).update(from: rows.row(row), count: words.columns)
        }
        sentByteCount += 4 * Int(counts[world.rank])
    }

    private func touchedRows(of rank: Int) -> Range<Int> {
        let range = ownerships[0].range(of: rank)
        let columns = model.wordGradient.columns
        return model.wordGradient.touchedRows(from: range.lowerBound / columns, below: range.upperBound / columns)
    }
}
