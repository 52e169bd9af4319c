import Data
import Model

extension TaskDefinition {
    /// How its sequences are perturbed in training. Throws where a task has no scores that could be compared, or is to compare them in a way that
    /// does not suit them.
    func perturbation(_ settings: SmartSettings) throws -> Perturbation {
        let supported = comparingLosses
        guard !supported.isEmpty else {
            throw TrainingError(
                "`smart` perturbs the sentences of Classification, Regression and Ranking; task \(name) tells something of words: "
                    + "train it without `smart`")
        }
        let loss = adversarialLoss ?? (supported.contains(.symmetricDivergence) ? .symmetricDivergence : supported[0])
        guard supported.contains(loss), let divergence = loss.divergence else {
            throw TrainingError(
                "`adv_loss` of task \(name) is \(loss.rawValue), which does not compare its scores with perturbed ones; "
                    + "supported: \(supported.map(\.rawValue).joined(separator: ", "))")
        }
        let climbed: Divergence = if case .regression = kind { .squaredError } else { .stable }
        return Perturbation(
            divergence, climbed: climbed, weight: settings.alpha, steps: settings.steps, stepSize: settings.stepSize,
            deviation: settings.noise, norm: settings.norm, radius: settings.radius, epsilon: settings.epsilon)
    }
}
