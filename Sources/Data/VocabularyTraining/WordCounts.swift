/// How often each word of a corpus occurs, words being what the tokenizer would divide into WordPieces.
public final class WordCounts {
    /// A word in UTF-8, and how often it occurs.
    typealias Entry = (word: [UInt8], count: Int)

    private let rules: CharacterRules
    private var counts: [[UInt8]: Int] = [:]

    /// No words yet.
    /// - Parameter lowercases: whether texts are lower-cased and stripped of accents.
    public init(lowercases: Bool = true) {
        rules = CharacterRules(lowercases: lowercases, stripsAccents: lowercases, isolatesIdeographs: true)
    }

    /// Number of words, each as often as it occurs.
    public var total: Int { counts.values.reduce(0, +) }
    /// Number of different words.
    public var count: Int { counts.count }

    /// Adds the words of a text file.
    /// - Parameter isJSON: whether each line is a JSON object with its text under `text`.
    public func add(path: String, isJSON: Bool = false) throws(ExampleError) {
        let file = try LineFile(path: path, origin: "the command line")
        try file.forEachLine { line throws(ExampleError) in
            add(isJSON ? try line.jsonText() : try line.text())
            return true
        }
    }

    /// Adds the words of a text, but for those that are too long for the tokenizer to look up.
    func add(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: TextScanner.wordCapacity) { word in
                withUnsafeTemporaryAllocation(of: Int.self, capacity: TextScanner.wordCapacity) { sources in
                    rules.table.withUnsafeBufferPointer { table in
                        withUnsafePointer(to: WordPieceTrie.Node()) { nodes in
                            var none: [Int32] = []
                            var scanner = TextScanner(
                                rules: rules, table: table.baseAddress!, nodes: nodes, specialTokens: [], unknown: 0,
                                text: bytes, word: word.baseAddress!, sources: sources.baseAddress!, keepsRanges: false)
                            scanner.receiveWord = { self.counts[[UInt8]($0), default: 0] += 1 }
                            scanner.append(to: &none, limit: .max)
                        }
                    }
                }
            }
        }
    }

    /// Words with their counts, in the order of their bytes.
    var sorted: [Entry] {
        counts.map { (word: $0.key, count: $0.value) }.sorted { $0.word.lexicographicallyPrecedes($1.word) }
    }
}
