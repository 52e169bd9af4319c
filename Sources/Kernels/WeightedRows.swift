/// sum = Σⱼ weights[j] · rows[j]
public func weightedSum(of rows: Matrix, weights: UnsafePointer<Float>, into sum: UnsafeMutablePointer<Float>) {
    sum.update(repeating: 0, count: rows.columns)
    for row in 0..<rows.rows { addScaled(rows.row(row), weights[row], to: sum, count: rows.columns) }
}

/// to += factor · from
@inline(__always)
public func addScaled(
    _ from: UnsafePointer<Float>, _ factor: Float, to: UnsafeMutablePointer<Float>, count: Int
) {
    forEachVector(count) { start, count in
        store(load(to + start, count) + load(from + start, count) * factor, to + start, count)
    }
}

/// c = a ∘ b; it may be one of them.
@inline(__always)
public func elementwiseProduct(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, into c: UnsafeMutablePointer<Float>, count: Int
) {
    forEachVector(count) { start, count in
        store(load(a + start, count) * load(b + start, count), c + start, count)
    }
}

/// to += a ∘ b
@inline(__always)
public func addProduct(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, to: UnsafeMutablePointer<Float>, count: Int
) {
    forEachVector(count) { start, count in
        store(load(to + start, count) + load(a + start, count) * load(b + start, count), to + start, count)
    }
}

/// features = factors ∘ [x ; s ; |x - s| ; x ∘ s], the comparison that the answer network classifies.
public func compare(
    _ x: UnsafePointer<Float>, _ s: UnsafePointer<Float>, factors: UnsafePointer<Float>,
    into features: UnsafeMutablePointer<Float>, columns: Int
) {
    forEachVector(columns) { start, count in
        let a = load(x + start, count)
        let b = load(s + start, count)
        let difference = a - b
        store(a * load(factors + start, count), features + start, count)
        store(b * load(factors + columns + start, count), features + columns + start, count)
        let magnitude = larger(difference, -difference)
        store(magnitude * load(factors + 2 * columns + start, count), features + 2 * columns + start, count)
        store(a * b * load(factors + 3 * columns + start, count), features + 3 * columns + start, count)
    }
}

/// The backward of `compare`: dx is written, ds is added to.
public func compareBackward(
    _ dfeatures: UnsafePointer<Float>, x: UnsafePointer<Float>, s: UnsafePointer<Float>,
    factors: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>, ds: UnsafeMutablePointer<Float>, columns: Int
) {
    @inline(__always)
    func gradient(_ part: Int, _ start: Int, _ count: Int) -> Vector {
        let index = part * columns + start
        return load(dfeatures + index, count) * load(factors + index, count)
    }
    forEachVector(columns) { start, count in
        let a = load(x + start, count)
        let b = load(s + start, count)
        let dproduct = gradient(3, start, count)
        let dmagnitude = gradient(2, start, count)
        // d|x - s| is ± by the sign of the difference, and 0 where the two are equal (as torch's).
        let signed = dmagnitude.replacing(with: -dmagnitude, where: a .< b).replacing(with: 0, where: a .== b)
        store(gradient(0, start, count) + signed + b * dproduct, dx + start, count)
        let previous = load(ds + start, count)
        store(previous + gradient(1, start, count) - signed + a * dproduct, ds + start, count)
    }
}
