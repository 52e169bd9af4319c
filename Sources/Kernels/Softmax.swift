/// p = softmax(scale · s) in place.
public func softmax(_ row: UnsafeMutablePointer<Float>, count: Int, scale: Float = 1) {
    let inverse = 1 / exponentials(row, count: count, scale: scale).sum
    forEachVector(count) { start, count in
        store(load(row + start, count) * inverse, row + start, count)
    }
}

/// e^(scale · s - largest) in place, `largest` being the largest of scale · s; returns it and the sum.
@inline(__always)
func exponentials(
    _ row: UnsafeMutablePointer<Float>, count: Int, scale: Float = 1
) -> (largest: Float, sum: Float) {
    var maximum = Vector(repeating: -.infinity)
    forEachVector(count) { start, count in
        var values = load(row + start, count) * scale
        if count < 8 { values = values.filled(from: count, with: -.infinity) }
        maximum = larger(maximum, values)
    }
    let largest = maximum.largest
    var sum = Vector.zero
    forEachVector(count) { start, count in
        var powers = exponential(load(row + start, count) * scale - largest)
        if count < 8 { powers = powers.filled(from: count, with: 0) }
        sum += powers
        store(powers, row + start, count)
    }
    return (largest, sum.total)
}

/// ds = scale · p ∘ (dp - p·dp), in place of dp.
public func softmaxBackward(
    _ gradient: UnsafeMutablePointer<Float>, probabilities: UnsafePointer<Float>, count: Int, scale: Float = 1
) {
    let mean = dotProduct(gradient, probabilities, count: count)
    forEachVector(count) { start, count in
        let p = load(probabilities + start, count)
        store(p * (load(gradient + start, count) - mean) * scale, gradient + start, count)
    }
}
