/// y = x·Wᵀ, one product for each slice of rows; added to y where `accumulating`.
public func multiplySlices(
    _ slices: RowSlices, _ x: Matrix, byTransposed weight: Matrix, into y: Matrix, accumulating: Bool = false
) {
    forEachSlice(slices) { range in
        multiply(x.rows(range), weight, transposed: (false, true), into: y.rows(range), accumulating: accumulating)
    }
}

/// dx = dy·W, one product for each slice of rows; added to dx where `accumulating`.
public func multiplySlices(
    _ slices: RowSlices, _ dy: Matrix, by weight: Matrix, into dx: Matrix, accumulating: Bool = false
) {
    forEachSlice(slices) { range in
        multiply(dy.rows(range), weight, into: dx.rows(range), accumulating: accumulating)
    }
}

/// dW = dyᵀ·x for each slice, summed along the tree.
///
/// Formed in panels of output rows that stay in cache while they are summed, so exactness costs neither a gradient buffer for each
/// slice nor passes over memory.
public func sumOuterProducts(_ slices: RowSlices, _ dy: Matrix, _ x: Matrix, into gradient: GradientSums) {
    let panelRows = max(1, min(dy.columns, slices.tree.panelCapacity / x.columns))
    var first = 0
    while first < dy.columns {
        let panel = first..<min(first + panelRows, dy.columns)
        let dyPanel = dy.columns(panel)
        sumOverSlices(slices, count: panel.count * x.columns, into: gradient, at: first * x.columns) {
            slice, destination in
            let product = Matrix(destination, rows: panel.count, columns: x.columns)
            if slices.turns == 0 { product.fill(0) }
            for turn in 0..<slices.turns {
                let range = slices.range(slice, turn: turn)
                multiply(
                    dyPanel.rows(range), x.rows(range), transposed: (true, false), into: product, accumulating: turn > 0
                )
            }
        }
        first = panel.upperBound
    }
}

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

@inline(__always)
private func forEachSlice(_ slices: RowSlices, _ body: (Range<Int>) -> Void) {
    for turn in 0..<slices.turns {
        for slice in 0..<slices.count { body(slices.range(slice, turn: turn)) }
    }
}
