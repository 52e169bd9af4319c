/// One run of parameters with what their update needs.
public struct UpdateRun {
    /// The values [count].
    public var values: UnsafeMutablePointer<Float>
    /// The gradient of the global batch [count], or nil where it is zero.
    public var gradient: UnsafePointer<Float>?
    /// First moments [count].
    public var first: UnsafeMutablePointer<Float>
    /// Second moments, or the largest gradients [count].
    public var second: UnsafeMutablePointer<Float>
    /// Number of elements.
    public var count: Int
    /// Whether gradient and moments are zero everywhere: the moments stay so, and are neither read nor written.
    public var isIdle: Bool

    /// A run of `count` elements.
    public init(
        values: UnsafeMutablePointer<Float>, gradient: UnsafePointer<Float>?, first: UnsafeMutablePointer<Float>,
        second: UnsafeMutablePointer<Float>, count: Int, isIdle: Bool = false
    ) {
        self.values = values
        self.gradient = gradient
        self.first = first
        self.second = second
        self.count = count
        self.isIdle = isIdle
    }

    /// Replaces value, first and second moment by what `update` makes of them and of the gradient times `scale`.
    @inline(__always)
    func forEach(
        scale: Float,
        _ update: (_ value: inout Vector, _ gradient: Vector, _ first: inout Vector, _ second: inout Vector) -> Void
    ) {
        if isIdle {
            forEachVector(count) { start, count in
                var value = load(values + start, count)
                var m = Vector.zero
                var v = Vector.zero
                update(&value, .zero, &m, &v)
                store(value, values + start, count)
            }
            return
        }
        forEachVector(count) { start, count in
            var value = load(values + start, count)
            var m = load(first + start, count)
            var v = load(second + start, count)
            let g = gradient.map { load($0 + start, count) * scale } ?? Vector.zero
            update(&value, g, &m, &v)
            store(value, values + start, count)
            store(m, first + start, count)
            store(v, second + start, count)
        }
    }
}

/// Adamax as MT-DNN's first version has it (its `bert_optim.py`, the one of the paper): no bias correction, decay apart from the gradient.
///
/// m = β₁m + (1 - β₁)g, u = max(β₂u, |g| + ε), p -= η (m / (u + ε) + decay · p)
public func updateAdamax(
    _ run: UpdateRun, gradientScale: Float, rate: Float, decay: Float, betas: (Float, Float), epsilon: Float
) {
    run.forEach(scale: gradientScale) { p, g, m, u in
        m = m * betas.0 + g * (1 - betas.0)
        u = larger(u * betas.1, larger(g, -g) + epsilon)
        p -= (m / (u + epsilon) + p * decay) * rate
    }
}

/// Adamax as torch has it (Kingma and Ba 2015, algorithm 2): bias correction, decay added to the gradient.
///
/// g += decay · p, m = β₁m + (1 - β₁)g, u = max(β₂u, |g| + ε), p -= η / (1 - β₁ᵗ) · m / u
/// - Parameter step: t, how many updates the parameters have had, this one included.
public func updateTorchAdamax(
    _ run: UpdateRun, gradientScale: Float, rate: Float, decay: Float, betas: (Float, Float), epsilon: Float, step: Int
) {
    let corrected = Float(Double(rate) / (1 - power(Double(betas.0), step)))
    run.forEach(scale: gradientScale) { p, gradient, m, u in
        let g = gradient + p * decay
        m = m * betas.0 + g * (1 - betas.0)
        u = larger(u * betas.1, larger(g, -g) + epsilon)
        p -= m / u * corrected
    }
}

/// AdamW as torch has it (Loshchilov and Hutter 2019).
///
/// p -= η · decay · p, m = β₁m + (1 - β₁)g, v = β₂v + (1 - β₂)g², p -= η / (1 - β₁ᵗ) · m / (√v / √(1 - β₂ᵗ) + ε)
/// - Parameter step: t, how many updates the parameters have had, this one included.
public func updateAdamW(
    _ run: UpdateRun, gradientScale: Float, rate: Float, decay: Float, betas: (Float, Float), epsilon: Float, step: Int
) {
    let corrected = Float(Double(rate) / (1 - power(Double(betas.0), step)))
    let root = Float((1 - power(Double(betas.1), step)).squareRoot())
    let kept = 1 - rate * decay
    run.forEach(scale: gradientScale) { p, g, m, v in
        m = m * betas.0 + g * (1 - betas.0)
        v = v * betas.1 + g * g * (1 - betas.1)
        p = p * kept - m / (v.squareRoot() / root + epsilon) * corrected
    }
}

/// RAdam as torch has it, with decay apart from the gradient (Liu et al. 2020): Adam whose first steps, in which the second moment says too little, go
/// by the first alone.
///
/// p -= η · decay · p, m = β₁m + (1 - β₁)g, v = β₂v + (1 - β₂)g²; ρ∞ = 2 / (1 - β₂) - 1, ρ = ρ∞ - 2tβ₂ᵗ / (1 - β₂ᵗ);
/// where ρ > 5, p -= η / (1 - β₁ᵗ) · m · √(1 - β₂ᵗ) / (√v + ε) · √((ρ-4)(ρ-2)ρ∞ / ((ρ∞-4)(ρ∞-2)ρ)), else p -= η / (1 - β₁ᵗ) · m
/// - Parameter step: t, how many updates the parameters have had, this one included.
public func updateRAdam(
    _ run: UpdateRun, gradientScale: Float, rate: Float, decay: Float, betas: (Float, Float), epsilon: Float, step: Int
) {
    let (first, second) = (1 - power(Double(betas.0), step), 1 - power(Double(betas.1), step))
    let limit = 2 / (1 - Double(betas.1)) - 1
    let length = limit - 2 * Double(step) * (1 - second) / second
    let kept = 1 - rate * decay
    let plain = Float(Double(rate) / first)
    let isRectified = length > 5
    let ratio = (length - 4) * (length - 2) * limit / ((limit - 4) * (limit - 2) * length)
    let rectified = isRectified ? Float(Double(rate) / first * (ratio * second).squareRoot()) : 0
    run.forEach(scale: gradientScale) { p, g, m, v in
        m = m * betas.0 + g * (1 - betas.0)
        v = v * betas.1 + g * g * (1 - betas.1)
        p = p * kept - (isRectified ? m / (v.squareRoot() + epsilon) * rectified : m * plain)
    }
}

/// Stochastic gradient descent with momentum as torch has it: decay added to the gradient.
///
/// g += decay · p, m = μm + g, p -= ηm
public func updateSGD(_ run: UpdateRun, gradientScale: Float, rate: Float, decay: Float, momentum: Float) {
    run.forEach(scale: gradientScale) { p, gradient, m, _ in
        m = m * momentum + (gradient + p * decay)
        p -= m * rate
    }
}
