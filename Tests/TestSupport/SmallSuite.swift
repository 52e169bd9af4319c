import Foundation

/// A data set of random words with a task for each kind of head, made to be awkward to divide among ranks.
///
/// Sequences have 3 to 90 tokens, ranking queries 3 to 12 candidates, and with batches of 7 the last ones have 5, 2, 1 and 1 rows.
public struct SmallSuite {
    /// The run file.
    public let runFile: String
    /// The folder that holds it all.
    public let folder: String
    private static let wordCount = 60
    /// Training and development rows by task.
    private static let rowCounts = ["single": (40, 9), "score": (30, 8), "pair": (29, 5), "query": (15, 4)]

    /// Steps of the run: two epochs of 6 + 5 + 5 + 3 batches.
    public static let stepCount = 38

    /// Writes the suite into a new folder of the temporary directory.
    public init() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("small-suite-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        self.folder = folder.path
        runFile = folder.appendingPathComponent("run.yml").path
        try Self.run.write(toFile: runFile, atomically: true, encoding: .utf8)
        var files = ["tasks.yml": Self.tasks]
        // Most pieces of a real vocabulary are never met in a run as short as this one.
        let pieces =
            ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + (0..<Self.wordCount).map { "w\($0)" }
            + (0..<200).map { "unmet\($0)" }
        files["vocab.txt"] = pieces.joined(separator: "\n") + "\n"
        var words = Words()
        for (task, counts) in Self.rowCounts.sorted(by: { $0.key < $1.key }) {
            for (split, count) in [("train", counts.0), ("dev", counts.1)] {
                files["\(task)_\(split).tsv"] = (0..<count).map { Self.row(task, $0, &words) + "\n" }.joined()
            }
        }
        for (name, text) in files {
            try text.write(to: folder.appendingPathComponent(name), atomically: true, encoding: .utf8)
        }
    }

    /// Removes the folder.
    public func remove() throws { try FileManager.default.removeItem(atPath: folder) }

    /// Row 0 of a task is the shortest there is, and row 1 the longest.
    private static func row(_ task: String, _ number: Int, _ words: inout Words) -> String {
        let length = number == 0 ? 0.0 : number == 1 ? 1 : words.share()
        let choice = words.number(below: 12)
        switch task {
        case "single": return "\(task)-\(number)\t\(choice % 2)\t\(words.text(1 + Int(87 * length)))"
        case "query":
            let count = 3 + (number == 1 ? 9 : choice % 10)
            let right = words.number(below: count)
            let candidates = (0..<count).map { _ in words.text(1 + words.number(below: 12)) }
            let ids = candidates.indices.map { "\(number)-\($0)" }.joined(separator: ",")
            let labels = candidates.indices.map { $0 == right ? "1" : "0" }.joined(separator: ",")
            return (["\(task)-\(number)", ids, labels, words.text(1 + words.number(below: 8))] + candidates)
                .joined(separator: "\t")
        default:
            let label = task == "score" ? String(Double(choice) / 2.4) : "\(choice % 3)"
            return
                "\(task)-\(number)\t\(label)\t\(words.text(1 + Int(42 * length)))\t\(words.text(1 + Int(43 * length)))"
        }
    }

    /// Random words by a linear congruential generator: the same in every process.
    private struct Words {
        private var state: UInt64 = 1

        mutating func number(below bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(bound))
        }

        mutating func share() -> Double { Double(number(below: 1000)) / 1000 }

        mutating func text(_ count: Int) -> String {
            (0..<count).map { _ in "w\(number(below: wordCount))" }.joined(separator: " ")
        }
    }

    private static let tasks = """
        single: {n_class: 2, data_format: PremiseOnly, task_type: Classification, metric_meta: [ACC], enable_san: false}
        score: {n_class: 1, data_format: PremiseAndOneHypothesis, task_type: Regression, metric_meta: [Pearson],
          enable_san: false}
        pair: {n_class: 3, data_format: PremiseAndOneHypothesis, task_type: Classification, metric_meta: [ACC],
          enable_san: true}
        query: {n_class: 1, data_format: PremiseAndMultiHypothesis, task_type: Ranking, metric_meta: [ACC, MRR],
          enable_san: false}

        """

    private static let run = """
        seed: 7
        encoder: {hidden_size: 32, num_hidden_layers: 2, num_attention_heads: 4, intermediate_size: 64,
          max_position_embeddings: 90, initializer_range: 0.1, vocab: vocab.txt}
        tasks: tasks.yml
        data: .
        train: [single, score, pair, query]
        epochs: 2
        batch_size: 7
        evaluation_batch_size: 3
        slices: 8
        max_length: 90
        learning_rate: 1.0e-3
        gradient_clip: 1.0
        dropout: 0.1
        task_dropout: 0.1

        """
}
