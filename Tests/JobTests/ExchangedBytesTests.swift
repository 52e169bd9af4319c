import Foundation
import TestSupport
import Testing

/// Only what a step changes travels between two ranks: the encoder, the pooler where it is read, the head of the task, and of the word embeddings
/// the rows that the batch touches.
@Suite(.serialized) final class ExchangedBytesTests {
    private let run: SmallRun

    init() throws { run = try SmallRun() }

    deinit {
        do { try run.suite.remove() } catch { Issue.record(error) }
    }

    /// What all ranks together took from others in one step.
    private struct Step: Equatable {
        var task = 0
        var words = 0
        var gradients = 0
        var values = 0
    }

    private func steps(ranks: Int, ranksPerHost: Int) throws -> [Step] {
        let result = try runJob(
            ranks: ranks, executable: "TrainingSelfTest", arguments: ["bytes", "\(ranksPerHost)", run.suite.runFile])
        try #require(result.status == 0, "\(result.error)")
        var steps = [Step](repeating: Step(), count: SmallSuite.stepCount)
        for line in result.output.split(separator: "\n") {
            let numbers = line.split(separator: " ").compactMap { Int($0) }
            guard numbers.count == 5 else { continue }
            steps[numbers[0]].task = numbers[1]
            steps[numbers[0]].words = numbers[2]
            steps[numbers[0]].gradients += numbers[3]
            steps[numbers[0]].values += numbers[4]
        }
        return steps
    }

    @Test func `Two ranks exchange each active gradient and value once, and of word embeddings the touched rows`()
        throws
    {
        let weights = try run.weights(ranks: 1)
        func bytes(_ isPart: (String) -> Bool) -> Int {
            4 * weights.filter { isPart($0.key) }.reduce(0) { $0 + $1.value.count }
        }
        let wordName = "embeddings.word_embeddings.weight"
        let encoder = bytes { !$0.hasPrefix("heads.") && !$0.hasPrefix("pooler.") && $0 != wordName }
        let row = try #require(weights["embeddings.LayerNorm.bias"]).count * 4
        // The tasks in the order of the task file; the answer network reads all tokens instead of the pooler.
        let active = ["single", "score", "pair", "query"].map { task in
            encoder + bytes { $0.hasPrefix("heads.\(task).") }
                + (task == "pair" ? 0 : bytes { $0.hasPrefix("pooler.") })
        }
        let apart = try steps(ranks: 2, ranksPerHost: 1)
        for (number, step) in apart.enumerated() {
            let expected = active[step.task] + step.words * row
            #expect(step.gradients == expected && step.values == expected, "step \(number): \(step)")
        }
        // Most batches touch few words, so all rows would be more.
        let vocabularySize = try #require(weights[wordName]).count * 4 / row
        #expect(Set(apart.map(\.task)).count == 4 && apart.contains { $0.words < vocabularySize / 2 })
        // On one host gradients are read where they lie, and values are shared.
        #expect(try steps(ranks: 2, ranksPerHost: 2).map(\.gradients) == apart.map(\.gradients))
        #expect(try steps(ranks: 2, ranksPerHost: 2).allSatisfy { $0.values == 0 })
        #expect(try steps(ranks: 1, ranksPerHost: 1).allSatisfy { $0.gradients == 0 && $0.values == 0 })
    }
}
