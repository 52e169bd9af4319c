import Data
import Kernels
import Model

/// Sentence vectors of the encoder that a run's `encoder` names, as it is before any training, also where the run begins with another one's
/// weights (`initialize`): the mean of its output over a sentence's tokens.
final class UntrainedEncoder {
    private static let batchSize = 32
    private let model: MultiTaskModel
    private let batch: PackedBatch
    private let tokenizer: Tokenizer
    private let maximumLength: Int

    init(_ settings: RunSettings) throws {
        let files = try EncoderFiles(settings)
        maximumLength = min(settings.maximumLength, 128)
        let capacity = BatchCapacity(
            tokens: Self.batchSize * maximumLength, sequences: Self.batchSize, longest: maximumLength)
        model = MultiTaskModel(
            encoder: files.sizes, heads: [], dropout: .init(hidden: 0, attention: 0), capacity: capacity,
            gradientBuffers: 0, touchedWords: 1)
        _ = try files.initialize(model)
        batch = PackedBatch(capacity: capacity, tree: SliceTree(sliceCount: 1, local: 0..<1))
        tokenizer = try files.tokenizer()
    }

    /// A vector for each text.
    func vectors(_ texts: [String]) -> [[Float]] {
        var vectors: [[Float]] = []
        for first in stride(from: 0, to: texts.count, by: Self.batchSize) {
            vectors += means(texts[first..<min(first + Self.batchSize, texts.count)])
        }
        return vectors
    }

    private func means(_ texts: ArraySlice<String>) -> [[Float]] {
        batch.clear()
        for text in texts { batch.append(tokenizer.encode(text, maximumLength: maximumLength)) }
        batch.endSlice()
        return model.sentenceVectors(batch, .mean)
    }
}
