extension RandomStep {
    /// Writes normally distributed numbers for a row at a site (Box and Muller's transform of two uniform ones each).
    public func writeNormals(
        to values: UnsafeMutablePointer<Float>, count: Int, deviation: Float, site: Int, row: RowIdentity
    ) {
        func normal(_ first: UInt32, _ second: UInt32) -> Float {
            let radius = (-2 * logarithm(1 - Double(first) * 0x1p-32)).squareRoot()
            return deviation * Float(radius * cosine(turns: Double(second) * 0x1p-32))
        }
        var start = 0
        while start < count {
            let counter = SIMD4(UInt32(start / 2), UInt32(site) << 16 | (row.row & 0xFFFF), row.example, step)
            let words = Philox.block(counter: counter, key: key)
            values[start] = normal(words.x, words.y)
            if start + 1 < count { values[start + 1] = normal(words.z, words.w) }
            start += 2
        }
    }
}

/// What of a row of noise is brought to a given size.
public enum NoiseNorm: String, CaseIterable, Sendable {
    /// The largest magnitude.
    case largest = "inf"
    /// The root of the sum of squares.
    case euclidean = "l2"
    /// Every magnitude: only signs are left.
    case signs = "l1"
}

/// noise = radius · d / (‖d‖ + ε) with d = noise + step · gradient; of signs radius · sign(d).
public func climb(
    _ noise: UnsafeMutablePointer<Float>, along gradient: UnsafePointer<Float>, count: Int, step: Float,
    norm: NoiseNorm, radius: Float, epsilon: Float
) {
    forEachVector(count) { start, count in
        store(load(noise + start, count) + load(gradient + start, count) * step, noise + start, count)
    }
    if norm == .signs {
        for index in 0..<count where noise[index] != 0 && !noise[index].isNaN {
            noise[index] = noise[index] > 0 ? radius : -radius
        }
        return
    }
    var size: Float = 0
    if norm == .largest {
        for index in 0..<count { size = max(size, abs(noise[index])) }
    } else {
        size = Float(sumOfSquares(noise, count: count).squareRoot())
    }
    let factor = radius / (size + epsilon)
    forEachVector(count) { start, count in store(load(noise + start, count) * factor, noise + start, count) }
}
