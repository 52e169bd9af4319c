/// A dropout site together with what its decisions depend on in this step.
public struct RowDropout {
    let dropout: Dropout
    let identities: UnsafePointer<RowIdentity>
    let random: RandomStep

    /// `dropout` over rows with `identities` in step `random`; nil where nothing is dropped.
    public init?(_ dropout: Dropout, identities: UnsafePointer<RowIdentity>, random: RandomStep?) {
        guard let random, dropout.isActive else { return nil }
        self.dropout = dropout
        self.identities = identities
        self.random = random
    }

    /// values = values ∘ the factors of row `row`.
    @inline(__always)
    public func apply(to values: UnsafeMutablePointer<Float>, count columns: Int, row: Int) {
        dropout.forEachVector(columns, row: identities[row], random: random) { start, count, factors in
            store(load(values + start, count) * factors, values + start, count)
        }
    }

    /// x = x ∘ factors, row by row. Also its own backward.
    public func apply(to x: Matrix) {
        forEachRow(of: x, (self, x)) { work, row in
            let (dropout, x) = work
            dropout.apply(to: x.row(row), count: x.columns, row: row)
        }
    }

    /// y = x ∘ factors and gradient = gradient ∘ factors, row by row: the factors are drawn once for both.
    public func apply(_ x: Matrix, into y: Matrix, alsoTo gradient: Matrix) {
        for row in 0..<x.rows {
            let values = x.row(row), output = y.row(row), other = gradient.row(row)
            dropout.forEachVector(x.columns, row: identities[row], random: random) { start, count, factors in
                store(load(values + start, count) * factors, output + start, count)
                store(load(other + start, count) * factors, other + start, count)
            }
        }
    }

    /// y = x ∘ factors, row by row.
    public func apply(_ x: Matrix, into y: Matrix) {
        for row in 0..<x.rows {
            y.row(row).update(from: x.row(row), count: x.columns)
            apply(to: y.row(row), count: x.columns, row: row)
        }
    }
}
