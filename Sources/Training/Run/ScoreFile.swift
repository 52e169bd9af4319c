import Data
import Foundation
import Storage

/// One evaluation of one split as mt-dnn writes it: metrics in hundredths, and of all examples the names, the answers, and what the head puts out, one
/// after another. An answer is a class's number, a similarity, the number of the best candidate, a number for each word, or a text.
struct ScoreFile: Encodable {
    private let metrics: [String: Double]
    private let predictions: [Answer]
    private let uids: [String]
    private let scores: [Float]

    private enum Answer: Encodable {
        case number(Int)
        case value(Float)
        case numbers([Int])
        case text(String)

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .number(let number): try container.encode(number)
            case .value(let value): try container.encode(value)
            case .numbers(let numbers): try container.encode(numbers)
            case .text(let text): try container.encode(text)
            }
        }
    }

    /// Nil for pre-training, whose masked words are nobody's table.
    init?(_ evaluation: RunReport.Evaluation) {
        let task = evaluation.task, examples = evaluation.examples
        metrics = Dictionary(uniqueKeysWithValues: evaluation.scores.map { ($0.name, 100 * $0.value) })
        uids = examples.map(\.uid)
        switch task.kind {
        case .classification: scores = examples.flatMap(\.probabilities)
        case .regression, .ranking: scores = examples.flatMap(\.scores)
        // Two or more numbers for each word piece are nobody's table.
        case .labelling, .span: scores = []
        case .maskedWords: return nil
        }
        predictions = examples.map { example in
            switch task.kind {
            case .classification, .ranking: .number(example.index)
            case .regression: .value(example.scores.first!)
            case .labelling: .numbers(task.wordClasses(example.scores, tokenLabels: example.tokenLabels))
            case .span, .maskedWords: .text(example.answer)
            }
        }
    }

    /// Where an evaluation after `epoch` epochs goes, under mt-dnn's name for it.
    static func path(_ evaluation: RunReport.Evaluation, epoch: Int, folder: String) -> String {
        "\(folder)/scores/\(evaluation.task.name)_\(evaluation.split)_scores_\(epoch).json"
    }

    /// Removes the files of evaluations after `epoch` epochs, from a run that was cut off, and what a job that died had begun to write.
    static func cutBack(toEpoch epoch: Int, folder: String) throws {
        let scores = "\(folder)/scores"
        for name in try entriesIfPresent(scores) {
            let written = name.firstMatch(of: /_scores_(\d+)\.json(\..*\.partial)?$/)
            guard let written, written.2 != nil || Int(written.1) ?? .max > epoch else { continue }
            try removeIfPresent("\(scores)/\(name)")
        }
    }

    /// Writes the file; it appears whole or not at all.
    func write(to path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        let json = try encoder.encode(self)
        try createFolder((path as NSString).deletingLastPathComponent)
        try replaceFile(at: path) { try json.write(to: URL(fileURLWithPath: $0)) }
    }
}
