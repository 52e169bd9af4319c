import Model

/// Which rank owns which rows of one parameter group: contiguous runs of rows of about equal size.
///
/// The owner of a row sums its gradient, keeps its moments, updates it and writes it into the checkpoint.
struct Ownership {
    /// The rows of one parameter that one rank owns.
    struct Piece {
        let parameter: Parameter
        let rows: Range<Int>

        /// Places in the flat layout.
        var range: Range<Int> {
            (parameter.offset + rows.lowerBound * parameter.columns)..<(parameter.offset + rows.upperBound
                * parameter.columns)
        }
    }

    /// The group.
    let group: ParameterGroup
    /// Where each rank's elements begin in the flat layout, and where the last one's end [ranks + 1].
    let bounds: [Int]

    /// Divides `group` among `rankCount` ranks: each boundary is the row boundary nearest to its even share.
    init(_ group: ParameterGroup, rankCount: Int) {
        self.group = group
        let whole = group.range
        var bounds = [whole.lowerBound]
        for rank in 1..<max(1, rankCount) {
            let target = whole.lowerBound + whole.count * rank / rankCount
            bounds.append(max(bounds[rank - 1], Ownership.rowBoundary(nearest: target, in: group)))
        }
        self.bounds = bounds + [whole.upperBound]
    }

    /// The elements that a rank owns.
    func range(of rank: Int) -> Range<Int> { bounds[rank]..<bounds[rank + 1] }

    /// The rows that a rank owns, parameter by parameter.
    func pieces(of rank: Int) -> [Piece] {
        let owned = range(of: rank)
        return group.parameters.compactMap { parameter in
            let part = parameter.range.clamped(to: owned)
            guard !part.isEmpty else { return nil }
            let first = (part.lowerBound - parameter.offset) / parameter.columns
            return Piece(parameter: parameter, rows: first..<(first + part.count / parameter.columns))
        }
    }

    private static func rowBoundary(nearest target: Int, in group: ParameterGroup) -> Int {
        guard let parameter = group.parameters.first(where: { $0.range.contains(target) }) else {
            return group.range.upperBound
        }
        let row = (target - parameter.offset + parameter.columns / 2) / parameter.columns
        return parameter.offset + row * parameter.columns
    }
}
