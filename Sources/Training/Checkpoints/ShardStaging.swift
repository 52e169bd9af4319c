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
        /// Its values, first and second moments, and the copy of each.
        let sources: [UnsafePointer<Float>]
        let copies: [UnsafeMutablePointer<Float>]
    }

    private let buffer: FloatBuffer
    private let pieces: [Piece]

    /// Bytes of the copy.
    static func byteCount(_ optimizer: Optimizer) -> Int {
        optimizer.owned.joined().reduce(0) { $0 + Shard.kinds.count * room($1) } * MemoryLayout<Float>.stride
    }

    /// Floats of the copy of a piece's values, or of its moments: each begins with a block, from which it can be written directly.
    private static func room(_ owned: Optimizer.OwnedPiece) -> Int {
        let block = DirectFile.block / MemoryLayout<Float>.stride
        return (owned.piece.range.count + block - 1) / block * block
    }

    /// Makes the memory, and touches it: pages that are new to the process cost more than the copy.
    init(_ optimizer: Optimizer, values: UnsafePointer<Float>) {
        buffer = FloatBuffer(count: ShardStaging.byteCount(optimizer) / MemoryLayout<Float>.stride)
        buffer.pointer.update(repeating: 0, count: buffer.count)
        var next = buffer.pointer
        pieces = optimizer.owned.joined().map { owned in
            let (parameter, rows) = (owned.piece.parameter, owned.piece.rows)
            let room = ShardStaging.room(owned)
            defer { next += Shard.kinds.count * room }
            return Piece(
                name: parameter.name, wholeShape: parameter.shape,
                shape: parameter.shape.count == 1 ? parameter.shape : [rows.count, parameter.columns],
                firstRow: rows.lowerBound, count: owned.piece.range.count,
                sources: [
                    values + owned.piece.range.lowerBound, UnsafePointer(owned.first), UnsafePointer(owned.second),
                ],
                copies: Shard.kinds.indices.map { next + $0 * room })
        }
    }

    /// Copies the present state.
    func fill() {
        for piece in pieces {
            for (source, copy) in zip(piece.sources, piece.copies) { copy.update(from: source, count: piece.count) }
        }
    }

    /// Writes the copy as a shard and waits until it is on the disk; returns its description.
    func write(to path: String, step: Int) throws -> Manifest.File {
        let parts = try layOut(path, step: step)
        let file = try DirectFile(writing: path)
        let (size, sum) = try file.write(parts, progress: RankPosition.advance)
        try file.synchronize()
        return Manifest.File(name: (path as NSString).lastPathComponent, size: size, sha256: sum)
    }

    /// Makes the shard but for its numbers; returns these, and where each belongs.
    private func layOut(
        _ path: String, step: Int
    ) throws -> [(offset: Int, bytes: UnsafeRawBufferPointer)] {
        let file = try HDF5File(creating: path, block: DirectFile.block)
        try file.setAttribute("step", of: "/", to: Int64(step))
        var parts: [(offset: Int, bytes: UnsafeRawBufferPointer)] = []
        for piece in pieces {
            for (kind, copy) in zip(Shard.kinds, piece.copies) {
                let dataset = "\(kind)/\(piece.name)"
                if let offset = try file.reserve(dataset, shape: piece.shape, of: Float.self) {
                    let numbers = UnsafeBufferPointer(start: copy, count: piece.count)
                    parts.append((offset, UnsafeRawBufferPointer(numbers)))
                }
                try file.setAttribute("rowStart", of: dataset, to: Int64(piece.firstRow))
                try file.setAttribute("shape", of: dataset, to: piece.wholeShape.map(Int64.init))
                RankPosition.advance()
            }
        }
        try file.close()
        return parts
    }
}
