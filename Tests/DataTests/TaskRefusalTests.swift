import TestSupport
import Testing

@testable import Data

/// What the readers of task files refuse, in the words that users read.
struct TaskRefusalTests {
    let folder = TemporaryFolder()

    static let task = """
        t:
          n_class: 2
          data_format: PremiseAndOneHypothesis
          task_type: Classification
          metric_meta: [ACC]
          enable_san: true
        """

    /// The error of training the task above with some of its lines replaced, or lines added at its end (line 7).
    private func errorOf(_ changes: [String: String], adding line: String = "") throws -> String {
        var lines = Self.task.split(separator: "\n").map(String.init)
        for (key, value) in changes {
            let index = try #require(lines.firstIndex { $0.hasPrefix("  \(key):") })
            lines[index] = "  \(key): \(value)"
        }
        if !line.isEmpty { lines.append("  " + line) }
        let path = try folder.write("t.yml", lines.joined(separator: "\n"))
        return message(in: folder) { try TaskFile(path: path).definition(of: "t") }
    }

    @Test(arguments: [
        (["n_class": "two"], "t.yml:2: t.n_class must be a whole number, not \"two\""),
        (["n_class": "0"], "t.yml:2: t.n_class must be from 1 to 1000000, not 0"),
        (["n_class": "1"], "t.yml:2: t.n_class must be at least 2 for Classification, not 1"),
        (["n_class": "~"], "t.yml:2: missing key \"n_class\" in t"),
        (
            ["metric_meta": "[ACC, MC]"],
            "t.yml:5: t.metric_meta[1] must be one of ACC, F1, MCC, Pearson, Spearman, AUC, SeqEval, SeqEvalList, "
                + "EmF1, EmF12, F1MAC, F1MIC, CMAT, AccuracyAt1, MRR, NextACC, MaskedLoss, not \"MC\"; did you mean \"MCC\"?"
        ),
        (["metric_meta": "[]"], "t.yml:5: t.metric_meta must name at least one metric"),
        (
            ["metric_meta": "[AUC]"],
            "t.yml:5: t.metric_meta has AUC, which does not score Classification; supported: ACC, F1, MCC"
        ),
        (
            ["metric_meta": "[MRR]"],
            "t.yml:5: t.metric_meta has MRR, which does not score Classification; supported: ACC, F1, MCC"
        ),
        (["metric_meta": "[F1]", "n_class": "3"], "t.yml:5: t.metric_meta has F1, which needs n_class 2, not 3"),
        (["metric_meta": "[MCC]", "n_class": "3"], "t.yml:5: t.metric_meta has MCC, which needs n_class 2, not 3"),
        (["data_format": "PremiseOnly"], "t.yml:6: t.enable_san needs Classification of PremiseAndOneHypothesis"),
        (
            ["data_format": "PremiseAndMultiHypothesis"],
            "t.yml:3: t.data_format is PremiseAndMultiHypothesis, which this version does not train for "
                + "Classification; supported: PremiseOnly, PremiseAndOneHypothesis"
        ),
        (["task_type": "Regression"], "t.yml:2: t.n_class must be 1 for Regression, not 2"),
        (
            ["task_type": "Regression", "n_class": "1", "metric_meta": "[ACC]"],
            "t.yml:5: t.metric_meta has ACC, which does not score Regression; supported: Pearson, Spearman"
        ),
        (
            ["task_type": "Regression", "n_class": "1", "metric_meta": "[Pearson]"],
            "t.yml:6: t.enable_san needs Classification of PremiseAndOneHypothesis"
        ),
        (
            ["task_type": "Ranking", "data_format": "PremiseAndMultiHypothesis"],
            "t.yml:2: t.n_class must be 1 for Ranking, not 2"
        ),
        (
            ["task_type": "Ranking"],
            "t.yml:3: t.data_format is PremiseAndOneHypothesis, which this version does not train for Ranking; "
                + "supported: PremiseAndMultiHypothesis"
        ),
        (
            ["task_type": "ClozeChoice"],
            "t.yml:4: t.task_type is ClozeChoice, which this version does not train; "
                + "supported: Classification, Regression, Ranking, SeqenceLabeling, SpanClassification, SpanClassificationYN, MaskLM"
        ),
        (
            ["task_type": "SequenceLabeling"],
            "t.yml:3: t.data_format is PremiseAndOneHypothesis, which this version does not train for SeqenceLabeling; "
                + "supported: Seqence"
        ),
        (
            ["task_type": "SequenceLabeling", "data_format": "Seqence"],
            "t.yml:2: t needs labels, the names of the 2 classes of words"
        ),
        (["metric_meta": "[ACC, F1, ACC]"], "t.yml:5: t.metric_meta names the score ACC twice"),
        (
            ["task_type": "SpanClassification", "metric_meta": "[EmF1]", "n_class": "3"],
            "t.yml:2: t.n_class must be 2 for SpanClassification, not 3"
        ),
        (
            ["task_type": "SpanClassification", "metric_meta": "[EmF1, EmF12]"],
            "t.yml:5: t.metric_meta names the score F1 twice"
        ),
        (
            ["task_type": "SpanClassificationYN", "metric_meta": "[EmF1]"],
            "t.yml:5: t.metric_meta has EmF1, which does not score SpanClassificationYN; supported: EmF12"
        ),
        (["enable_san": "maybe"], "t.yml:6: t.enable_san must be true or false, not \"maybe\""),
    ])
    func refusesWhatDoesNotFit(changes: [String: String], expected: String) throws {
        #expect(try errorOf(changes) == expected)
    }

    @Test(arguments: [
        ("labels: [a]", "t.yml:7: t.labels has 1 names, but n_class is 2"),
        ("labels: [a, a]", "t.yml:7: t.labels[1] repeats \"a\""),
        ("labels: []", "t.yml:7: t.labels must not be empty"),
        (
            "loss: MseCriterion",
            "t.yml:7: t.loss is MseCriterion, which this version does not train for Classification; "
                + "supported: CeCriterion"
        ),
        ("actf: relu", "t.yml:7: t.actf is relu, which this version does not train; supported: tanh, null"),
        (
            "encoder_type: ROBERTA",
            "t.yml:7: t.encoder_type is ROBERTA, which this version does not train; supported: BERT, null"
        ),
        ("dropout_p: 0.99999999", "t.yml:7: t.dropout_p must be at least 0 and below 1, not 0.99999999"),
        ("data: \"a\\0b\"", "t.yml:7: t.data must not contain a null character"),
        ("dropout_p: 1", "t.yml:7: t.dropout_p must be at least 0.0 and below 1.0, not 1"),
        ("score_range: [0, 5]", "t.yml:7: t.score_range is for Regression only, not for Classification"),
        ("score_range: [0]", "t.yml:7: t.score_range must be [LOWEST, HIGHEST]"),
        ("score_range: [5, 0]", "t.yml:7: t.score_range must be [LOWEST, HIGHEST], not [5.0, 0.0]"),
        ("split_names: [dev]", "t.yml:7: t.split_names has no \"train\", so there is nothing to train on"),
        (
            "split_names: [a/b]",
            "t.yml:7: t.split_names has \"a/b\", but splits consist of letters, digits, \"-\" and \"_\""
        ),
        (
            "data: {trian: x}",
            "t.yml:7: t.data.trian is no split of this task (train, dev, test); did you mean \"train\"?"
        ),
        (
            "format: tsv",
            "t.yml:7: t.format must be one of canonical, glue, snli, scitail, conll, squad, json_lines, text, book, json_text, not \"tsv\""
        ),
        (
            "format: snli",
            "t.yml:7: t.format is snli, whose labels are words; add them in the order of classes: "
                + "labels: [contradiction, neutral, entailment]"
        ),
        (
            "format: scitail",
            "t.yml:7: t.format is scitail, whose labels are words; add them in the order of classes: "
                + "labels: [neutral, entails]"
        ),
        ("on_bad_row: ignore", "t.yml:7: t.on_bad_row must be one of error, skip, not \"ignore\""),
        ("loss_weight: 0", "t.yml:7: t.loss_weight must be from 1e-06 to 1000000.0, not 0"),
        ("sampling_weight: -1", "t.yml:7: t.sampling_weight must be from 0.001 to 1000.0, not -1"),
        ("sampling_weight: 1.0e+20", "t.yml:7: t.sampling_weight must be from 0.001 to 1000.0, not 1.0e+20"),
        ("batch_size: 0", "t.yml:7: t.batch_size must be from 1 to 1000000, not 0"),
        (
            "batch_size: 9223372036854775807",
            "t.yml:7: t.batch_size must be from 1 to 1000000, not 9223372036854775807"
        ),
        ("max_length: 2", "t.yml:7: t.max_length must be from 8 to 1000000, not 2"),
        (
            "document_stride: 9",
            "t.yml:7: t.document_stride is for SpanClassification and SpanClassificationYN only, not for Classification"
        ),
        ("document_stride: 0", "t.yml:7: t.document_stride must be at least 1, not 0"),
        (
            "format: squad",
            "t.yml:7: t.format is squad, which has questions about contexts; Classification needs another format"
        ),
        ("max_examples: 0", "t.yml:7: t.max_examples must be at least 1, not 0"),
        ("train_fraction: 0", "t.yml:7: t.train_fraction must be from 1e-06 to 1.0, not 0"),
        ("kd_weight: -1", "t.yml:7: t.kd_weight must be from 0.0 to 1000000.0, not -1"),
        ("kd_temperature: 0", "t.yml:7: t.kd_temperature must be from 1e-06 to 1000000.0, not 0"),
        (
            "kd_temperature: 2",
            "t.yml:7: t.kd_temperature is for a teacher's scores, which only `format: json_lines` holds (as softlabel)"
        ),
        ("max_exampels: 9", "t.yml:7: unknown key \"max_exampels\" in t; did you mean \"max_examples\"?"),
    ])
    func refusesLines(line: String, expected: String) throws {
        #expect(try errorOf([:], adding: line) == expected)
    }

    @Test func refusesRankingInGlueFormAndLabelsOfScores() throws {
        let ranking = [
            "task_type": "Ranking", "data_format": "PremiseAndMultiHypothesis", "n_class": "1", "enable_san": "false",
        ]
        #expect(
            try errorOf(ranking, adding: "format: glue")
                == "t.yml:7: t.format is glue, which has no candidates; Ranking needs canonical")
        #expect(
            try errorOf(ranking, adding: "format: snli")
                == "t.yml:7: t.format is snli, which has classes; Ranking needs another format")
        #expect(
            try errorOf(["data_format": "PremiseOnly", "enable_san": "false"], adding: "format: scitail")
                == "t.yml:7: t.format is scitail, which has pairs; it needs data_format PremiseAndOneHypothesis")
        #expect(
            try errorOf(ranking, adding: "labels: [a, b, c]")
                == "t.yml:7: t.labels of Ranking name wrong and right, so there must be 2, not 3")
        #expect(
            try errorOf(["task_type": "Regression", "n_class": "1"], adding: "labels: [a, b]")
                == "t.yml:7: t.labels are for classes, not for Regression")
    }

    @Test(arguments: [
        ("format: glue", "t.yml:7: t.format is glue, which has no documents; MaskLM needs text, book or json_text"),
        ("labels: [a]", "t.yml:7: t.labels are for classes, not for MaskLM"),
        ("whole_word_masking: 2", "t.yml:7: t.whole_word_masking must be true or false, not 2"),
        (
            "loss: CeCriterion",
            "t.yml:7: t.loss is CeCriterion, which this version does not train for MaskLM; supported: MlmCriterion"
        ),
    ])
    func refusesLinesOfPretraining(line: String, expected: String) throws {
        let changes = ["task_type": "MaskLM", "data_format": "MLM", "n_class": "100", "enable_san": "false"]
        #expect(try errorOf(changes, adding: line) == expected)
    }

    @Test func refusesWhatIsForPretrainingOnlyAndALossAsFirstMetric() throws {
        #expect(
            try errorOf([:], adding: "whole_word_masking: true")
                == "t.yml:7: t.whole_word_masking is for MaskLM only, not for Classification")
        #expect(
            try errorOf([:], adding: "format: book")
                == "t.yml:7: t.format is book, which has documents; Classification needs another format")
        let changes = ["task_type": "MaskLM", "data_format": "MLM", "enable_san": "false"]
        #expect(
            try errorOf(changes.merging(["metric_meta": "[MaskedLoss, ACC]"]) { $1 })
                == "t.yml:5: t.metric_meta begins with MaskedLoss, but checkpoints are kept for a first metric of which more is better: "
                + "begin with ACC")
        #expect(
            try errorOf(changes.merging(["metric_meta": "[F1]"]) { $1 })
                == "t.yml:5: t.metric_meta has F1, which does not score MaskLM; supported: ACC, NextACC, MaskedLoss")
    }

    @Test(arguments: [
        ("a/b: {}", "t.yml:1: \"a/b\" cannot name a task: a task's name consists of letters, digits, \"-\" and \"_\""),
        ("", "t.yml: the file defines no task"),
        ("cola: 3", "t.yml:1: cola must be a mapping of keys to values, not 3"),
    ])
    func refusesFiles(text: String, expected: String) throws {
        let path = try folder.write("t.yml", text)
        #expect(message(in: folder) { try TaskFile(path: path) } == expected)
    }
}
