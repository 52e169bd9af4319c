import Storage

/// The prepared examples of one split of one task, mapped from an HDF5 file.
///
/// An example has one sequence of tokens, or, for a ranking query, one per candidate; of a question each window of its context is one. Nothing is read at the start and
/// nothing through HDF5 later: the datasets are contiguous, and each array is the mapped file itself, so all ranks of a
/// host share one copy and a checkpoint being written never makes a batch wait for HDF5's lock.
///
/// The file ends in the SHA-256 of its own preceding bytes: one that was damaged is known as such.
///
/// The arrays are valid as long as this object lives.
public final class TokenFile: @unchecked Sendable {  // reads a mapping that never changes
    /// The file's path.
    public let path: String
    /// Where the file came from: the attributes that it was written with.
    public let attributes: [String: String]
    /// The vocabulary numbers of all sequences' tokens, one sequence after another. // [tokens]
    public let tokens: UnsafeBufferPointer<Int32>
    /// For each token the text that it belongs to: 0 the first, 1 the second. // [tokens]
    public let segments: UnsafeBufferPointer<UInt8>
    /// Where each sequence starts in `tokens`, and where the last ends. // [sequences + 1]
    public let sequenceOffsets: UnsafeBufferPointer<Int64>
    /// Where each example starts among the sequences, and where the last ends. // [examples + 1]
    public let exampleOffsets: UnsafeBufferPointer<Int64>
    /// For each token the class of the word that begins there, or one of `TokenLabel`, or its `SpanMark`; empty for tasks without. // [tokens] or [0]
    public let tokenLabels: UnsafeBufferPointer<Int32>
    /// A teacher's scores, as many for each sequence as the task has outputs; empty where there are none. // [sequences · outputs] or [0]
    public let softLabels: UnsafeBufferPointer<Float>
    /// The class's index, the score, the index of the positive candidate, the number of labelled words, or whether the question has an answer; NaN
    /// without a label. // [examples]
    public let labels: UnsafeBufferPointer<Float>
    /// The questions whose windows are the examples; nil for tasks without.
    public let questions: QuestionTable?
    private let uidBytes: UnsafeBufferPointer<UInt8>
    private let uidOffsets: UnsafeBufferPointer<Int64>
    private let mapping: MappedFile

    /// The names of the file's datasets.
    enum Dataset {
        static let tokens = "tokens"
        static let segments = "segments"
        static let sequenceOffsets = "sequence_offsets"
        static let exampleOffsets = "example_offsets"
        static let labels = "labels"
        static let tokenLabels = "token_labels"
        static let softLabels = "soft_labels"
        static let uids = "uids"
        static let uidOffsets = "uid_offsets"
    }

    /// Maps the file at `path`; throws if it does not have the bytes that were written, or its datasets do not fit together.
    public init(_ path: String) throws(StorageError) {
        let mapping = try MappedFile(path)
        // HDF5 sees no byte before this.
        try Seal.check(mapping)
        let file = try HDF5File(reading: path)
        self.path = path
        self.mapping = mapping
        tokens = try Self.map(Dataset.tokens, of: file, mapping)
        segments = try Self.map(Dataset.segments, of: file, mapping)
        sequenceOffsets = try Self.map(Dataset.sequenceOffsets, of: file, mapping)
        exampleOffsets = try Self.map(Dataset.exampleOffsets, of: file, mapping)
        labels = try Self.map(Dataset.labels, of: file, mapping)
        tokenLabels =
            try file.exists(Dataset.tokenLabels)
            ? Self.map(Dataset.tokenLabels, of: file, mapping) : UnsafeBufferPointer(start: nil, count: 0)
        questions = try file.exists(QuestionTable.Dataset.windows) ? QuestionTable(file, mapping) : nil
        softLabels =
            try file.exists(Dataset.softLabels)
            ? Self.map(Dataset.softLabels, of: file, mapping) : UnsafeBufferPointer(start: nil, count: 0)
        uidBytes = try Self.map(Dataset.uids, of: file, mapping)
        uidOffsets = try Self.map(Dataset.uidOffsets, of: file, mapping)
        var attributes: [String: String] = [:]
        for name in try file.attributeNames() { attributes[name] = try file.string(attribute: name, of: "/") }
        self.attributes = attributes
        try file.close()
        try checkConsistency()
    }

    /// The number of labelled units: sentences, pairs, or ranking queries with all their candidates.
    public var exampleCount: Int { exampleOffsets.count - 1 }
    /// The number of sequences of all examples.
    public var sequenceCount: Int { sequenceOffsets.count - 1 }

    /// The sequences of an example: one, or the candidates of a ranking query.
    public func sequences(of example: Int) -> Range<Int> { range(example, in: exampleOffsets) }

    /// The vocabulary numbers of a sequence's tokens.
    public func tokens(of sequence: Int) -> UnsafeBufferPointer<Int32> {
        UnsafeBufferPointer(rebasing: tokens[range(sequence, in: sequenceOffsets)])
    }

    /// For each token of a sequence the text that it belongs to: 0 the first, 1 the second.
    public func segments(of sequence: Int) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(rebasing: segments[range(sequence, in: sequenceOffsets)])
    }

    /// For each token of a sequence the class of the word that begins there, or one of `TokenLabel`, or its `SpanMark`; empty for other tasks.
    public func tokenLabels(of sequence: Int) -> UnsafeBufferPointer<Int32> {
        tokenLabels.isEmpty
            ? tokenLabels : UnsafeBufferPointer(rebasing: tokenLabels[range(sequence, in: sequenceOffsets)])
    }

    /// A teacher's scores of a sequence; empty where there are none.
    public func softLabels(of sequence: Int) -> UnsafeBufferPointer<Float> {
        guard !softLabels.isEmpty else { return softLabels }
        let count = softLabels.count / sequenceCount
        return UnsafeBufferPointer(rebasing: softLabels[(sequence * count)..<((sequence + 1) * count)])
    }

    /// The name that the data set gives an example.
    public func uid(of example: Int) -> String {
        String(decoding: uidBytes[range(example, in: uidOffsets)], as: UTF8.self)
    }

    private func range(_ index: Int, in offsets: UnsafeBufferPointer<Int64>) -> Range<Int> {
        Int(offsets[index])..<Int(offsets[index + 1])
    }

    static func map<Element: HDF5Element>(
        _ dataset: String, of file: HDF5File, _ mapping: MappedFile
    ) throws(StorageError) -> UnsafeBufferPointer<Element> {
        let shape = try file.shape(of: dataset)
        guard shape.count == 1 else {
            throw StorageError(
                file: file.path, place: dataset, reason: "its shape is \(shape) instead of one dimension")
        }
        // HDF5 gives an empty dataset no place in the file.
        guard let offset = try file.offset(of: dataset, as: Element.self) else {
            return UnsafeBufferPointer(start: nil, count: 0)
        }
        return try mapping.pointer(at: offset, count: shape[0], as: Element.self)
    }
}

extension TokenFile {
    /// Throws unless every offset that reading follows leads to a place inside its array.
    private func checkConsistency() throws(StorageError) {
        try check(sequenceOffsets, Dataset.sequenceOffsets, end: tokens.count, of: Dataset.tokens)
        try check(exampleOffsets, Dataset.exampleOffsets, end: sequenceCount, of: Dataset.sequenceOffsets)
        try check(uidOffsets, Dataset.uidOffsets, end: uidBytes.count, of: Dataset.uids)
        try check(segments.count, Dataset.segments, equals: tokens.count, "tokens")
        try check(labels.count, Dataset.labels, equals: exampleCount, "examples")
        if !tokenLabels.isEmpty { try check(tokenLabels.count, Dataset.tokenLabels, equals: tokens.count, "tokens") }
        if !softLabels.isEmpty, sequenceCount == 0 || !softLabels.count.isMultiple(of: sequenceCount) {
            throw error(Dataset.softLabels, "\(softLabels.count) entries for \(sequenceCount) sequences")
        }
        try check(uidOffsets.count - 1, Dataset.uidOffsets, equals: exampleCount, "examples")
        try questions?.check(self)
    }

    func check(
        _ offsets: UnsafeBufferPointer<Int64>, _ dataset: String, end: Int, of target: String
    ) throws(StorageError) {
        guard offsets.first == 0 else { throw error(dataset, "does not start at 0") }
        for index in 1..<offsets.count where offsets[index] < offsets[index - 1] {
            throw error(dataset, "falls from \(offsets[index - 1]) to \(offsets[index]) at \(index)")
        }
        if let last = offsets.last, last != end {
            throw error(dataset, "ends at \(last), where \(target) ends at \(end)")
        }
    }

    func check(_ count: Int, _ dataset: String, equals expected: Int, _ what: String) throws(StorageError) {
        if count != expected { throw error(dataset, "\(count) entries for \(expected) \(what)") }
    }

    func error(_ dataset: String, _ reason: String) -> StorageError {
        StorageError(file: path, place: dataset, reason: reason)
    }
}

extension TokenFile {
    /// Collects examples in memory and writes them as a token file.
    public struct Builder {
        private var tokens: [Int32] = []
        private var segments: [UInt8] = []
        private var sequenceOffsets: [Int64] = [0]
        private var exampleOffsets: [Int64] = [0]
        private var labels: [Float] = []
        private var tokenLabels: [Int32] = []
        private var softLabels: [Float] = []
        private var uids: [UInt8] = []
        private var uidOffsets: [Int64] = [0]
        private var questions: QuestionTable.Builder?

        /// No examples yet.
        public init() {}

        /// The number of examples so far.
        public var exampleCount: Int { labels.count }

        /// Appends an example.
        ///
        /// - Parameters:
        ///   - sequences: One sequence, or the candidates of a ranking query; as many segments as tokens in each.
        ///   - label: The class's index, the score, or the index of the positive candidate; NaN without a label.
        ///   - uid: The name that the data set gives the example.
        ///   - newTokenLabels: For each token of all sequences the class of the word that begins there, or its mark; empty for tasks without.
        ///   - newSoftLabels: A teacher's scores of all sequences; empty where there are none.
        public mutating func append(
            _ sequences: [(tokens: [Int32], segments: [UInt8])], label: Float, uid: String,
            tokenLabels newTokenLabels: [Int32] = [], softLabels newSoftLabels: [Float] = []
        ) {
            for sequence in sequences {
                precondition(
                    sequence.tokens.count == sequence.segments.count,
                    "\(uid): \(sequence.segments.count) segments for \(sequence.tokens.count) tokens")
                tokens += sequence.tokens
                segments += sequence.segments
                sequenceOffsets.append(Int64(tokens.count))
            }
            tokenLabels += newTokenLabels
            softLabels += newSoftLabels
            exampleOffsets.append(Int64(sequenceOffsets.count - 1))
            labels.append(label)
            uids += uid.utf8
            uidOffsets.append(Int64(uids.count))
        }

        /// Appends a question, each window of its context as an example.
        public mutating func append(question: TokenizedExample, _ context: QuestionContext) {
            var first = 0
            for sequence in question.sequences {
                let marks = Array(question.tokenLabels[first..<(first + sequence.tokens.count)])
                append(
                    [(sequence.tokens, sequence.segments)], label: question.label ?? .nan, uid: question.uid,
                    tokenLabels: marks)
                first += marks.count
            }
            let end = exampleCount
            questions = questions ?? QuestionTable.Builder()
            questions?.append(context, endingAt: end)
        }

        /// Writes the file; it appears at `path` whole or not at all.
        ///
        /// - Parameter attributes: Where the examples come from, in words.
        public func write(to path: String, attributes: [String: String]) throws {
            try replaceFile(at: path) { temporaryPath in
                let file = try HDF5File(creating: temporaryPath)
                try file.write(tokens, to: Dataset.tokens)
                try file.write(segments, to: Dataset.segments)
                try file.write(sequenceOffsets, to: Dataset.sequenceOffsets)
                try file.write(exampleOffsets, to: Dataset.exampleOffsets)
                try file.write(labels, to: Dataset.labels)
                if !tokenLabels.isEmpty { try file.write(tokenLabels, to: Dataset.tokenLabels) }
                try questions?.write(to: file)
                if !softLabels.isEmpty { try file.write(softLabels, to: Dataset.softLabels) }
                try file.write(uids, to: Dataset.uids)
                try file.write(uidOffsets, to: Dataset.uidOffsets)
                // In a fixed order, so that equal contents make equal files.
                for (name, value) in attributes.sorted(by: { $0.key < $1.key }) {
                    try file.setAttribute(name, of: "/", to: value)
                }
                try file.close()
                try Seal.append(to: temporaryPath)
            }
        }
    }
}
