/// The names that `metric_meta` may list: mt-dnn's own, two of ours for ranking, and two for pre-training.
public enum Metric: String, CaseIterable, Sendable {
    /// The share of right answers.
    case accuracy = "ACC"
    /// The F1 score of class 1.
    case f1 = "F1"
    /// Matthews' correlation coefficient.
    case matthews = "MCC"
    /// Pearson's correlation coefficient.
    case pearson = "Pearson"
    /// Spearman's rank correlation coefficient.
    case spearman = "Spearman"
    /// The area under the receiver operating characteristic.
    case areaUnderCurve = "AUC"
    /// F1 over entities, labels per word.
    case entityF1 = "SeqEval"
    /// F1 over entities, from lists.
    case entityListF1 = "SeqEvalList"
    /// Exact match and F1 of answer spans, SQuAD 1.
    case answerF1 = "EmF1"
    /// Exact match and F1 of answer spans, SQuAD 2.
    case answerOrNoneF1 = "EmF12"
    /// The mean of the F1 scores of all classes.
    case macroF1 = "F1MAC"
    /// F1 over all decisions of all classes.
    case microF1 = "F1MIC"
    /// The confusion matrix.
    case confusionMatrix = "CMAT"
    /// The share of queries whose best-scored candidate is the right one; `ACC` of a ranking task means this.
    case accuracyAtOne = "AccuracyAt1"
    /// The mean over queries of 1 / (rank of the right candidate).
    case meanReciprocalRank = "MRR"
    /// The share of pairs of pre-training of which it is right whether the second text follows the first.
    case nextTextAccuracy = "NextACC"
    /// The mean of -log P(right piece) over masked word pieces.
    case maskedLoss = "MaskedLoss"

    /// The names of the scores that it stands for. F1 comes before exact match, since it tells more: it ranks checkpoints.
    public var scoreNames: [String] {
        switch self {
        case .answerF1, .answerOrNoneF1: ["F1", "EM"]
        default: [rawValue]
        }
    }
}
