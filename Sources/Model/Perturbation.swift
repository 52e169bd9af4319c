import Kernels

/// Smoothness-inducing adversarial regularisation (SMART, Jiang et al., ACL 2020) with the rules of mt-dnn's code.
///
/// Every sequence of a batch has a twin, whose embeddings carry noise. The noise begins small and random, and climbs along the gradient of the divergence
/// between the twin's scores and the sequence's; then that divergence is added to the loss, and both sides learn from it.
public struct Perturbation: Sendable, Equatable {
    /// How far the scores of twins are from those of their sequences, as the loss has it.
    public var divergence: Divergence
    /// The same, as the noise climbs along it; the scores of the sequences are fixed.
    public var climbed: Divergence
    /// The factor on the divergence; the task's own loss has the factor 1.
    public var weight: Double
    /// How often the noise climbs.
    public var steps: Int
    /// What its gradient is multiplied by.
    public var stepSize: Float
    /// Standard deviation of the first noise.
    public var deviation: Float
    /// Which size of a token's noise is brought to `radius` after each step.
    public var norm: NoiseNorm
    /// The size of a token's noise.
    public var radius: Float
    /// What is added to a size before it divides.
    public var epsilon: Float

    /// mt-dnn's settings with the divergence of a kind of task.
    public init(
        _ divergence: Divergence, climbed: Divergence, weight: Double = 1, steps: Int = 1, stepSize: Float = 1e-5,
        deviation: Float = 1e-5, norm: NoiseNorm = .largest, radius: Float = 1, epsilon: Float = 1e-6
    ) {
        self.divergence = divergence
        self.climbed = climbed
        self.weight = weight
        self.steps = steps
        self.stepSize = stepSize
        self.deviation = deviation
        self.norm = norm
        self.radius = radius
        self.epsilon = epsilon
    }
}

/// The noise on the embeddings of twins.
final class TwinNoise {
    /// A row for each token; those of tokens that are no twins' are not used.
    let rows: Matrix  // [tokens, hidden]

    init(hiddenSize: Int, capacity: BatchCapacity, in workspace: Workspace) {
        rows = workspace.matrix(rows: capacity.tokens, columns: hiddenSize)
    }

    /// Draws the first noise: a function of seed, step, sequence, token and column.
    func draw(_ batch: PackedBatch, _ perturbation: Perturbation) {
        guard let random = batch.random else { preconditionFailure("twins are for training") }
        shareOut(batch.unitCount, least: 1, (batch, rows, random, perturbation.deviation)) { work, units in
            let (batch, rows, random, deviation) = work
            for unit in units {
                for token in batch.tokens(ofTwinsOf: unit) {
                    random.writeNormals(
                        to: rows.row(token), count: rows.columns, deviation: deviation,
                        site: DropoutSite.perturbation, row: batch.tokenIdentities[token])
                }
            }
        }
    }

    /// Takes a step along the gradient for the embeddings [tokens, hidden].
    func climb(_ batch: PackedBatch, _ perturbation: Perturbation, along gradient: Matrix) {
        shareOut(batch.unitCount, least: 1, (batch, rows, gradient, perturbation)) { work, units in
            let (batch, rows, gradient, perturbation) = work
            for unit in units {
                for token in batch.tokens(ofTwinsOf: unit) {
                    Kernels.climb(
                        rows.row(token), along: gradient.row(token), count: rows.columns, step: perturbation.stepSize,
                        norm: perturbation.norm, radius: perturbation.radius, epsilon: perturbation.epsilon)
                }
            }
        }
    }

    /// Adds it to the embeddings.
    func add(to x: Matrix, _ batch: PackedBatch) {
        shareOut(batch.unitCount, least: 1, (batch, rows, x)) { work, units in
            let (batch, rows, x) = work
            for unit in units {
                for token in batch.tokens(ofTwinsOf: unit) {
                    addVector(rows.row(token), to: x.row(token), count: x.columns)
                }
            }
        }
    }
}

/// Adds to each unit's loss the divergence of its twins' scores from its own, and the gradient to both; does nothing where there are no twins.
func addPerturbation(_ scores: some ComparableScores, _ batch: PackedBatch, _ pair: ScorePair) {
    guard let perturbation = batch.perturbation else { return }
    let factor = perturbation.weight * Double(batch.unitWeight)
    for unit in 0..<batch.unitCount {
        let (sequences, twins) = (batch.sequences(ofUnit: unit), batch.twins(ofUnit: unit))
        scores.copyScores(of: sequences, batch, to: pair.input)
        scores.copyScores(of: twins, batch, to: pair.target)
        let count = sequences.count * scores.outputCount
        batch.losses[unit] += perturbation.weight * pair.compute(perturbation.divergence, count: count)
        scores.addGradient(pair.input, times: factor, of: sequences, batch)
        scores.addGradient(pair.target, times: factor, of: twins, batch)
    }
}

/// Adds the gradient that the noise climbs along: of the sum of all units' divergences, for the scores of twins alone.
func addClimb(_ scores: some ComparableScores, _ batch: PackedBatch, _ pair: ScorePair) {
    guard let perturbation = batch.perturbation else { return }
    for unit in 0..<batch.unitCount {
        let (sequences, twins) = (batch.sequences(ofUnit: unit), batch.twins(ofUnit: unit))
        scores.copyScores(of: twins, batch, to: pair.input)
        scores.copyScores(of: sequences, batch, to: pair.target)
        _ = pair.compute(perturbation.climbed, count: twins.count * scores.outputCount)
        scores.addGradient(pair.input, times: 1, of: twins, batch)
    }
}
