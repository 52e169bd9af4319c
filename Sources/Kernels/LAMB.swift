/// m = β₁m + (1 - β₁)g, v = β₂v + (1 - β₂)g²; values stay.
public func updateMoments(_ run: UpdateRun, gradientScale: Float, betas: (Float, Float)) {
    run.forEach(scale: gradientScale) { _, g, m, v in
        m = m * betas.0 + g * (1 - betas.0)
        v = v * betas.1 + g * g * (1 - betas.1)
    }
}

/// What LAMB moves values along (You et al. 2020, algorithm 2), from moments that have been updated: Adam's step and the decay.
///
/// u = m / (1 - β₁ᵗ) / (√v / √(1 - β₂ᵗ) + ε) + decay · p
public struct LAMBDirection: Sendable {
    private let firstFactor, secondRoot, epsilon, decay: Float

    /// - Parameter step: t, how many updates the parameters have had, this one included.
    public init(decay: Float, betas: (Float, Float), epsilon: Float, step: Int) {
        firstFactor = Float(1 / (1 - power(Double(betas.0), step)))
        secondRoot = Float((1 - power(Double(betas.1), step)).squareRoot())
        self.epsilon = epsilon
        self.decay = decay
    }

    /// The sum of squares of u over a run, in Double and in a fixed order.
    public func sumOfSquares(_ run: UpdateRun) -> Double {
        var sum = SIMD4<Double>.zero
        forEachVector(run.count) { start, count in
            let u = vector(run, start, count)
            let (low, high) = (SIMD4<Double>(u.lowHalf), SIMD4<Double>(u.highHalf))
            sum += low * low
            sum += high * high
        }
        return (sum.x + sum.z) + (sum.y + sum.w)
    }

    /// p -= rate · u
    public func move(_ run: UpdateRun, rate: Float) {
        forEachVector(run.count) { start, count in
            let u = vector(run, start, count)
            store(load(run.values + start, count) - u * rate, run.values + start, count)
        }
    }

    @inline(__always)
    private func vector(_ run: UpdateRun, _ start: Int, _ count: Int) -> Vector {
        let (p, m, v) = (
            load(run.values + start, count), load(run.first + start, count), load(run.second + start, count)
        )
        return m * firstFactor / (v.squareRoot() / secondRoot + epsilon) + p * decay
    }
}
