import Data
import Model

/// A task whose texts are tokenised: its definition and the files of its splits.
package struct PreparedTask {
    let definition: TaskDefinition
    let train: TokenFile
    let developments: [(split: String, file: TokenFile)]

    /// A task with what it is trained on and what it is scored on.
    package init(definition: TaskDefinition, train: TokenFile, developments: [(split: String, file: TokenFile)]) {
        self.definition = definition
        self.train = train
        self.developments = developments
    }

    /// Opens a token file; throws unless every id has an embedding: kernels follow ids without looking.
    @discardableResult
    static func open(_ path: String, vocabularySize: Int) throws -> TokenFile {
        let file = try TokenFile(path)
        let known = Int32(vocabularySize)
        guard file.tokens.allSatisfy({ $0 >= 0 && $0 < known }), file.segments.allSatisfy({ $0 <= 1 }) else {
            throw TrainingError("\(path): is damaged: it holds token ids or segments that the encoder does not have")
        }
        return file
    }

    /// The head that the task asks for.
    package func head(_ settings: RunSettings) -> HeadDefinition {
        let kind: HeadDefinition.Kind
        switch definition.kind {
        case .regression: kind = .regression
        case .ranking: kind = .ranking
        case .classification(let classes, _) where definition.usesStochasticAnswerNetwork:
            kind = .answerNetwork(
                classes: classes, turns: settings.answerNetwork.turns,
                predictionDropout: settings.answerNetwork.predictionDropout)
        case .classification(let classes, _): kind = .classification(classes: classes)
        }
        return HeadDefinition(
            task: definition.name, kind: kind, dropout: definition.dropout ?? settings.taskDropout)
    }

    /// What a resumed run must have in common with the one that it goes on with: the contents of its files, wherever they lie.
    var fingerprint: String {
        var definition = definition
        definition.data = .folder(".")
        let files = [train.path] + developments.map(\.file.path)
        return (["\(definition)"] + files.map { String($0.split(separator: "/").last ?? "") }).joined(separator: " ")
    }

    /// What the sampler knows of it.
    func samplerTask(_ settings: RunSettings) -> Sampler.Task {
        Sampler.Task(
            exampleCount: train.exampleCount, batchSize: definition.batchSize ?? settings.batchSize,
            weight: definition.samplingWeight)
    }
}

extension TokenFile {
    /// Number of tokens of all sequences of an example.
    func tokenCount(of example: Int) -> Int {
        let sequences = sequences(of: example)
        return Int(sequenceOffsets[sequences.upperBound] - sequenceOffsets[sequences.lowerBound])
    }

    /// Most tokens of a sequence.
    var longest: Int {
        (0..<sequenceCount).reduce(0) { max($0, Int(sequenceOffsets[$1 + 1] - sequenceOffsets[$1])) }
    }

    /// Appends an example to a batch as one unit, its sequences numbered from `number` on.
    func append(_ example: Int, to batch: PackedBatch, number: Int) {
        for (index, sequence) in sequences(of: example).enumerated() {
            batch.append(tokens: tokens(of: sequence), segments: segments(of: sequence), number: number + index)
        }
        batch.endUnit(label: labels[example])
    }
}
