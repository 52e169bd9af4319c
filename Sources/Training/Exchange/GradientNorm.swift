import Communication
import Foundation
import Kernels
import Model

/// The Euclidean norm of the gradient of all active groups.
///
/// Owners sum the squares of each of their rows; all ranks receive all row sums and add them in row order, so the norm does not depend
/// on who owns what.
final class GradientNorm {
    private let world: Communicator
    private let exchange: GradientExchange
    private let ownerships: [Ownership]
    private let words: WordGradient
    private let sums: UnsafeMutablePointer<Double>
    private let layout: GatherLayout
    /// Rows of each group that each rank owns; those of word embeddings change from batch to batch.
    private var rowCounts: [[Int]]

    init(_ world: Communicator, _ exchange: GradientExchange, _ ownerships: [Ownership], _ words: WordGradient) {
        self.world = world
        self.exchange = exchange
        self.ownerships = ownerships
        self.words = words
        rowCounts = ownerships.map { ownership in
            (0..<world.size).map { ownership.pieces(of: $0).reduce(0) { $0 + $1.rows.count } }
        }
        let rows = words.capacity + rowCounts.dropFirst().joined().reduce(0, +)
        sums = .allocate(capacity: rows)
        layout = GatherLayout(rankCount: world.size)
    }

    deinit { sums.deallocate() }

    /// The norm over the active groups, the same on every rank.
    func compute(activeGroups: [Bool]) throws -> Double {
        layOut(activeGroups)
        writeOwnSums(activeGroups)
        try layout.gather(sums, world)
        return sumInRowOrder(activeGroups).squareRoot()
    }

    /// One run of sums for each rank, groups in order within it.
    private func layOut(_ activeGroups: [Bool]) {
        var first = 0
        for rank in 0..<world.size {
            let owned = ownerships[ParameterGroup.wordEmbeddings].range(of: rank)
            rowCounts[ParameterGroup.wordEmbeddings][rank] =
                words.touchedRows(from: owned.lowerBound / words.columns, below: owned.upperBound / words.columns).count
            var count = 0
            for group in 0..<ownerships.count where activeGroups[group] { count += rowCounts[group][rank] }
            layout[rank] = first..<(first + count)
            first += count
        }
    }

    private func writeOwnSums(_ activeGroups: [Bool]) {
        var next = layout[world.rank].lowerBound
        for group in 0..<ownerships.count where activeGroups[group] {
            guard var row = exchange.ownedSegment(group).baseAddress else { continue }
            func write(rows: Int, columns: Int) {
                shareOut(rows, least: ThreadTeam.leastElements / max(1, columns), (sums + next, row, columns)) {
                    work, rows in
                    let (sums, first, columns) = work
                    for index in rows { sums[index] = sumOfSquares(first + index * columns, count: columns) }
                }
                next += rows
                row += rows * columns
            }
            if group == ParameterGroup.wordEmbeddings {
                write(rows: rowCounts[group][world.rank], columns: words.columns)
            } else {
                for piece in ownedPieces[group] { write(rows: piece.rows.count, columns: piece.parameter.columns) }
            }
        }
    }

    private lazy var ownedPieces: [[Ownership.Piece]] = ownerships.map { $0.pieces(of: world.rank) }

    private func sumInRowOrder(_ activeGroups: [Bool]) -> Double {
        var total = 0.0
        for group in 0..<ownerships.count where activeGroups[group] {
            for rank in 0..<world.size {
                var first = layout[rank].lowerBound
                for earlier in 0..<group where activeGroups[earlier] { first += rowCounts[earlier][rank] }
                for index in first..<(first + rowCounts[group][rank]) { total += sums[index] }
            }
        }
        return total
    }
}
