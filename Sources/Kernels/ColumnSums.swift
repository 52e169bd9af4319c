/// db = the column sums of dy for each slice, summed along the tree.
public func sumColumns(_ slices: RowSlices, _ dy: Matrix, into gradient: GradientSums) {
    sumRows(slices, columns: dy.columns, into: gradient) { row, sum in
        addVector(dy.row(row), to: sum, count: dy.columns)
    }
}

/// dg = the column sums of dy ∘ x for each slice, summed along the tree.
public func sumColumnProducts(_ slices: RowSlices, _ dy: Matrix, _ x: Matrix, into gradient: GradientSums) {
    sumRows(slices, columns: dy.columns, into: gradient) { row, sum in
        let a = dy.row(row)
        let b = x.row(row)
        forEachVector(dy.columns) { start, count in
            store(load(sum + start, count) + load(a + start, count) * load(b + start, count), sum + start, count)
        }
    }
}

/// The sum of what `add(row, sum)` adds for every row of a slice, in row order, summed along the tree over slices.
@inline(__always)
private func sumRows(
    _ slices: RowSlices, columns: Int, into gradient: GradientSums,
    add: (_ row: Int, _ sum: UnsafeMutablePointer<Float>) -> Void
) {
    sumOverSlices(slices, count: columns, into: gradient) { slice, destination in
        destination.update(repeating: 0, count: columns)
        for turn in 0..<slices.turns {
            for row in slices.range(slice, turn: turn) { add(row, destination) }
        }
    }
}

/// Sums what `leaf` writes for each slice, into the sum of each of the rank's subtrees at `offset`.
@inline(__always)
public func sumOverSlices(
    _ slices: RowSlices, count: Int, into gradient: GradientSums, at offset: Int = 0,
    leaf: (_ slice: Int, _ destination: UnsafeMutablePointer<Float>) -> Void
) {
    let tree = slices.tree
    for subtree in 0..<tree.subtrees.count {
        tree.sum(tree.subtrees[subtree], count: count, into: gradient[subtree] + offset, leaf: leaf)
    }
}
