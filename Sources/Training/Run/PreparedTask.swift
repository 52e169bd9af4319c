import Data
import Kernels
import Model

/// A task whose texts are tokenised: its definition and the files of its splits.
package struct PreparedTask {
    let definition: TaskDefinition
    let train: TokenFile
    let developments: [(split: String, file: TokenFile)]
    /// What masks its texts; nil for tasks that tell something else than masked word pieces.
    let masking: Masking?

    /// A task with what it is trained on and what it is scored on.
    package init(definition: TaskDefinition, train: TokenFile, developments: [(split: String, file: TokenFile)]) {
        self.init(definition: definition, train: train, developments: developments, masking: nil)
    }

    init(
        definition: TaskDefinition, train: TokenFile, developments: [(split: String, file: TokenFile)],
        masking: Masking?
    ) {
        self.definition = definition
        self.train = train
        self.developments = developments
        self.masking = masking
    }

    /// Appends an example of a file to a batch as one unit, its sequences numbered from `number` on; masked, if the task's are, by the numbers of `random`.
    /// - Parameters:
    ///   - twins: where twins of its sequences follow, what those are numbered from.
    ///   - distils: whether its soft labels go along.
    func append(
        _ example: Int, of file: TokenFile, to batch: PackedBatch, number: Int, twins: Int? = nil,
        distils: Bool = false, _ random: RandomStep
    ) {
        func appendSequences(_ number: Int) {
            for (index, sequence) in file.sequences(of: example).enumerated() {
                let tokens = file.tokens(of: sequence)
                batch.append(
                    tokens: tokens, segments: file.segments(of: sequence), labels: file.tokenLabels(of: sequence),
                    softLabels: distils ? file.softLabels(of: sequence) : UnsafeBufferPointer(start: nil, count: 0),
                    number: number + index)
                guard let masking else { continue }
                for choice in masking.draw(tokens, random, number: number + index) {
                    batch.mask(choice.position, by: choice.piece)
                }
            }
        }
        appendSequences(number)
        if let twins { appendSequences(twins) }
        batch.endUnit(label: file.labels[example])
    }

    /// Most tokens of each example of a file that are masked; nil where none are.
    func mostMasked(of file: TokenFile) -> [Int]? {
        guard let masking else { return nil }
        return (0..<file.exampleCount).map { example in
            file.sequences(of: example).reduce(0) { $0 + masking.mostMasked(of: file.tokens(of: $1)) }
        }
    }

    /// Opens a token file; throws unless all that is in it fits task and encoder: kernels follow ids, lengths and labels without looking.
    @discardableResult
    package static func open(_ path: String, of task: TaskDefinition, _ sizes: EncoderSizes) throws -> TokenFile {
        let file = try TokenFile(path)
        let known = Int32(clamping: sizes.vocabularySize), segments = UInt8(clamping: min(2, sizes.segmentCount))
        guard file.tokens.allSatisfy({ $0 >= 0 && $0 < known }), file.segments.allSatisfy({ $0 < segments }) else {
            throw TrainingError("\(path): holds token ids or segments that the encoder does not have")
        }
        guard file.softLabels.isEmpty || file.softLabels.count == file.sequenceCount * task.outputCount,
            file.softLabels.allSatisfy(\.isFinite)
        else { throw TrainingError("\(path): holds soft labels that do not fit task \(task.name)") }
        guard file.exampleCount > 0 else { throw TrainingError("\(path): holds no examples") }
        for example in 0..<file.exampleCount {
            guard file.isPossible(example, of: task, longest: sizes.maximumPositions) else {
                throw TrainingError("\(path): example \(example) does not fit task \(task.name) and the encoder")
            }
        }
        return file
    }

    /// The head that the task asks for.
    package func head(_ settings: RunSettings) -> HeadDefinition { definition.head(settings) }

    /// The names of its token files, which tell the contents of its data, wherever they lie.
    var fileNames: String {
        ([train.path] + developments.map(\.file.path)).map { String($0.split(separator: "/").last ?? "") }
            .joined(separator: " ")
    }

    /// Says that only some rows are trained on.
    func fractionNote(_ settings: RunSettings) -> String? {
        guard definition.trainFraction < 1 else { return nil }
        return
            "\(definition.name) is trained on \(samplerTask(settings).exampleCount) of its \(train.exampleCount) examples, "
            + "as the seed draws them"
    }

    /// What the sampler knows of it.
    func samplerTask(_ settings: RunSettings) -> Sampler.Task {
        Sampler.Task(
            rowCount: train.exampleCount, batchSize: definition.batchSize ?? settings.batchSize,
            weight: definition.samplingWeight, fraction: definition.trainFraction)
    }
}

extension TaskDefinition {
    /// The head that the task asks for.
    func head(_ settings: RunSettings) -> HeadDefinition {
        let head: HeadDefinition.Kind
        switch kind {
        case .regression: head = .regression
        case .ranking: head = .ranking
        case .labelling(let labels): head = .labelling(classes: labels.count)
        case .span: head = .span
        case .maskedWords: head = .maskedWords
        case .classification(let classes, _) where usesStochasticAnswerNetwork:
            head = .answerNetwork(
                classes: classes, turns: settings.answerNetwork.turns,
                predictionDropout: settings.answerNetwork.predictionDropout)
        case .classification(let classes, _): head = .classification(classes: classes)
        }
        return HeadDefinition(task: name, kind: head, dropout: dropout ?? settings.taskDropout)
    }

    /// Whether its labels are those of words.
    var labelsWords: Bool { if case .labelling = kind { true } else { false } }

    /// Whether its head scores every token, and not each sequence.
    var scoresTokens: Bool { labelsWords || documentStride != nil }
}

extension TokenFile {
    /// Whether an example has the sequences and the label that a task's head takes.
    fileprivate func isPossible(_ example: Int, of task: TaskDefinition, longest: Int) -> Bool {
        let sequences = sequences(of: example)
        for sequence in sequences {
            let segments = segments(of: sequence)
            guard let first = segments.first, let last = segments.last, segments.count <= longest,
                zip(segments, segments.dropFirst()).allSatisfy({ $0 <= $1 }), !task.isPair || first < last
            else { return false }
        }
        let label = labels[example]
        guard task.scoresTokens != tokenLabels.isEmpty, (task.documentStride == nil) == (questions == nil) else {
            return false
        }
        switch task.kind {
        case .classification(let classes, _): return sequences.count == 1 && isPlace(label, below: classes)
        case .regression: return sequences.count == 1 && label.isFinite
        case .ranking: return isPlace(label, below: sequences.count)
        case .maskedWords: return sequences.count == 1 && isPlace(label, below: 2)
        case .labelling(let labels):
            guard sequences.count == 1 else { return false }
            let classes = tokenLabels(of: sequences.lowerBound)
            return classes.allSatisfy { $0 == TokenLabel.none || $0 >= 0 && $0 < labels.count }
                && label > 0 && classes.count { $0 >= 0 } == Int(exactly: label)
        case .span(let allowsNone, _):
            guard sequences.count == 1, label == 1 || allowsNone && label == 0 else { return false }
            return SpanMark.areWhole(tokenLabels(of: sequences.lowerBound))
        }
    }

    private func isPlace(_ label: Float, below count: Int) -> Bool {
        Int(exactly: label).map { (0..<count).contains($0) } ?? false
    }

    /// Number of tokens of all sequences of an example.
    func tokenCount(of example: Int) -> Int {
        let sequences = sequences(of: example)
        return Int(sequenceOffsets[sequences.upperBound] - sequenceOffsets[sequences.lowerBound])
    }

    /// Most tokens of a sequence.
    var longest: Int {
        (0..<sequenceCount).reduce(0) { max($0, Int(sequenceOffsets[$1 + 1] - sequenceOffsets[$1])) }
    }
}
