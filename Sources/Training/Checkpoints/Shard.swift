import Foundation
import Model
import Storage

/// `shard-RANK-of-RANKS.h5`: the rows that one rank owns, of values and of both moments.
enum Shard {
    static let kinds = ["parameters", "moments/first", "moments/second"]

    static func name(rank: Int, of rankCount: Int) -> String {
        String(format: "shard-%03d-of-%03d.h5", rank, rankCount)
    }

    /// Writes what this rank owns, and waits until it is on the disk.
    static func write(to path: String, owned: [Optimizer.OwnedPiece], values: UnsafeMutablePointer<Float>) throws {
        let file = try HDF5File(creating: path)
        for piece in owned {
            let sources = [values + piece.piece.range.lowerBound, piece.first, piece.second]
            for (kind, source) in zip(kinds, sources) {
                let dataset = "\(kind)/\(piece.piece.parameter.name)"
                let buffer = UnsafeBufferPointer(start: source, count: piece.piece.range.count)
                try file.write(buffer, shape: piece.piece.shape, to: dataset)
                try file.setAttribute("rowStart", of: dataset, to: Int64(piece.piece.firstRow))
                try file.setAttribute("shape", of: dataset, to: piece.piece.parameter.shape.map(Int64.init))
            }
        }
        try file.close()
        try synchronize(path)
    }

    /// Reads all values of a shard, and those moments in it that this rank owns.
    static func read(_ path: String, into model: MultiTaskModel, owned: [String: Optimizer.OwnedPiece]) throws {
        let file = try HDF5File(reading: path)
        for parameter in model.parameters.all {
            let dataset = "parameters/\(parameter.name)"
            guard try file.exists(dataset) else { continue }
            let first = Int(try file.integer(attribute: "rowStart", of: dataset))
            let shape = try file.shape(of: dataset)
            let whole = try file.integers(attribute: "shape", of: dataset).map(Int.init)
            guard whole == parameter.shape, first >= 0, first + shape[0] <= parameter.shape[0] else {
                throw TrainingError(
                    "\(path): \(parameter.name) has shape \(whole), where this run has \(parameter.shape)")
            }
            let count = shape.reduce(1, *)
            let offset = first * (count / max(1, shape[0]))
            try file.read(dataset, into: UnsafeMutableBufferPointer(start: parameter.pointer + offset, count: count))
            if let piece = owned[parameter.name] {
                try readMoments(file, parameter.name, stored: offset..<(offset + count), piece)
            }
        }
        try file.close()
    }

    /// Reads the rows that both a shard and this rank own.
    private static func readMoments(
        _ file: HDF5File, _ name: String, stored: Range<Int>, _ piece: Optimizer.OwnedPiece
    ) throws {
        let start = piece.piece.range.lowerBound - piece.piece.parameter.offset
        let common = stored.clamped(to: start..<(start + piece.piece.range.count))
        guard !common.isEmpty else { return }
        for (kind, moments) in [("first", piece.first), ("second", piece.second)] {
            let all = try file.read("moments/\(kind)/\(name)", as: Float.self)
            for index in common { moments[index - start] = all[index - stored.lowerBound] }
        }
    }
}

extension Ownership.Piece {
    /// Dimensions of the owned part: a vector is owned whole.
    fileprivate var shape: [Int] { parameter.shape.count == 1 ? parameter.shape : [rows.count, parameter.columns] }
    /// First owned row, as the checkpoint counts rows.
    fileprivate var firstRow: Int { rows.lowerBound }
}
