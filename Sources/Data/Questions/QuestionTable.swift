import Storage

/// The questions of a token file: which examples are their windows, what their contexts say, and what the right answers are.
///
/// Answers are cut out of contexts and scored without a look at the file that they were read from, which may have changed since.
public struct QuestionTable {
    /// First and end of the bytes of its context's UTF-8 that each token stands for; equal for other tokens. // [tokens · 2]
    private let ranges: UnsafeBufferPointer<Int32>
    /// Where each question's windows start among the examples, and where the last ends. // [questions + 1]
    private let windows: UnsafeBufferPointer<Int64>
    /// Where each question's texts start among all: its context, and then the right answers. // [questions + 1]
    private let textCounts: UnsafeBufferPointer<Int64>
    /// Where each text starts in `texts`, and where the last ends. // [texts + 1]
    private let textOffsets: UnsafeBufferPointer<Int64>
    private let texts: UnsafeBufferPointer<UInt8>

    /// The names of its datasets.
    enum Dataset {
        static let ranges = "question_token_ranges"
        static let windows = "question_windows"
        static let textCounts = "question_texts"
        static let textOffsets = "text_offsets"
        static let texts = "texts"
    }

    init(_ file: HDF5File, _ mapping: MappedFile) throws(StorageError) {
        ranges = try TokenFile.map(Dataset.ranges, of: file, mapping)
        windows = try TokenFile.map(Dataset.windows, of: file, mapping)
        textCounts = try TokenFile.map(Dataset.textCounts, of: file, mapping)
        textOffsets = try TokenFile.map(Dataset.textOffsets, of: file, mapping)
        texts = try TokenFile.map(Dataset.texts, of: file, mapping)
    }

    /// The number of questions.
    public var count: Int { windows.count - 1 }

    /// The examples that are the windows of a question.
    public func windows(of question: Int) -> Range<Int> { range(question, in: windows) }

    /// The context of a question and its right answers, with the ranges of its windows' tokens.
    func context(of question: Int, tokens: [Range<Int>]) -> QuestionContext {
        let texts = range(question, in: textCounts)
        return QuestionContext(
            text: text(texts.lowerBound), answers: texts.dropFirst().map(text),
            ranges: tokens.map { $0.map(range(ofToken:)) })
    }

    private func range(ofToken token: Int) -> Range<Int> { Int(ranges[2 * token])..<Int(ranges[2 * token + 1]) }

    private func text(_ index: Int) -> String {
        String(decoding: texts[range(index, in: textOffsets)], as: UTF8.self)
    }

    private func range(_ index: Int, in offsets: UnsafeBufferPointer<Int64>) -> Range<Int> {
        Int(offsets[index])..<Int(offsets[index + 1])
    }

    /// Throws unless everything that reading follows leads to a place inside its array, and every token's bytes are in its context.
    func check(_ file: TokenFile) throws(StorageError) {
        try file.check(windows, Dataset.windows, end: file.exampleCount, of: "examples")
        try file.check(textCounts, Dataset.textCounts, end: textOffsets.count - 1, of: Dataset.textOffsets)
        try file.check(textOffsets, Dataset.textOffsets, end: texts.count, of: Dataset.texts)
        try file.check(textCounts.count - 1, Dataset.textCounts, equals: count, "questions")
        try file.check(ranges.count, Dataset.ranges, equals: 2 * file.tokens.count, "ends of tokens")
        for question in 0..<count {
            guard !windows(of: question).isEmpty, let context = range(question, in: textCounts).first else {
                throw file.error(Dataset.windows, "question \(question) has no window or no context")
            }
            let length = range(context, in: textOffsets).count
            for token in file.sequences(of: windows(of: question)).flatMap(file.tokenRange(of:)) {
                let (start, end) = (ranges[2 * token], ranges[2 * token + 1])
                guard start >= 0, start <= end, Int(end) <= length else {
                    throw file.error(Dataset.ranges, "token \(token) is not within its context")
                }
            }
        }
    }

    /// Collects questions in memory.
    struct Builder {
        private var ranges: [Int32] = []
        private var windows: [Int64] = [0]
        private var textCounts: [Int64] = [0]
        private var textOffsets: [Int64] = [0]
        private var texts: [UInt8] = []

        /// Appends a question whose last window is the example before `end`.
        mutating func append(_ context: QuestionContext, endingAt end: Int) {
            for range in context.ranges.joined() { ranges += [Int32(range.lowerBound), Int32(range.upperBound)] }
            windows.append(Int64(end))
            for text in [context.text] + context.answers {
                texts += text.utf8
                textOffsets.append(Int64(texts.count))
            }
            textCounts.append(Int64(textOffsets.count - 1))
        }

        func write(to file: HDF5File) throws(StorageError) {
            try file.write(ranges, to: Dataset.ranges)
            try file.write(windows, to: Dataset.windows)
            try file.write(textCounts, to: Dataset.textCounts)
            try file.write(textOffsets, to: Dataset.textOffsets)
            try file.write(texts, to: Dataset.texts)
        }
    }
}

extension TokenFile {
    /// The sequences of some examples, one after another.
    public func sequences(of examples: Range<Int>) -> Range<Int> {
        Int(exampleOffsets[examples.lowerBound])..<Int(exampleOffsets[examples.upperBound])
    }

    /// What the windows of a question show, and what it wants found; nil where the file holds no questions.
    public func context(ofQuestion index: Int) -> QuestionContext? {
        guard let questions else { return nil }
        return questions.context(of: index, tokens: sequences(of: questions.windows(of: index)).map(tokenRange(of:)))
    }

    /// The tokens of a sequence among all.
    fileprivate func tokenRange(of sequence: Int) -> Range<Int> {
        Int(sequenceOffsets[sequence])..<Int(sequenceOffsets[sequence + 1])
    }
}
