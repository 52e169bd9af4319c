import Foundation
import Testing

@testable import Data

@Suite struct DemoTests {
    @Test func theSameSeedWritesTheSameBytes() throws {
        let first = try Suite(seed: 7)
        let again = try Suite(seed: 7)
        let other = try Suite(seed: 8)
        #expect(first.files == again.files)
        #expect(first.files["entailment_train.tsv"] != other.files["entailment_train.tsv"])
        #expect(
            first.files.keys.sorted() == [
                "answers_dev.tsv", "answers_train.tsv", "entailment_dev.tsv", "entailment_train.tsv", "run.yml",
                "sentiment_dev.tsv", "sentiment_train.tsv", "similarity_dev.tsv", "similarity_train.tsv", "tasks.yml",
                "vocab.txt",
            ])
    }

    @Test func onlyAnEmptyFolderOrAnotherSuiteIsWrittenOver() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("demo-\(UUID().uuidString)").path
        defer { do { try FileManager.default.removeItem(atPath: folder) } catch { Issue.record(error) } }
        #expect(DemoSuite.mayWrite(to: folder))
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        #expect(DemoSuite.mayWrite(to: folder))
        try DemoSuite.write(to: folder, seed: 7)
        #expect(DemoSuite.mayWrite(to: folder))
        let run = "\(folder)/run.yml"
        let text = try String(contentsOfFile: run, encoding: .utf8)
        try (text + "dropout: 0.2\n").write(toFile: run, atomically: true, encoding: .utf8)
        #expect(!DemoSuite.mayWrite(to: folder))
        try FileManager.default.removeItem(atPath: run)
        #expect(DemoSuite.mayWrite(to: folder))
        try Data("cola:\n".utf8).write(to: URL(fileURLWithPath: "\(folder)/tasks.yml"))
        #expect(!DemoSuite.mayWrite(to: folder))
        try FileManager.default.removeItem(atPath: "\(folder)/tasks.yml")
        #expect(!DemoSuite.mayWrite(to: folder))
    }

    @Test func splitMix64IsThePublishedGenerator() {
        // The values of the reference implementation for this seed.
        var random = SplitMix64(seed: 1_234_567)
        #expect(
            (0..<3).map { _ in random.next() } == [
                6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
            ])
    }

    /// Not in the same task and not in another: what the encoder trained on is nowhere in a dev set.
    @Test func noDevSentenceIsATrainingSentence() throws {
        let suite = try Suite(seed: 1)
        let trained = Set(suite.sentences(in: "train"))
        let unseen = Set(suite.sentences(in: "dev"))
        #expect(unseen.count > 500)
        #expect(trained.isDisjoint(with: unseen))
    }

    /// The same deed in the other voice, with or without "never", is the same filling.
    @Test func noDevFillingIsATrainingFilling() throws {
        let suite = try Suite(seed: 1)
        let trained = Set(suite.sentences(in: "train").map(filling))
        let unseen = Set(suite.sentences(in: "dev").map(filling))
        #expect(unseen.count > 100)
        #expect(trained.isDisjoint(with: unseen))
    }

    @Test func everyDevWordIsSeenInTrainingAndInTheVocabulary() throws {
        let suite = try Suite(seed: 1)
        let vocabulary = suite.lines("vocab.txt")
        #expect(vocabulary.prefix(5) == ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
        #expect(Set(vocabulary).count == vocabulary.count)
        for task in DemoSuite.tasks.map(\.name) {
            let trained = Set(suite.sentences(of: task, in: "train").flatMap { $0.split(separator: " ") })
            let unseen = Set(suite.sentences(of: task, in: "dev").flatMap { $0.split(separator: " ") })
            #expect(unseen.isSubset(of: trained))
            #expect(trained.isSubset(of: vocabulary.map { Substring($0) }))
        }
    }

    @Test func rowsAreCanonicalAndSentencesShort() throws {
        let suite = try Suite(seed: 1)
        for split in ["train", "dev"] {
            for row in suite.rows("sentiment_\(split).tsv") {
                #expect(row.count == 3 && ["negative", "positive"].contains(row[1]))
            }
            for row in suite.rows("entailment_\(split).tsv") {
                #expect(row.count == 4 && ["contradiction", "neutral", "entailment"].contains(row[1]))
            }
            for row in suite.rows("similarity_\(split).tsv") {
                let score = try #require(Double(row[1]))
                #expect(row.count == 4 && (0...5).contains(score))
            }
            for row in suite.rows("answers_\(split).tsv") {
                let labels = row[2].split(separator: ",")
                #expect((7...10).contains(row.count) && labels.count == row.count - 4)
                #expect(row[1].split(separator: ",").count == labels.count)
                #expect(labels.count { $0 == "1" } == 1 && labels.count { $0 == "0" } == labels.count - 1)
            }
            for sentence in suite.sentences(in: split) {
                #expect((4...12).contains(sentence.split(separator: " ").count))
            }
        }
    }

    /// The right candidate has a twin of the same animals and verb in exchanged roles, which only order tells apart.
    @Test func everyQuestionHasACandidateOfTheSameWordsInOtherOrder() throws {
        for row in try Suite(seed: 1).rows("answers_dev.tsv") {
            let right = try #require(row[2].split(separator: ",").firstIndex(of: "1"))
            let candidates = row[4...].map(content)
            #expect(candidates.count { $0 == candidates[right] } >= 2)
        }
    }

    @Test func exactlyOneCandidateAnswersTheQuestion() throws {
        for row in try Suite(seed: 1).rows("answers_train.tsv") {
            let right = row[4...].map { candidate in answers(row[3], candidate) ? "1" : "0" }
            #expect(right.joined(separator: ",") == row[2])
        }
    }

    @Test func negationAndRolesDecideEntailment() throws {
        for row in try Suite(seed: 1).rows("entailment_train.tsv") {
            let sameDeed = roles(row[2]) == roles(row[3])
            let sameSide = row[2].contains("never") == row[3].contains("never")
            #expect(row[1] == (sameDeed ? (sameSide ? "entailment" : "contradiction") : "neutral"))
        }
    }

    @Test func sharedRolesAddUpToSimilarity() throws {
        for row in try Suite(seed: 1).rows("similarity_train.tsv") {
            let weights = zip(zip(roles(row[2]), roles(row[3])), [2, 1, 2])
            #expect(weights.reduce(0) { $0 + ($1.0.0 == $1.0.1 ? $1.1 : 0) } == Int(row[1]))
        }
    }

    @Test func negationAndContrastDecideTheVerdict() throws {
        for row in try Suite(seed: 1).rows("sentiment_dev.tsv") {
            let words = row[2].split(separator: " ").map(String.init)
            let deciding =
                if let but = words.firstIndex(of: "but") { words[(but + 1)...] } else {
                    words[..<(words.firstIndex(of: "although") ?? words.endIndex)]
                }
            let praises = DemoWords.praise.contains(try #require(deciding.last))
            #expect((row[1] == "positive") == (praises != deciding.contains("not")))
        }
    }

    @Test func aFolderThatCannotBeMadeIsAnError() throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("demo-\(UUID().uuidString)")
        try Foundation.Data().write(to: file)
        defer { removeItem(file) }
        #expect(throws: (any Error).self) { try DemoSuite.write(to: file.path + "/suite", seed: 1) }
    }
}

private func contentWords(_ sentence: String) -> [String] {
    sentence.split(separator: " ").map(String.init).filter { (DemoWords.animals + DemoWords.verbs).contains($0) }
}

/// Animals and verbs of a sentence in alphabetical order; nothing for a verdict.
private func content(_ sentence: String) -> String {
    contentWords(sentence).sorted().joined(separator: " ")
}

/// Agent, verb and patient of a sentence.
private func roles(_ sentence: String) -> [String] {
    sentence.contains(" by ") ? contentWords(sentence).reversed() : contentWords(sentence)
}

/// Whether a sentence answers "who VERB the PATIENT ?" or "who was VERB by the AGENT ?"
private func answers(_ question: String, _ sentence: String) -> Bool {
    let known = question.contains(" by ") ? [1, 0] : [1, 2]
    return contentWords(question) == known.map { roles(sentence)[$0] }
}

/// What a sentence says apart from voice and negation, in no order.
private func filling(_ sentence: String) -> String {
    let ignored = ["the", "was", "by", "never", "not"]
    guard content(sentence).isEmpty else {
        // A question leaves one role open, which makes it a filling of its own.
        return (sentence.hasPrefix("who") ? "who " : "") + content(sentence)
    }
    let clauses = sentence.replacingOccurrences(of: "although", with: "but").components(separatedBy: " but ")
    return clauses.map { clause in
        clause.split(separator: " ").filter { !ignored.contains(String($0)) }.joined(separator: " ")
    }.sorted().joined(separator: ", ")
}

private func removeItem(_ url: URL) {
    do { try FileManager.default.removeItem(at: url) } catch { Issue.record(error) }
}

/// A suite written to a folder, read back and removed.
private struct Suite {
    let files: [String: String]

    init(seed: UInt64) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("demo-\(UUID().uuidString)")
        try DemoSuite.write(to: folder.path, seed: seed)
        defer { removeItem(folder) }
        var files: [String: String] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
            files[name] = try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
        }
        self.files = files
    }

    func lines(_ name: String) -> [String] { files[name]!.split(separator: "\n").map(String.init) }

    func rows(_ name: String) -> [[String]] { lines(name).map { $0.components(separatedBy: "\t") } }

    /// Every text of a task's split.
    func sentences(of task: String, in split: String) -> [String] {
        rows("\(task)_\(split).tsv").flatMap { $0[(task == "answers" ? 3 : 2)...] }
    }

    /// Every text of all tasks' split.
    func sentences(in split: String) -> [String] {
        DemoSuite.tasks.flatMap { sentences(of: $0.name, in: split) }
    }
}
