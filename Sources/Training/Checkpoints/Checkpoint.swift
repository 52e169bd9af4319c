import Foundation
import Model
import Storage

/// A checkpoint on disk whose manifest is whole; its other files may be damaged until `verify` has looked.
struct Checkpoint: Sendable {
    let path: String
    let manifest: Manifest
    var step: Int { manifest.step }

    /// Reads the manifest in the folder at `path`.
    init(path: String) throws {
        self.path = path
        manifest = try Manifest(path: "\(path)/\(Manifest.name)")
        let name = (path as NSString).lastPathComponent
        if let step = CheckpointFolder.step(ofName: name), step != manifest.step {
            throw TrainingError("\(path)/\(Manifest.name): is damaged: it is that of step \(manifest.step)")
        }
    }

    /// Throws unless every file has the bytes that were written; names all that have not.
    func verify() throws {
        let damage = manifest.damage(in: path)
        guard damage.isEmpty else { throw TrainingError(damage.joined(separator: "; ")) }
    }

    /// What a path given by a user stands for: the checkpoint there, or of a run folder its best whole one, or else its newest.
    /// - Parameters:
    ///   - probe: looks into it before this process does.
    ///   - report: receives a sentence for each checkpoint that is damaged and passed over, and one that says the choice.
    static func find(
        _ path: String, probe: CheckpointProbe = .none, report: (String) -> Void
    ) throws -> Checkpoint {
        if FileManager.default.fileExists(atPath: "\(path)/\(Manifest.name)") {
            let checkpoint = try Checkpoint(path: path)
            try checkpoint.verify()
            try probe.require(path)
            return checkpoint
        }
        let folder = CheckpointFolder(run: path)
        guard let best = try folder.bestWhole(report: report) else {
            throw TrainingError("\(path): is neither a checkpoint nor a run folder with a whole one")
        }
        try probe.require(best.path)
        report(
            "\(path): takes step \(best.step), \(best.manifest.score == nil ? "the newest whole" : "the best whole") checkpoint"
        )
        return best
    }
}

// The contents of its shards. HDF5 gets to see only files whose checksums hold, so `verify` comes first.
extension Checkpoint {
    /// The rows of one parameter in one shard.
    struct Part {
        let name: String
        /// Dimensions of the whole parameter.
        let shape: [Int]
        let rows: Range<Int>
        /// The places of its elements in the whole parameter.
        let elements: Range<Int>

        /// Its moments of one kind, row after row.
        func moments(_ kind: String, from file: HDF5File) throws -> [Float] {
            let dataset = "\(kind)/\(name)"
            guard try file.shape(of: dataset) == [rows.count] + shape.dropFirst() else {
                throw TrainingError("\(file.path): \(dataset) has another shape than the parameter")
            }
            _ = try file.offset(of: dataset, as: Float.self)
            return try file.read(dataset, as: Float.self)
        }

        /// Reads its values into their place in `parameter`.
        func read(from file: HDF5File, into parameter: Parameter) throws {
            try file.read(
                "\(Shard.kinds[0])/\(name)",
                into: UnsafeMutableBufferPointer(start: parameter.pointer + elements.lowerBound, count: elements.count))
        }
    }

    /// Calls `body` with each part in turn and the open file that it is in; throws unless the parts are the whole of every parameter.
    func forEachPart(_ body: (HDF5File, Part) throws -> Void) throws {
        var rowsSoFar: [String: Int] = [:]
        for shard in manifest.shardNames {
            let file = try HDF5File(reading: "\(path)/\(shard)")
            let step = try file.integer(attribute: "step", of: "/")
            guard step == Int64(manifest.step) else {
                throw TrainingError(
                    "\(file.path): is a shard of step \(step) in a checkpoint of step \(manifest.step); "
                        + "move \(path) away, and take an earlier checkpoint")
            }
            for (name, shape) in manifest.origin.parameters.sorted(by: { $0.key < $1.key }) {
                let dataset = "\(Shard.kinds[0])/\(name)"
                guard try file.exists(dataset) else { continue }
                RankPosition.advance()
                let first = rowsSoFar[name] ?? 0
                let stored = try file.shape(of: dataset)
                // Neither elsewhere, nor more than the shard has bytes.
                _ = try file.offset(of: dataset, as: Float.self)
                guard try file.integers(attribute: "shape", of: dataset).map({ Int($0) }) == shape,
                    try file.integer(attribute: "rowStart", of: dataset) == Int64(first),
                    stored.count == shape.count, stored.dropFirst() == shape.dropFirst(),
                    let rowCount = stored.first, rowCount <= shape[0] - first
                else {
                    throw TrainingError("\(file.path): \(dataset) does not continue what the shards before it hold")
                }
                rowsSoFar[name] = first + rowCount
                let rowSize = shape.dropFirst().reduce(1, *)
                let elements = (first * rowSize)..<((first + rowCount) * rowSize)
                try body(
                    file, Part(name: name, shape: shape, rows: first..<(first + rowCount), elements: elements))
            }
            try file.close()
        }
        for (name, shape) in manifest.origin.parameters where rowsSoFar[name] != shape.first {
            throw TrainingError("\(path): its shards lack rows of \(name)")
        }
    }
}
