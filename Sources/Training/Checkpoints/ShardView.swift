import Storage

/// `model.h5`: every parameter whole, as a view over the shards, for people with h5py. The trainer never reads it.
struct ShardView: Sendable {
    static let fileName = "model.h5"

    private struct Dataset: Sendable {
        let name: String
        let shape: [Int]
        let sources: [VirtualSource]
    }

    private let datasets: [Dataset]

    /// A view over the shards of `rankCount` ranks.
    init(_ ownerships: [Ownership], rankCount: Int) {
        datasets = ownerships.flatMap { ownership in
            let pieces = (0..<rankCount).map { ownership.pieces(of: $0) }
            return ownership.group.parameters.map { parameter in
                let name = "\(Shard.kinds[0])/\(parameter.name)"
                let sources = pieces.enumerated().compactMap { rank, pieces in
                    pieces.first { $0.parameter.name == parameter.name }.map {
                        VirtualSource(
                            file: Shard.name(rank: rank, of: rankCount), dataset: name,
                            rowCount: parameter.shape.count == 1 ? parameter.shape[0] : $0.rows.count,
                            firstRow: $0.rows.lowerBound)
                    }
                }
                return Dataset(name: name, shape: parameter.shape, sources: sources)
            }
        }
    }

    /// Writes the file, and waits until it is on the disk.
    func write(to path: String) throws {
        let file = try HDF5File(creating: path)
        for dataset in datasets { try file.createVirtual(dataset.name, shape: dataset.shape, sources: dataset.sources) }
        try file.close()
        try synchronize(path)
    }
}
