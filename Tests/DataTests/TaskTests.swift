import Foundation
import TestSupport
import Testing

@testable import Data

struct TaskTests {
    let folder = TemporaryFolder()

    /// The tutorial's form: plain keys, one per line, lists with dashes, Python's `False`.
    static let mtDnnFile = """
        cola:
          data_format: PremiseOnly
          encoder_type: BERT
          dropout_p: 0.05
          enable_san: False
          metric_meta:
          - ACC
          - MCC
          loss: CeCriterion
          kd_loss: null
          n_class: 2
          task_type: Classification
        mnli:
          data_format: PremiseAndOneHypothesis
          dropout_p: 0.3
          enable_san: True
          labels:
          - contradiction
          - neutral
          - entailment
          metric_meta:
          - ACC
          n_class: 3
          split_names:
          - train
          - matched_dev
          - mismatched_dev
          - matched_test
          - mismatched_test
          task_type: Classification
        ner:
          data_format: Seqence
          enable_san: false
          labels: [O, B-PER, X]
          metric_meta: [SeqEval]
          n_class: 3
          loss: SeqCeCriterion
          task_type: SeqenceLabeling
        qnnli:
          data_format: PremiseAndMultiHypothesis
          enable_san: false
          metric_meta: [ACC]
          n_class: 1
          labels: [not_entailment, entailment]
          loss: RankCeCriterion
          task_type: Ranking
        stsb:
          data_format: PremiseAndOneHypothesis
          enable_san: false
          metric_meta: [Pearson, Spearman]
          n_class: 1
          loss: MseCriterion
          kd_loss: MseCriterion
          adv_loss: MseCriterion
          task_type: Regression
        """

    @Test func readsFilesOfMtDnn() throws {
        let file = try TaskFile(path: folder.write("task_def.yml", Self.mtDnnFile))
        #expect(file.names == ["cola", "mnli", "ner", "qnnli", "stsb"])

        let cola = try #require(try file.definition(of: "cola"))
        var expected = TaskDefinition(
            name: "cola", kind: .classification(classCount: 2, labels: []), isPair: false,
            metrics: [.accuracy, .matthews])
        expected.dropout = 0.05
        #expect(cola == expected)

        let mnli = try #require(try file.definition(of: "mnli"))
        #expect(mnli.kind == .classification(classCount: 3, labels: ["contradiction", "neutral", "entailment"]))
        #expect(mnli.usesStochasticAnswerNetwork && mnli.isPair && mnli.outputCount == 3)
        #expect(mnli.developmentSplits == ["matched_dev", "mismatched_dev"])
        #expect(mnli.testSplits == ["matched_test", "mismatched_test"])

        let qnnli = try #require(try file.definition(of: "qnnli"))
        #expect(qnnli.kind == .ranking(labels: ["not_entailment", "entailment"]))
        #expect(qnnli.metrics == [.accuracyAtOne] && qnnli.outputCount == 1)

        #expect(try file.definition(of: "nothing") == nil)
        let ner = try #require(try file.definition(of: "ner"))
        #expect(ner.metrics == [.entityF1] && !ner.isPair && ner.format == .canonical && ner.outputCount > 1)
        // Losses of distillation and adversarial training are named in many files, and used by none without being asked for.
        #expect(try file.definition(of: "stsb")?.kind == .regression(scoreRange: nil))
    }

    @Test func readsOurKeys() throws {
        let text =
            TaskRefusalTests.task + """

                  dropout_p: 0
                  data: {train: a.tsv, dev: /b.tsv}
                  format: glue
                  on_bad_row: skip
                  loss_weight: 0.5
                  sampling_weight: 2
                  batch_size: 16
                  max_length: 128
                  max_examples: 1000
                  train_fraction: 0.01
                """
        let task = try #require(try TaskFile(path: folder.write("t.yml", text)).definition(of: "t"))
        #expect(task.data == .files(["train": "a.tsv", "dev": "/b.tsv"]))
        #expect(task.dropout == 0 && task.format == .glue && task.lossWeight == 0.5 && task.samplingWeight == 2)
        #expect(task.onBadRow == .skip)
        #expect(task.batchSize == 16 && task.maximumLength == 128 && task.maximumExamples == 1000)
        #expect(task.trainFraction == 0.01)
    }

    @Test func `Keys of distillation and of perturbation are read`() throws {
        func read(_ lines: String) throws -> TaskDefinition {
            let text = TaskRefusalTests.task + "\n" + lines
            return try #require(try TaskFile(path: folder.write("t.yml", text)).definition(of: "t"))
        }
        let taught = try read(
            "  format: json_lines\n  kd_loss: JSCriterion\n  kd_weight: 3\n  kd_temperature: 2.5\n  adv_loss: KlCriterion"
        )
        #expect(taught.distillation.loss == .jensenShannon && taught.adversarialLoss == .divergence)
        #expect(taught.distillation.weight == 3 && taught.distillation.temperature == 2.5)
        #expect(taught.distillation.isAsked && taught.readsSoftLabels)
        // mt-dnn's files name what other runs use.
        let plain = try read("  kd_loss: SpanCeCriterion\n  adv_loss: MlmCriterion")
        #expect(!plain.distillation.isAsked && !plain.readsSoftLabels && plain.distillation.weight == 1)
        let without = try read("  format: json_lines\n  kd_weight: 0\n  kd_temperature: 2")
        #expect(!without.distillation.isAsked && !without.readsSoftLabels)
    }

    private func shipped(_ name: String) throws -> TaskFile {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..")
        return try TaskFile(path: root.appendingPathComponent("tasks/\(name)").path)
    }

    /// The tasks of the paper: answer networks for pairs with classes, and its dropout of heads.
    @Test func shippedFileDefinesItsTasks() throws {
        let file = try shipped("glue.yml")
        #expect(file.names == ["cola", "sst", "stsb", "mrpc", "qqp", "mnli", "rte", "wnli", "qnli", "squadrank"])
        let tasks = try file.names.map { try #require(try file.definition(of: $0)) }
        let pairs = ["mrpc", "qqp", "mnli", "rte", "wnli", "qnli"]
        #expect(tasks.filter(\.usesStochasticAnswerNetwork).map(\.name) == pairs)
        #expect(tasks.map(\.dropout) == [0.05, nil, nil, nil, nil, 0.3, nil, nil, nil, nil])
        #expect(tasks[2].kind == .regression(scoreRange: 0...5))
        #expect(tasks[4].metrics == [.accuracy, .f1])
        #expect(tasks.filter { $0.onBadRow == .skip }.map(\.name) == ["qqp"])
        #expect(tasks[5].kind == .classification(classCount: 3, labels: ["contradiction", "neutral", "entailment"]))
        #expect(tasks[5].developmentSplits == ["matched_dev", "mismatched_dev"])
        #expect(tasks[5].testSplits == ["matched_test", "mismatched_test"])
    }

    @Test func shippedFileOfDomainAdaptation() throws {
        let file = try shipped("snli-scitail.yml")
        #expect(file.names == ["snli", "scitail"])
        let snli = try #require(try file.definition(of: "snli"))
        let scitail = try #require(try file.definition(of: "scitail"))
        #expect(snli.kind == .classification(classCount: 3, labels: ["contradiction", "neutral", "entailment"]))
        #expect(scitail.kind == .classification(classCount: 2, labels: ["neutral", "entails"]))
        #expect(snli.format == .snli && scitail.format == .scitail)
        for task in [snli, scitail] {
            #expect(!task.usesStochasticAnswerNetwork && task.isPair && task.dropout == nil && task.onBadRow == .error)
        }
    }

    @Test func shippedFileOfQuestions() throws {
        let file = try shipped("squad.yml")
        #expect(file.names == ["squad", "squad-v2"])
        let first = try #require(try file.definition(of: "squad"))
        let second = try #require(try file.definition(of: "squad-v2"))
        #expect(first.kind == .span(allowsNone: false, stride: 128) && first.metrics == [.answerF1])
        #expect(second.kind == .span(allowsNone: true, stride: 128) && second.metrics == [.answerOrNoneF1])
        for task in [first, second] {
            #expect(task.format == .squad && task.isPair && task.outputCount == 2 && task.maximumLength == 384)
            #expect(task.scoreNames == ["F1", "EM"])
        }
    }

    /// mt-dnn's own file for SQuAD, which has short names of task types that its program no longer knows.
    @Test func readsQuestionsOfMtDnn() throws {
        let text = """
            squad:
              data_format: CLUE_SPAN
              dropout_p: 0.1
              enable_san: false
              metric_meta: [EmF12]
              task_type: Span
              loss: SpanCeCriterion
              kd_loss: MseCriterion
              adv_loss: SymKlCriterion
              n_class: 2
              split_names: [train, dev]
            squad-v2:
              data_format: PremiseAndOneHypothesis
              enable_san: false
              metric_meta: [EmF12]
              task_type: SpanYN
              n_class: 2
              document_stride: 64
            yes-no:
              data_format: CLUE_SPAN
              enable_san: false
              metric_meta: [EmF12]
              task_type: SpanYN
              loss: SpanYNCeCriterion
              n_class: 2
            """
        let file = try TaskFile(path: folder.write("t.yml", text))
        #expect(try file.definition(of: "squad")?.kind == .span(allowsNone: false, stride: 128))
        #expect(try file.definition(of: "squad-v2")?.kind == .span(allowsNone: true, stride: 64))
        #expect(
            message(in: folder) { try file.definition(of: "yes-no") }
                == "t.yml:24: yes-no.loss is SpanYNCeCriterion, which this version does not train for SpanClassificationYN; "
                + "supported: SpanCeCriterion")
    }

    @Test func mutatedFilesNeverCrash() throws {
        var read = 0, refused = 0
        for seed in 0..<2000 {
            var mutator = Mutator(seed: UInt64(seed) + 1)
            let path = try folder.write("t.yml", mutator.mutate(Array(Self.mtDnnFile.utf8)))
            do {
                let file = try TaskFile(path: path)
                read += 1
                for name in file.names { _ = try file.definition(of: name) }
            } catch { refused += 1 }
        }
        // Were all refused or all accepted, the mutations would test nothing.
        #expect(read > 50, "\(read) read")
        #expect(refused > 50, "\(refused) refused")
    }
}
