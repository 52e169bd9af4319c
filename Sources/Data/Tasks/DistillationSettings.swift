/// How a task learns from a teacher's scores, which its training data hold as soft labels.
public struct DistillationSettings: Equatable, Sendable {
    /// `kd_loss`: how far the scores are from the teacher's; nil leaves the choice to what the task predicts. mt-dnn's files name it for tasks without
    /// soft labels, too.
    public var loss: LossCriterion?
    /// `kd_weight`: the factor on it; the task's own loss has the factor 1. At 0 soft labels are not read.
    public var weight = 1.0
    /// `kd_temperature`: what both scores are divided by before they are compared.
    public var temperature = 1.0
    /// Whether the task asks for distillation with a key that mt-dnn's files do not have, so that data without soft labels are a mistake.
    public var isAsked = false

    /// mt-dnn's: the factor 1, without a temperature.
    public init() {}
}

extension TaskDefinition {
    /// The losses that can compare its scores with others, a teacher's for instance.
    public var comparingLosses: [LossCriterion] {
        switch kind {
        case .classification, .ranking:
            [
                .divergence, .symmetricDivergence, .stableDivergence, .stableSymmetricDivergence, .jensenShannon,
                .hellinger, .squaredError,
            ]
        case .regression: [.squaredError]
        case .labelling, .span, .maskedWords: []
        }
    }

    /// Whether the soft labels of its training data are read.
    public var readsSoftLabels: Bool { distillation.weight > 0 && format == .jsonLines }
}
