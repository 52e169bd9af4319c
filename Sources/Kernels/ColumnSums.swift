/// db = the column sums of dy for each slice, summed along the tree.
public func sumColumns(_ slices: RowSlices, _ dy: Matrix, into gradient: GradientSums) {
    shareOut(dy.columns, unit: 16, least: ThreadTeam.leastElements / max(1, slices.rows), (slices, dy, gradient)) {
        work, columns in
        let (slices, dy, gradient) = work
        sumRows(slices, columns: columns, into: gradient) { row, sum in
            addVector(dy.row(row) + columns.lowerBound, to: sum, count: columns.count)
        }
    }
}

/// dg = the column sums of dy ∘ x for each slice, summed along the tree.
public func sumColumnProducts(_ slices: RowSlices, _ dy: Matrix, _ x: Matrix, into gradient: GradientSums) {
    shareOut(dy.columns, unit: 16, least: ThreadTeam.leastElements / max(1, slices.rows), (slices, dy, x, gradient)) {
        work, columns in
        let (slices, dy, x, gradient) = work
        sumRows(slices, columns: columns, into: gradient) { row, sum in
            let first = columns.lowerBound
            addProduct(dy.row(row) + first, x.row(row) + first, to: sum, count: columns.count)
        }
    }
}

/// The sum of what `add(row, sum)` adds for every row of a slice, in row order, summed along the tree over slices.
@inline(__always)
private func sumRows(
    _ slices: RowSlices, columns: Range<Int>, into gradient: GradientSums,
    add: (_ row: Int, _ sum: UnsafeMutablePointer<Float>) -> Void
) {
    sumOverSlices(slices, columns: columns, into: gradient) { slice, destination in
        destination.update(repeating: 0, count: columns.count)
        for turn in 0..<slices.turns {
            for row in slices.range(slice, turn: turn) { add(row, destination) }
        }
    }
}

/// Sums what `leaf` writes of some columns for each slice, into the sum of each of the rank's subtrees at `offset`.
@inline(__always)
public func sumOverSlices(
    _ slices: RowSlices, columns: Range<Int>, into gradient: GradientSums, at offset: Int = 0,
    leaf: (_ slice: Int, _ destination: UnsafeMutablePointer<Float>) -> Void
) {
    let tree = slices.tree
    for subtree in 0..<tree.subtrees.count {
        tree.sum(tree.subtrees[subtree], columns: columns, into: gradient[tree.firstSum + subtree] + offset, leaf: leaf)
    }
}
