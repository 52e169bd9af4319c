import Data
import Model

extension PreparedTask {
    /// How the task learns from the soft labels of its training data; nil where those have none. Throws where that is not as the task asks.
    func distillation() throws -> Distillation? {
        let asked = definition.distillation
        guard !train.softLabels.isEmpty else {
            guard !asked.isAsked else {
                throw TrainingError(
                    "task \(definition.name) has `kd_weight` or `kd_temperature`, but its training data have no softlabel: "
                        + "write them with `mtdnn predict TEACHER --soft-labels`, or remove the key")
            }
            return nil
        }
        let supported = definition.comparingLosses
        let loss = asked.loss ?? supported[0]
        guard supported.contains(loss), let divergence = loss.divergence else {
            throw TrainingError(
                "`kd_loss` of task \(definition.name) is \(loss.rawValue), which does not compare its scores with a teacher's; "
                    + "supported: \(supported.map(\.rawValue).joined(separator: ", "))")
        }
        return Distillation(divergence, weight: asked.weight, temperature: asked.temperature)
    }

    /// Says that the task learns from a teacher: who gives soft labels must see that they are used.
    var distillationNote: String? {
        guard !train.softLabels.isEmpty else { return nil }
        let asked = definition.distillation
        let loss = asked.loss ?? definition.comparingLosses[0]
        return "\(definition.name) learns from the soft labels of its training data, too: "
            + "loss + \(asked.weight) x \(loss.rawValue) at temperature \(asked.temperature)"
    }
}

extension LossCriterion {
    /// The divergence that it names; nil for losses of other kinds.
    var divergence: Divergence? {
        switch self {
        case .divergence: .kullbackLeibler
        case .symmetricDivergence: .symmetricKullbackLeibler
        case .stableDivergence: .stable
        case .stableSymmetricDivergence: .symmetricStable
        case .jensenShannon: .jensenShannon
        case .hellinger: .hellinger
        case .squaredError: .squaredError
        default: nil
        }
    }
}
