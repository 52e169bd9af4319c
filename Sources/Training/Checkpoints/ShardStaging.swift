import Foundation
import Kernels
import Model
import Storage

/// A copy of what this rank owns, values and both moments, from which its shard is written while training changes the originals.
///
/// It is filled only while nobody writes from it.
final class ShardStaging: @unchecked Sendable {
    /// The rows of one parameter.
    private struct Piece {
        let name: String
        /// Dimensions of the whole parameter and of the owned rows; a vector is owned whole.
        let wholeShape, shape: [Int]
        let firstRow: Int
        let count: Int
        let values, first, second: UnsafePointer<Float>
        /// Where its values, first and second moments lie in the buffer, one after another.
        let copy: UnsafeMutablePointer<Float>
    }

    private let buffer: FloatBuffer
    private let pieces: [Piece]

    /// Bytes of the copy.
    static func byteCount(_ optimizer: Optimizer) -> Int { optimizer.byteCount / 2 * 3 }

    /// Makes the memory, and touches it: pages that are new to the process cost more than the copy.
    init(_ optimizer: Optimizer, values: UnsafePointer<Float>) {
        let owned = optimizer.owned.joined()
        buffer = FloatBuffer(count: 3 * owned.reduce(0) { $0 + $1.piece.range.count })
        buffer.pointer.update(repeating: 0, count: buffer.count)
        var next = buffer.pointer
        pieces = owned.map { owned in
            let (parameter, rows) = (owned.piece.parameter, owned.piece.rows)
            let count = owned.piece.range.count
            defer { next += 3 * count }
            return Piece(
                name: parameter.name, wholeShape: parameter.shape,
                shape: parameter.shape.count == 1 ? parameter.shape : [rows.count, parameter.columns],
                firstRow: rows.lowerBound, count: count, values: values + owned.piece.range.lowerBound,
                first: UnsafePointer(owned.first), second: UnsafePointer(owned.second), copy: next)
        }
    }

    /// Copies the present state.
    func fill() {
        for piece in pieces {
            piece.copy.update(from: piece.values, count: piece.count)
            (piece.copy + piece.count).update(from: piece.first, count: piece.count)
            (piece.copy + 2 * piece.count).update(from: piece.second, count: piece.count)
        }
    }

    /// Writes the copy as a shard, and waits until it is on the disk.
    func write(to path: String, step: Int) throws {
        let file = try HDF5File(creating: path)
        try file.setAttribute("step", of: "/", to: Int64(step))
        for piece in pieces {
            for (index, kind) in Shard.kinds.enumerated() {
                let dataset = "\(kind)/\(piece.name)"
                let source = UnsafeBufferPointer(start: piece.copy + index * piece.count, count: piece.count)
                try file.write(source, shape: piece.shape, to: dataset)
                try file.setAttribute("rowStart", of: dataset, to: Int64(piece.firstRow))
                try file.setAttribute("shape", of: dataset, to: piece.wholeShape.map(Int64.init))
                RankPosition.advance()
            }
        }
        try file.close()
        try synchronize(path)
    }
}
