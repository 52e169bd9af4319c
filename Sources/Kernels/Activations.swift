/// x += b; y = GELU(x) = x · Φ(x), the erf form that BERT uses.
///
/// For a backward to follow, x is replaced by the derivative Φ(x) + x·φ(x), which shares its terms with the value.
public func biasGELU(_ x: Matrix, bias: UnsafePointer<Float>, into y: Matrix, keepingDerivative: Bool) {
    forEachRow(of: x, (x, bias, y, keepingDerivative)) { work, index in
        let (x, bias, y, keepingDerivative) = work
        let input = x.row(index)
        let output = y.row(index)
        forEachVector(x.columns) { start, count in
            let value = load(input + start, count) + load(bias + start, count)
            let half = normalDistribution(value)
            store(value * half, output + start, count)
            if keepingDerivative {
                // Beyond ±20 the product is zero, but `exponential` never is, and times 10³⁸ what it gives would count.
                let bounded = smaller(larger(value, Vector(repeating: -20)), Vector(repeating: 20))
                let density = exponential(bounded * bounded * -0.5) * 0.398_942_28
                store(half + bounded * density, input + start, count)
            }
        }
    }
}

/// dx = dy ∘ derivative, in place of dy.
public func multiplyElements(_ gradient: Matrix, by derivative: Matrix) {
    forEachRow(of: gradient, (gradient, derivative)) { work, index in
        let (gradient, derivative) = work
        let row = gradient.row(index)
        elementwiseProduct(row, derivative.row(index), into: row, count: gradient.columns)
    }
}

/// x = tanh(x + b) in place.
public func biasTanh(_ x: Matrix, bias: UnsafePointer<Float>) {
    for index in 0..<x.rows {
        let values = x.row(index)
        forEachVector(x.columns) { start, count in
            store(hyperbolicTangent(load(values + start, count) + load(bias + start, count)), values + start, count)
        }
    }
}

/// dx = dy ∘ (1 - y²), in place of dy.
public func tanhBackward(_ gradient: Matrix, output: Matrix) {
    for index in 0..<gradient.rows {
        let values = gradient.row(index)
        let outputs = output.row(index)
        forEachVector(gradient.columns) { start, count in
            let y = load(outputs + start, count)
            store(load(values + start, count) * (1 - y * y), values + start, count)
        }
    }
}

/// x += b, row by row.
public func addBias(_ x: Matrix, _ bias: UnsafePointer<Float>) {
    forEachRow(of: x, (x, bias)) { work, index in
        let (x, bias) = work
        addVector(bias, to: x.row(index), count: x.columns)
    }
}

/// Φ(x), the normal distribution function, from an approximation of erfc with a relative error of 1.2 · 10⁻⁷ everywhere
/// (Press et al., Numerical Recipes, `erfcc`).
@inline(__always)
private func normalDistribution(_ x: Vector) -> Vector {
    let z = larger(x, -x) * 0.707_106_77
    let t = 1 / (1 + z * 0.5)
    var p = multiplyAdd(t, Vector(repeating: 0.170_872_77), -0.822_152_23)
    p = multiplyAdd(p, t, 1.488_515_87)
    p = multiplyAdd(p, t, -1.135_203_98)
    p = multiplyAdd(p, t, 0.278_868_07)
    p = multiplyAdd(p, t, -0.186_288_06)
    p = multiplyAdd(p, t, 0.096_784_18)
    p = multiplyAdd(p, t, 0.374_091_96)
    p = multiplyAdd(p, t, 1.000_023_68)
    p = multiplyAdd(p, t, -1.265_512_23)
    let tail = t * exponential(p - z * z) * 0.5
    return tail.replacing(with: 1 - tail, where: x .> 0)
}
