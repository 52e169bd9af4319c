/// Sentences that stand one after another: of those the second text of a pair can be told to follow the first.
public struct Document: Equatable, Sendable {
    /// In the order of the file; none is empty.
    public var sentences: [String]
}

extension TaskDefinition {
    /// The documents of one split, with `dataFolder` as the folder that relative paths start from, and what was left out.
    public func documents(ofSplit split: String, dataFolder: String) throws(ExampleError) -> FileContents<Document> {
        let path = try path(ofSplit: split, dataFolder: dataFolder)
        let file = try LineFile(path: path, origin: origin(ofSplit: split, dataFolder: dataFolder))
        var reader = DocumentReader(format: format)
        var leftOut = LeftOut()
        try file.forEachLine { line throws(ExampleError) in
            do throws(ExampleError) {
                try reader.add(line)
            } catch {
                guard onBadRow == .skip else { throw error }
                leftOut.append(error)
            }
            return true
        }
        reader.endDocument()
        guard !reader.documents.isEmpty else {
            throw ExampleError(file: path, line: nil, message: "the file holds no text\(leftOut.reason)")
        }
        return FileContents(rows: reader.documents, leftOut: leftOut)
    }
}

/// Makes documents of lines.
///
/// In `text` every line is a sentence or a paragraph, and an empty line ends a document. In a `book` lines are wrapped: an empty line ends a
/// paragraph, two or more of them a document (a chapter). In `json_text` every line is a document.
private struct DocumentReader {
    let format: ExampleFormat
    private(set) var documents: [Document] = []
    private var sentences: [String] = []
    private var paragraph = ""
    private var emptyLineCount = 0

    init(format: ExampleFormat) { self.format = format }

    mutating func add(_ line: Line) throws(ExampleError) {
        if format == .jsonText {
            for part in try line.jsonText().split(whereSeparator: \.isNewline) { append(part) }
            return endDocument()
        }
        let text = try line.text()
        guard !text.allSatisfy(\.isWhitespace) else { return noteEmptyLine() }
        emptyLineCount = 0
        if format == .book { paragraph += text + "\n" } else { append(text) }
    }

    private mutating func noteEmptyLine() {
        emptyLineCount += 1
        if format == .text || emptyLineCount == 2 { endDocument() } else { endParagraph() }
    }

    private mutating func append(_ text: some StringProtocol) {
        sentences += Data.sentences(of: text)
    }

    private mutating func endParagraph() {
        append(paragraph)
        paragraph = ""
    }

    mutating func endDocument() {
        endParagraph()
        if !sentences.isEmpty { documents.append(Document(sentences: sentences)) }
        sentences = []
    }
}
