import Communication
import Kernels
import Model

/// The second half of LAMB's update (You et al. 2020): each matrix moves along its direction, as far as the ratio of its own norm to the direction's says.
/// Biases and LayerNorms move as with Adam.
///
/// Owners sum the squares of each of their rows; all ranks receive all sums and add them in row order, so the ratios do not depend on who owns
/// what.
final class TrustRatios {
    /// The rows of one parameter that one rank owns.
    private struct Piece {
        /// Number of the parameter in its group.
        let parameter: Int
        let rowCount: Int
    }

    private let rank, rankCount: Int
    private let optimizer: Optimizer
    /// The matrices of each group that each rank owns rows of. // [groups][ranks]
    private let matrices: [[[Piece]]]
    /// For each row of a matrix the sum of squares of its values, then of its direction.
    let sums: UnsafeMutablePointer<Double>
    /// Where each rank's sums are.
    let layout: GatherLayout
    private var cursors: [Int]
    /// The sums over the parameters of the group at hand.
    private var valueSums, directionSums: [Double]

    /// - Parameter optimizer: that of rank `rank`.
    init(_ optimizer: Optimizer, _ ownerships: [Ownership], rank: Int, of rankCount: Int) {
        self.rank = rank
        self.rankCount = rankCount
        self.optimizer = optimizer
        matrices = ownerships.map { ownership in
            (0..<rankCount).map { rank in
                ownership.pieces(of: rank).filter { Optimizer.isMatrix($0.parameter) }.map { piece in
                    let number = ownership.group.parameters.firstIndex { $0.offset == piece.parameter.offset }!
                    return Piece(parameter: number, rowCount: piece.rows.count)
                }
            }
        }
        let rows = matrices.joined().joined().reduce(0) { $0 + $1.rowCount }
        sums = .allocate(capacity: 2 * rows)
        sums.initialize(repeating: 0, count: 2 * rows)
        layout = GatherLayout(rankCount: rankCount)
        cursors = Array(repeating: 0, count: rankCount)
        let parameters = ownerships.map(\.group.parameters.count).max() ?? 0
        valueSums = Array(repeating: 0, count: parameters)
        directionSums = valueSums
    }

    deinit { sums.deallocate() }

    /// Moves the values of groups whose moments have been updated.
    /// - Parameter steps: how many updates each group has had, this one included.
    func move(groups: [Int], rate: Float, steps: [Int], _ world: Communicator) throws {
        writeOwnSums(groups, steps)
        try layout.gather(sums, world)
        moveOwn(groups, rate: rate, steps)
    }

    /// The second part, for which all ranks' sums must be there.
    func moveOwn(_ groups: [Int], rate: Float, _ steps: [Int]) {
        for rank in 0..<rankCount { cursors[rank] = layout[rank].lowerBound }
        for group in groups {
            addUp(group)
            for owned in optimizer.owned[group] {
                let direction = optimizer.direction(owned, step: steps[group])
                move(owned, along: direction, rate: rate * ratio(of: owned))
            }
        }
    }

    private func layOut(_ groups: [Int]) {
        var first = 0
        for rank in 0..<rankCount {
            var count = 0
            for group in groups { for piece in matrices[group][rank] { count += 2 * piece.rowCount } }
            layout[rank] = first..<(first + count)
            first += count
        }
    }

    /// The first part: sums over the rows that this rank owns.
    func writeOwnSums(_ groups: [Int], _ steps: [Int]) {
        layOut(groups)
        var next = sums + layout[rank].lowerBound
        for group in groups {
            for owned in optimizer.owned[group] where Optimizer.isMatrix(owned.piece.parameter) {
                let columns = owned.piece.parameter.columns
                let direction = optimizer.direction(owned, step: steps[group])
                shareOut(
                    owned.piece.rows.count, least: ThreadTeam.leastElements / max(1, columns),
                    (optimizer, owned, direction, next)
                ) { work, rows in
                    let (optimizer, owned, direction, sums) = work
                    for row in rows {
                        let run = optimizer.run(owned, row: row)
                        sums[2 * row] = sumOfSquares(run.values, count: run.count)
                        sums[2 * row + 1] = direction.sumOfSquares(run)
                    }
                }
                next += 2 * owned.piece.rows.count
            }
        }
    }

    /// Adds up the sums of a group's matrices: ranks own rows in their order.
    private func addUp(_ group: Int) {
        for index in valueSums.indices {
            valueSums[index] = 0
            directionSums[index] = 0
        }
        for rank in 0..<rankCount {
            for piece in matrices[group][rank] {
                for _ in 0..<piece.rowCount {
                    valueSums[piece.parameter] += sums[cursors[rank]]
                    directionSums[piece.parameter] += sums[cursors[rank] + 1]
                    cursors[rank] += 2
                }
            }
        }
    }

    /// ‖p‖ / ‖u‖, or 1 where either is zero and for what is no matrix.
    private func ratio(of owned: Optimizer.OwnedPiece) -> Float {
        guard Optimizer.isMatrix(owned.piece.parameter) else { return 1 }
        let (values, direction) = (valueSums[owned.number], directionSums[owned.number])
        return values > 0 && direction > 0 ? Float((values / direction).squareRoot()) : 1
    }

    private func move(_ owned: Optimizer.OwnedPiece, along direction: LAMBDirection, rate: Float) {
        shareOut(
            owned.piece.rows.count, least: ThreadTeam.leastElements / max(1, owned.piece.parameter.columns),
            (optimizer, owned, direction, rate)
        ) { work, rows in
            let (optimizer, owned, direction, rate) = work
            for row in rows { direction.move(optimizer.run(owned, row: row), rate: rate) }
        }
    }
}
