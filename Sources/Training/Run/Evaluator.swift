import Communication
import Data
import Foundation
import Kernels
import Model

/// The batches of an evaluation: runs of rows that depend on the file alone, so scores do not depend on ranks.
struct EvaluationBatches {
    private let file: TokenFile
    /// First row of each batch, and the number of rows.
    private let bounds: [Int]

    /// As many whole examples to a batch as have at most `sequenceCount` sequences together, at least one.
    init(_ file: TokenFile, sequenceCount: Int) {
        self.file = file
        var bounds = [0]
        for row in 0..<file.exampleCount {
            let first = Int(file.exampleOffsets[bounds[bounds.count - 1]])
            if Int(file.exampleOffsets[row + 1]) - first > sequenceCount, row > bounds[bounds.count - 1] {
                bounds.append(row)
            }
        }
        self.bounds = bounds + [file.exampleCount]
    }

    /// Number of batches.
    var count: Int { bounds.count - 1 }

    /// The rows of a batch.
    func rows(_ batch: Int) -> Range<Int> { bounds[batch]..<bounds[batch + 1] }

    /// The batches that a rank scores.
    func batches(ofRank rank: Int, of rankCount: Int) -> Range<Int> {
        (count * rank / rankCount)..<(count * (rank + 1) / rankCount)
    }

    /// The sequences that a rank scores.
    func sequences(ofRank rank: Int, of rankCount: Int) -> Range<Int> {
        let batches = batches(ofRank: rank, of: rankCount)
        let (first, end) = (bounds[batches.lowerBound], bounds[batches.upperBound])
        return Int(file.exampleOffsets[first])..<Int(file.exampleOffsets[end])
    }

    /// The rows of the head's output that a rank computes: one for each sequence, or for each token where tokens have labels.
    func outputRows(ofRank rank: Int, of rankCount: Int) -> Range<Int> {
        file.outputRows(of: sequences(ofRank: rank, of: rankCount))
    }

    /// Room for any batch.
    /// - Parameter masked: most tokens of each example that are masked; nil where none are.
    func capacity(masked: [Int]?) -> BatchCapacity {
        var capacity = BatchCapacity(tokens: 0, sequences: 0, longest: file.longest)
        for batch in 0..<count {
            let tokens = rows(batch).reduce(0) { $0 + file.tokenCount(of: $1) }
            let sequences = rows(batch).reduce(0) { $0 + file.sequences(of: $1).count }
            capacity.tokens = max(capacity.tokens, tokens)
            capacity.sequences = max(capacity.sequences, sequences)
            if let masked { capacity.maskedTokens = max(capacity.maskedTokens, masked[rows(batch)].reduce(0, +)) }
        }
        return capacity
    }
}

/// Scores development sets, sharded over ranks, each example exactly once.
final class Evaluator {
    private let world: Communicator
    private let model: MultiTaskModel
    private let batchSize: Int
    private let batch: PackedBatch

    /// - Parameter capacity: room for any evaluation batch.
    init(_ world: Communicator, _ model: MultiTaskModel, capacity: BatchCapacity, batchSize: Int) {
        self.world = world
        self.model = model
        self.batchSize = batchSize
        batch = PackedBatch(capacity: capacity, tree: SliceTree(sliceCount: 1, local: 0..<1))
    }

    /// What the head says to all examples of a file, or to all questions, the same on every rank.
    func predictions(task: PreparedTask, head: Int, file: TokenFile) throws -> [Prediction] {
        let batches = EvaluationBatches(file, sequenceCount: batchSize)
        let outputs = task.definition.outputCount
        var scores = [Float](repeating: 0, count: file.outputRows(of: 0..<file.sequenceCount).count * outputs)
        var next = batches.outputRows(ofRank: world.rank, of: world.size).lowerBound * outputs
        for index in batches.batches(ofRank: world.rank, of: world.size) {
            batch.clear()
            for row in batches.rows(index) { task.append(row, of: file, to: batch, number: row, Masking.evaluation) }
            batch.endSlice()
            batch.random = nil
            let result = model.forward(batch, head: head)
            RankPosition.advance()
            for row in 0..<result.rows {
                for column in 0..<outputs {
                    scores[next] = result.row(row)[column]
                    next += 1
                }
            }
        }
        try gather(&scores, batches, outputs)
        // The windows of a question are judged together.
        let judged = (0..<(file.questions?.count ?? file.exampleCount)).map { index in
            file.questions?.windows(of: index) ?? index..<(index + 1)
        }
        return judged.enumerated().map { question, examples in
            let rows = file.outputRows(of: file.sequences(of: examples))
            return Prediction(
                uid: file.uid(of: examples.lowerBound),
                scores: scores[(rows.lowerBound * outputs)..<(rows.upperBound * outputs)],
                label: file.labels[examples.lowerBound],
                tokenLabels: file.tokenLabels.isEmpty ? [] : Array(file.tokenLabels[rows]),
                context: file.context(ofQuestion: question), task: task.definition)
        }
    }

    private func gather(_ scores: inout [Float], _ batches: EvaluationBatches, _ outputs: Int) throws {
        let shares = (0..<world.size).map { batches.outputRows(ofRank: $0, of: world.size) }
        try scores.withUnsafeMutableBufferPointer { buffer in
            try world.allGatherInPlace(
                buffer, counts: shares.map { Int32($0.count * outputs) },
                displacements: shares.map { Int32($0.lowerBound * outputs) })
        }
    }
}

extension TaskDefinition {
    /// What the head says to examples, beside what is right; all have labels.
    func judge(_ examples: [Prediction]) -> Predictions {
        func labels() -> [Int] { examples.map { Int($0.label!) } }
        return switch kind {
        case .classification: .classes(examples.map(\.index), labels: labels())
        case .regression:
            .numbers(examples.map { Double($0.scores.first!) }, labels: examples.map { Double($0.label!) })
        case .ranking: .candidates(examples.map { $0.scores.map(Double.init) }, positives: labels())
        case .labelling(let names):
            .labels(
                examples.map { wordClasses($0.scores, tokenLabels: $0.tokenLabels) },
                labels: examples.map { $0.tokenLabels.filter { $0 >= 0 }.map { Int($0) } }, names: names)
        case .span:
            .answers(
                examples.map(\.answer), right: examples.map { $0.context?.answers ?? [] },
                mayBeNone: metrics.contains(.answerOrNoneF1))
        case .maskedWords: .maskedWords(examples.map { MaskedResult($0.scores) })
        }
    }

    /// The predicted class of each word, from the scores of its first token.
    func wordClasses(_ scores: ArraySlice<Float>, tokenLabels: [Int32]) -> [Int] {
        tokenLabels.indices.filter { tokenLabels[$0] != TokenLabel.none }.map { token in
            let first = scores.startIndex + token * outputCount
            return scores[first..<(first + outputCount)].indexOfLargest
        }
    }
}

extension TokenFile {
    /// The rows of a head's output for some sequences: one for each, or for each of their tokens where those have labels.
    func outputRows(of sequences: Range<Int>) -> Range<Int> {
        guard !tokenLabels.isEmpty else { return sequences }
        return Int(sequenceOffsets[sequences.lowerBound])..<Int(sequenceOffsets[sequences.upperBound])
    }
}

extension ArraySlice<Float> {
    /// The place of the largest number from 0, of equal ones the first.
    var indexOfLargest: Int { (indices.max { self[$0] < self[$1] } ?? startIndex) - startIndex }
}
