import Data
import Foundation
import Storage
import TestSupport
import Testing

@testable import Training

/// Token files are made once for each content.
@Suite final class PreparationTests {
    private let suite: SmallSuite

    init() throws { suite = try SmallSuite() }

    deinit {
        do { try suite.remove() } catch { Issue.record(error) }
    }

    /// Prepares all tasks; gives the paths and how many files had to be made.
    private func prepare(_ overrides: String...) throws -> (paths: [String], made: Int) {
        let settings = try RunSettings.load(path: suite.runFile, overrides: overrides)
        var preparation = try Preparation(settings, encoder: EncoderFiles(settings))
        var made = 0
        let paths = try settings.taskDefinitions().flatMap { task in
            try preparation.prepare(task) { sentence in
                #expect(sentence.hasPrefix("prepared \(task.name) "))
                made += 1
            }.sorted { $0.key < $1.key }.map(\.value)
        }
        return (paths, made)
    }

    private func edit(_ file: String, _ change: (String) -> String) throws {
        let path = "\(suite.folder)/\(file)"
        try change(String(contentsOfFile: path, encoding: .utf8)).write(toFile: path, atomically: true, encoding: .utf8)
    }

    @Test func `Nothing is tokenised twice`() throws {
        let first = try prepare()
        #expect(first.made == 8)
        #expect(Set(first.paths).count == 8)
        let times = try first.paths.map {
            try FileManager.default.attributesOfItem(atPath: $0)[.systemFileNumber] as? Int
        }
        let again = try prepare("learning_rate=1.0e-2", "batch_size=3", "optimizer=adamw")
        #expect(again.made == 0)
        #expect(again.paths == first.paths)
        // A file that is written anew is another file.
        #expect(
            try again.paths.map { try FileManager.default.attributesOfItem(atPath: $0)[.systemFileNumber] as? Int }
                == times)
    }

    @Test func `A damaged file is said to be so and made again`() throws {
        let paths = try prepare().paths
        let whole = try Foundation.Data(contentsOf: URL(fileURLWithPath: paths[0]))
        // In the middle of it, where any number would be a token id.
        var bytes = whole
        bytes[whole.count / 2] ^= 1
        try bytes.write(to: URL(fileURLWithPath: paths[0]))
        let settings = try RunSettings.load(path: suite.runFile)
        var preparation = try Preparation(settings, encoder: EncoderFiles(settings))
        var notes: [String] = []
        for task in try settings.taskDefinitions() { _ = try preparation.prepare(task) { notes.append($0) } }
        try #require(notes.count == 2)
        #expect(notes[0] == "\(paths[0]): last line: is damaged: its bytes do not fit its SHA-256; made again")
        #expect(notes[1].hasPrefix("prepared "))
        #expect(try Foundation.Data(contentsOf: URL(fileURLWithPath: paths[0])) == whole)
    }

    /// Examples of one kind each that kernels could not follow; their files' sums hold.
    @Test(
        arguments: [
            ("single", [[5]], [[0]], Float(2)), ("single", [[5]], [[0]], .nan), ("single", [[5]], [[0]], 0.5),
            ("single", [[5]], [[0]], -1), ("single", [[]], [[]], 1), ("single", [[5], [5]], [[0], [0]], 1),
            ("single", [[.max]], [[0]], 1), ("single", [[-1]], [[0]], 1), ("single", [[5]], [[2]], 1),
            ("single", [Array(repeating: 5, count: 91)], [Array(repeating: 0, count: 91)], 1),
            ("score", [[5, 5]], [[0, 1]], .infinity), ("score", [[5, 5]], [[0, 0]], 1),
            ("score", [[5, 5]], [[1, 1]], 1),
            ("pair", [[5, 5, 5]], [[0, 1, 0]], 1), ("query", [], [], 0), ("query", [[5, 5]], [[0, 1]], 1),
        ] as [(String, [[Int32]], [[UInt8]], Float)])
    func `A token file that does not fit task and encoder is refused, whatever its sum says`(
        name: String, tokens: [[Int32]], segments: [[UInt8]], label: Float
    ) throws {
        let settings = try RunSettings.load(path: suite.runFile)
        let sizes = try EncoderFiles(settings).sizes
        let task = try #require(try settings.taskDefinitions().first { $0.name == name })
        var good = TokenFile.Builder()
        let last = Int32(sizes.vocabularySize - 1)
        let sequence: ([Int32], [UInt8]) =
            task.isPair ? ([5, last], [0, 1]) : (Array(repeating: last, count: 90), Array(repeating: 0, count: 90))
        good.append([sequence], label: 0, uid: "good")
        let path = "\(suite.folder)/made.h5"
        try good.write(to: path, attributes: [:])
        #expect(try PreparedTask.open(path, of: task, sizes).exampleCount == 1)
        // The first id that has no embedding stands for the largest number.
        let bad = tokens.map { $0.map { $0 == .max ? last + 1 : $0 } }
        good.append(zip(bad, segments).map { ($0, $1) }, label: label, uid: "bad")
        try good.write(to: path, attributes: [:])
        let error = #expect(throws: TrainingError.self) { try PreparedTask.open(path, of: task, sizes) }
        #expect(error?.description.hasPrefix("\(path): ") == true)
        try TokenFile.Builder().write(to: path, attributes: [:])
        #expect(throws: TrainingError("\(path): holds no examples")) { try PreparedTask.open(path, of: task, sizes) }
    }

    @Test func `Files hold what the rows say`() throws {
        let paths = try prepare().paths
        let query = try TokenFile(#require(paths.first { $0.contains("/query-train-") }))
        #expect(query.exampleCount == 15)
        let sizes = (0..<15).map { query.sequences(of: $0).count }
        #expect(sizes[1] == 12 && sizes.min() == 3)
        #expect(query.attributes["task"] == "query" && query.attributes["max_length"] == "90")
        let single = try TokenFile(#require(paths.first { $0.contains("/single-train-") }))
        #expect(single.exampleCount == 40 && single.sequenceCount == 40)
        #expect(single.tokenCount(of: 0) == 3 && single.tokenCount(of: 1) == 90 && single.longest == 90)
        #expect(Array(single.tokens(of: 0))[0] == 2 && Array(single.tokens(of: 0))[2] == 3)
        #expect(single.uid(of: 1) == "single-1")
    }

    @Test func `Another length, row limit, text, vocabulary or case makes other files, and the old ones stay`() throws {
        let first = try prepare()
        let shorter = try prepare("max_length=20")
        #expect(shorter.made == 8)
        #expect(Set(shorter.paths).isDisjoint(with: first.paths))
        #expect(try TokenFile(shorter.paths[0]).longest == 20)

        #expect(try prepare("encoder.lower_case=false").made == 8)

        try edit("tasks.yml") { $0.replacingOccurrences(of: "single: {", with: "single: {max_examples: 10, ") }
        #expect(try prepare().made == 1)  // only training rows are limited
        try edit("tasks.yml") { $0.replacingOccurrences(of: "max_examples: 10, ", with: "") }

        try edit("score_dev.tsv") { $0.replacingOccurrences(of: "score-0\t", with: "score-00\t") }
        let edited = try prepare()
        #expect(edited.made == 1)
        #expect(zip(edited.paths, first.paths).count { $0 != $1 } == 1)
        try edit("score_dev.tsv") { $0.replacingOccurrences(of: "score-00\t", with: "score-0\t") }
        #expect(try prepare() == (first.paths, 0))

        try edit("vocab.txt") { $0 + "w60\n" }
        #expect(try prepare().made == 8)
        try edit("vocab.txt") { $0.replacingOccurrences(of: "w60\n", with: "") }
        #expect(try prepare() == (first.paths, 0))
    }

    @Test func `Rows that are left out are counted, listed, and part of what a file is found by`() throws {
        let first = try prepare()
        try edit("tasks.yml") { $0.replacingOccurrences(of: "single: {", with: "single: {on_bad_row: skip, ") }
        // With nothing to skip the files are the same, under names of their own.
        let skipping = try prepare()
        #expect(skipping.made == 2)
        #expect(zip(skipping.paths, first.paths).count { $0 != $1 } == 2)
        #expect(try TokenFile(skipping.paths[0]).attributes["on_bad_row"] == "skip")
        #expect(try TokenFile(first.paths[0]).attributes["on_bad_row"] == nil)

        try edit("single_dev.tsv") { "word\n" + $0.replacingOccurrences(of: "single-1\t", with: "single-1\t\t") }
        let settings = try RunSettings.load(path: suite.runFile)
        var preparation = try Preparation(settings, encoder: EncoderFiles(settings))
        var notes: [String] = []
        let task = try #require(try settings.taskDefinitions().first { $0.name == "single" })
        let paths = try preparation.prepare(task) { notes.append($0) }
        #expect(try TokenFile(#require(paths["dev"])).exampleCount == 8)
        try #require(notes.count == 3)
        #expect(notes[0].hasPrefix("prepared single dev: 8 examples in "))
        #expect(notes[0].hasSuffix(" s; left out: 2 bad rows"))
        let file = "\(suite.folder)/single_dev.tsv"
        #expect(notes[1] == "left out: \(file):1: 1 column, but 3 are expected (uid, label, premise)")
        #expect(notes[2] == "left out: \(file):3: 4 columns, but 3 are expected (uid, label, premise)")
    }

    @Test func `Token files of a run's JSON lines are those of its texts`() throws {
        let folder = "\(suite.folder)/json"
        let settings = try RunSettings.load(path: suite.runFile)
        try JSONLinesExport.write(settings, to: folder) { _ in }
        let names = settings.train.flatMap { ["\($0)_dev.json", "\($0)_train.json"] }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == names.sorted())
        let texts = try prepare().paths
        try edit("tasks.yml") { $0.replacingOccurrences(of: "{n_class", with: "{format: json_lines, n_class") }
        let rows = try prepare("data=\(folder)").paths
        try #require(rows.count == texts.count && Set(rows).isDisjoint(with: texts))
        for (first, second) in zip(texts, rows) {
            let (a, b) = (try TokenFile(first), try TokenFile(second))
            #expect(Array(a.tokens) == Array(b.tokens) && Array(a.segments) == Array(b.segments))
            #expect(Array(a.sequenceOffsets) == Array(b.sequenceOffsets))
            #expect(Array(a.exampleOffsets) == Array(b.exampleOffsets) && Array(a.labels) == Array(b.labels))
            #expect((0..<a.exampleCount).map(a.uid) == (0..<b.exampleCount).map(b.uid))
        }
    }
}
