/// mt-dnn's task types, in its own spelling.
public enum TaskType: String, CaseIterable, Sendable {
    /// One of several classes.
    case classification = "Classification"
    /// A number.
    case regression = "Regression"
    /// The right one among a query's candidates.
    case ranking = "Ranking"
    /// A span of the text that answers a question.
    case span = "SpanClassification"
    /// A span, or the verdict that there is none.
    case spanOrNone = "SpanClassificationYN"
    /// A label per word. mt-dnn spells "sequence" without its u.
    case sequenceLabeling = "SeqenceLabeling"
    /// The words behind the masks.
    case maskedWords = "MaskLM"
    /// Spans by labels per word.
    case spanSequenceLabeling = "SpanSeqenceLabeling"
    /// Text from text.
    case generation = "SeqenceGeneration"
    /// An answer as generated text.
    case answerGeneration = "SeqenceGenerationMRC"
    /// Text from an encoder alone.
    case encoderGeneration = "EncSeqenceGeneration"
    /// One of several ways to fill a gap.
    case clozeChoice = "ClozeChoice"
}

/// mt-dnn's data formats, in its own spelling.
public enum DataFormat: String, CaseIterable, Sendable {
    /// One sentence.
    case single = "PremiseOnly"
    /// Two sentences.
    case pair = "PremiseAndOneHypothesis"
    /// One sentence with several candidates.
    case candidates = "PremiseAndMultiHypothesis"
    /// Words with labels.
    case sequence = "Seqence"
    /// Documents for masked words.
    case maskedWords = "MLM"
    /// CLUE, classification.
    case clueClassification = "CLUE_CLASSIFICATION"
    /// CLUE, spans.
    case clueSpan = "CLUE_SPAN"
    /// CLUE, labels per word.
    case clueSequence = "CLUE_SEQ"
    /// CLUE, generation.
    case clueGeneration = "CLUE_GEN"
    /// A text with a gap and ways to fill it.
    case clozeChoice = "ClozeChoice"
}

/// mt-dnn's losses, in its own spelling.
public enum LossCriterion: String, CaseIterable, Sendable {
    /// Cross-entropy over classes.
    case crossEntropy = "CeCriterion"
    /// Mean squared error.
    case squaredError = "MseCriterion"
    /// Cross-entropy over a query's candidates.
    case rankCrossEntropy = "RankCeCriterion"
    /// Cross-entropy of a span's start and end.
    case spanCrossEntropy = "SpanCeCriterion"
    /// The same with the verdict that there is no span.
    case spanOrNoneCrossEntropy = "SpanYNCeCriterion"
    /// Cross-entropy per word.
    case sequenceCrossEntropy = "SeqCeCriterion"
    /// Masked words and next sentence.
    case maskedWords = "MlmCriterion"
    /// Kullback-Leibler divergence.
    case divergence = "KlCriterion"
    /// Kullback-Leibler divergence, both ways.
    case symmetricDivergence = "SymKlCriterion"
    /// Kullback-Leibler divergence, guarded against tiny probabilities.
    case stableDivergence = "NsKlCriterion"
    /// The same, both ways.
    case stableSymmetricDivergence = "NsSymKlCriterion"
    /// Jensen-Shannon divergence.
    case jensenShannon = "JSCriterion"
    /// Hellinger distance.
    case hellinger = "HLCriterion"
}

/// How the files of a task are written.
public enum ExampleFormat: String, CaseIterable, Sendable {
    /// mt-dnn's tab-separated files `TASK_SPLIT.tsv`.
    case canonical
    /// The official files of a GLUE data set.
    case glue
    /// The official files of SNLI and MultiNLI.
    case snli
    /// The official files of SciTail.
    case scitail
    /// Words in lines of columns, as the CoNLL shared tasks have them.
    case conll
    /// The official JSON of SQuAD 1.1 and 2.0.
    case squad
    /// mt-dnn's preprocessed JSON lines, which hold token ids.
    case jsonLines = "json_lines"
    /// Text for pre-training: sentences or paragraphs in lines, an empty line after each document.
    case text
    /// Text for pre-training whose lines are wrapped: an empty line after each paragraph, several after each chapter.
    case book
    /// Text for pre-training in JSON lines, a document in each under `text`.
    case jsonText = "json_text"
}

/// What happens when a row of a file cannot be read.
public enum BadRowRule: String, CaseIterable, Sendable {
    /// The run ends before it begins.
    case error
    /// The row is left out and reported.
    case skip
}
