import Kernels
import TestSupport

@testable import Model

/// A small model with every kind of head, and batches for each: everything that a training step computes.
enum AllHeads {
    static let sizes = EncoderSizes(
        vocabularySize: 40, hiddenSize: 24, layerCount: 2, headCount: 3, intermediateSize: 40, maximumPositions: 32)
    static let names = ["classification", "similarity", "ranking", "entailment", "labelling", "span", "pretraining"]
    static let definitions = [
        HeadDefinition(task: names[0], kind: .classification(classes: 3), dropout: 0.1),
        HeadDefinition(task: names[1], kind: .regression, dropout: 0.2),
        HeadDefinition(task: names[2], kind: .ranking, dropout: 0.1),
        HeadDefinition(
            task: names[3], kind: .answerNetwork(classes: 3, turns: 5, predictionDropout: 0.2), dropout: 0.1),
        HeadDefinition(task: names[4], kind: .labelling(classes: 3), dropout: 0.1),
        HeadDefinition(task: names[5], kind: .span, dropout: 0.1),
        HeadDefinition(task: names[6], kind: .maskedWords, dropout: 0.1),
    ]

    /// A model with dropout everywhere and random values, for a rank that holds `local` of the slices of `batch`.
    static func model(for batch: PackedBatch, recomputes: Bool = false) -> MultiTaskModel {
        let model = MultiTaskModel(
            encoder: sizes, heads: definitions, dropout: .init(hidden: 0.1, attention: 0.15), capacity: batch.capacity,
            gradientBuffers: batch.tree.subtrees.count, touchedWords: sizes.vocabularySize,
            recomputes: recomputes)
        model.parameters.randomize(seed: 12)
        _ = Unmanaged.passRetained(model)  // never freed, so that no view of its memory outlives it
        return model
    }

    /// `unitCounts[i]` units in slice i; a ranking query has one to four candidates, a sequence `softLabels` scores by a teacher.
    static func batch(head: Int, unitCounts: [Int], seed: UInt64 = 1, softLabels: Int = 0) -> TestBatch {
        var random = TestRandom(seed: seed)
        return TestBatch(
            slices: unitCounts.map { count in
                (0..<count).map { _ in
                    let candidates = names[head] == "ranking" ? Int.random(in: 1...4, using: &random) : 1
                    let lengths = (0..<candidates).map { _ in Int.random(in: 2...17, using: &random) }
                    let label: Float =
                        switch names[head] {
                        case "similarity": random.normal() * 2
                        case "ranking": Float(Int.random(in: 0..<candidates, using: &random))
                        case "pretraining": Float(Int.random(in: 0..<2, using: &random))
                        default: Float(Int.random(in: 0..<3, using: &random))
                        }
                    var sequences = TestBatch.randomSequences(
                        lengths: lengths, vocabulary: sizes.vocabularySize, using: &random)
                    if names[head] == "labelling" {
                        sequences[0].labels = sequences[0].tokens.map { _ in Int32.random(in: -1..<3, using: &random) }
                        sequences[0].labels[0] = 0
                    }
                    if names[head] == "span" {
                        let places = (0..<2).map { _ in sequences[0].tokens.indices.randomElement(using: &random)! }
                        sequences[0].labels = sequences[0].tokens.indices.map { token in
                            (token == places.min() ? 1 : 0) + (token == places.max() ? 2 : 0)
                        }
                    }
                    if names[head] == "pretraining" {
                        sequences[0].masked = (1..<lengths[0]).filter { _ in Int.random(in: 0..<3, using: &random) == 0
                        }
                        .map { ($0, Int32.random(in: 0..<Int32(sizes.vocabularySize), using: &random)) }
                    }
                    for index in sequences.indices { sequences[index].softLabels = random.normals(softLabels) }
                    return TestUnit(sequences: sequences, label: label)
                }
            })
    }
}
