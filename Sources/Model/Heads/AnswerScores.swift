import Kernels

/// The answer network's scores, for losses that compare them: ln P of its mean probabilities P = Σₖ mₖ·Pₖ / Σₖ mₖ.
extension StochasticAnswerNetwork: ComparableScores {
    var outputCount: Int { scores.columns }

    func copyScores(of sequences: Range<Int>, _ batch: PackedBatch, to copy: UnsafeMutablePointer<Double>) {
        let mean = scores.row(sequences.lowerBound)
        for index in 0..<scores.columns { copy[index] = logarithm(share(mean[index])) }
    }

    /// With g the gradient for ln P, that for P is h = g / P, and through each turn's softmax mₖ / Σⱼ mⱼ · Pₖ ∘ (h - Pₖ·h).
    func addGradient(
        _ gradient: UnsafePointer<Double>, times factor: Double, of sequences: Range<Int>, _ batch: PackedBatch
    ) {
        let sequence = sequences.lowerBound
        let mean = scores.row(sequence), weights = masks.turns.row(sequence)
        var total = 0.0
        for k in 0..<turnCount { total += Double(weights[k]) }
        for k in 0..<turnCount {
            let p = turn(k, of: probabilities, batch).row(sequence)
            let dlogits = turn(k, of: gradients.scores, batch).row(sequence)
            var product = 0.0
            for index in 0..<scores.columns { product += Double(p[index]) * gradient[index] / share(mean[index]) }
            for index in 0..<scores.columns {
                let slope = gradient[index] / share(mean[index]) - product
                dlogits[index] += Float(factor / total * Double(weights[k]) * Double(p[index]) * slope)
            }
        }
    }

    /// A probability that has a logarithm.
    private func share(_ probability: Float) -> Double { Double(max(probability, .leastNormalMagnitude)) }
}
