/// What a teacher's scores add to a task's loss: weight · divergence of the student's scores from the teacher's.
public struct Distillation: Sendable, Equatable {
    /// How far the scores are apart.
    public var divergence: Divergence
    /// The factor on it; the task's own loss has the factor 1.
    public var weight: Double
    /// What both rows of scores are divided by.
    public var temperature: Double

    /// A term of these parts.
    public init(_ divergence: Divergence, weight: Double = 1, temperature: Double = 1) {
        self.divergence = divergence
        self.weight = weight
        self.temperature = temperature
    }
}

/// What a head puts out, for losses that compare scores with others, and where their gradients go.
protocol ComparableScores {
    /// Number of scores of each sequence.
    var outputCount: Int { get }
    /// Copies the scores of some sequences: those of the classes of one, or of all candidates of a query.
    func copyScores(of sequences: Range<Int>, _ batch: PackedBatch, to scores: UnsafeMutablePointer<Double>)
    /// Adds `factor` · `gradient`, the gradient of a loss for those scores.
    func addGradient(
        _ gradient: UnsafePointer<Double>, times factor: Double, of sequences: Range<Int>, _ batch: PackedBatch)
}

/// Adds to each unit's loss and to the gradient for its scores what the soft labels of `batch` ask for; does nothing where it has none.
func addDistillation(_ scores: some ComparableScores, _ batch: PackedBatch, _ pair: ScorePair) {
    guard let distillation = batch.distillation else { return }
    for unit in 0..<batch.unitCount {
        let sequences = batch.sequences(ofUnit: unit)
        let count = sequences.count * scores.outputCount
        let teacher = batch.softLabels(from: sequences.lowerBound)
        scores.copyScores(of: sequences, batch, to: pair.input)
        for index in 0..<count { pair.target[index] = Double(teacher[index]) }
        let value = pair.compute(distillation.divergence, count: count, temperature: distillation.temperature)
        batch.losses[unit] += distillation.weight * value
        scores.addGradient(
            pair.input, times: distillation.weight * Double(batch.unitWeight), of: sequences, batch)
    }
}
