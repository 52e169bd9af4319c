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
    var capacity: BatchCapacity {
        var capacity = BatchCapacity(tokens: 0, sequences: 0, longest: file.longest)
        for batch in 0..<count {
            let tokens = rows(batch).reduce(0) { $0 + file.tokenCount(of: $1) }
            let sequences = rows(batch).reduce(0) { $0 + file.sequences(of: $1).count }
            capacity.tokens = max(capacity.tokens, tokens)
            capacity.sequences = max(capacity.sequences, sequences)
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

    /// The predictions for all examples of a file, the same on every rank.
    func predictions(task: PreparedTask, head: Int, file: TokenFile) throws -> Predictions {
        let batches = EvaluationBatches(file, sequenceCount: batchSize)
        let outputs = task.definition.outputCount
        var scores = [Float](repeating: 0, count: file.outputRows(of: 0..<file.sequenceCount).count * outputs)
        var next = batches.outputRows(ofRank: world.rank, of: world.size).lowerBound * outputs
        for index in batches.batches(ofRank: world.rank, of: world.size) {
            batch.clear()
            for row in batches.rows(index) { file.append(row, to: batch, number: 0) }
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
        let rows = judged.map { file.outputRows(of: file.sequences(of: $0)) }
        return task.definition.predictions(
            rows.map { scores[($0.lowerBound * outputs)..<($0.upperBound * outputs)] },
            labels: judged.map { Double(file.labels[$0.lowerBound]) },
            tokenLabels: rows.map { file.tokenLabels.isEmpty ? [] : Array(file.tokenLabels[$0]) },
            contexts: judged.indices.compactMap(file.context(ofQuestion:)))
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
    /// What scores say, beside the labels.
    /// - Parameters:
    ///   - scores: for each example those of its sequences, or tokens, as the head puts them out; for a question those of all its windows.
    ///   - tokenLabels: for each example those of its tokens, where they have labels.
    ///   - contexts: what each question is about; empty for other tasks.
    func predictions(
        _ scores: [ArraySlice<Float>], labels: [Double], tokenLabels: [[Int32]], contexts: [QuestionContext]
    ) -> Predictions {
        switch kind {
        case .classification:
            .classes(scores.map { $0.indexOfLargest }, labels: labels.map { Int($0) })
        case .regression: .numbers(scores.map { Double($0.first!) }, labels: labels)
        case .ranking: .candidates(scores.map { $0.map(Double.init) }, positives: labels.map { Int($0) })
        case .labelling(let names):
            .labels(
                zip(scores, tokenLabels).map { wordClasses($0, tokenLabels: $1) },
                labels: tokenLabels.map { $0.filter { $0 >= 0 }.map { Int($0) } }, names: names)
        case .span(let allowsNone, _):
            .answers(
                contexts.indices.map {
                    contexts[$0].answer(scores[$0], marks: tokenLabels[$0], allowsNone: allowsNone).text
                }, right: contexts.map(\.answers), mayBeNone: metrics.contains(.answerOrNoneF1))
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
