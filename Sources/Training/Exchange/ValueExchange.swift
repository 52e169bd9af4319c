import Communication
import Kernels
import Model

/// Brings updated values from their owners to all ranks.
final class ValueExchange {
    private let world: Communicator
    private let model: MultiTaskModel
    private let ownerships: [Ownership]
    private let layout: GatherLayout
    /// Bytes that this rank has sent so far, to each of the others.
    private(set) var sentByteCount = 0

    init(_ world: Communicator, _ model: MultiTaskModel, _ ownerships: [Ownership]) {
        self.world = world
        self.model = model
        self.ownerships = ownerships
        layout = GatherLayout(world)
    }

    /// All values of a group.
    func gather(group: Int) throws {
        guard world.size > 1 else { return }
        let range = ownerships[group].group.range
        for rank in 0..<world.size {
            let part = ownerships[group].range(of: rank)
            layout[rank] = (part.lowerBound - range.lowerBound)..<(part.upperBound - range.lowerBound)
        }
        try layout.gather(model.parameters.values + range.lowerBound, world)
        sentByteCount += 4 * layout[world.rank].count
    }

    /// The word embeddings that the batch at hand touches; others may be out of date where they are not owned.
    func gatherTouchedWords() throws {
        guard world.size > 1 else { return }
        let words = model.wordGradient
        let values = model.encoder.wordEmbeddings.value
        let rows = words.buffer(0)  // free until the backward of this step
        for rank in 0..<world.size {
            let part = touchedRows(of: rank)
            layout[rank] = (part.lowerBound * words.columns)..<(part.upperBound * words.columns)
        }
        for row in touchedRows(of: world.rank) {
            rows.row(row).update(from: values.row(Int(words.touched[row])), count: words.columns)
        }
        try layout.gather(rows.pointer, world)
        for row in 0..<words.count {
            values.row(Int(words.touched[row])).update(from: rows.row(row), count: words.columns)
        }
        sentByteCount += 4 * layout[world.rank].count
    }

    private func touchedRows(of rank: Int) -> Range<Int> {
        let range = ownerships[0].range(of: rank)
        let columns = model.wordGradient.columns
        return model.wordGradient.touchedRows(from: range.lowerBound / columns, below: range.upperBound / columns)
    }
}
