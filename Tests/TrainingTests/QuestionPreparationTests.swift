import Data
import Foundation
import TestSupport
import Testing

@testable import Training

/// Questions made into windows in token files, and which of those are refused.
@Suite final class QuestionPreparationTests {
    private let suite: SmallSuite
    private let settings: RunSettings

    init() throws {
        suite = try SmallSuite()
        settings = try RunSettings.load(path: suite.runFile)
    }

    deinit {
        do { try suite.remove() } catch { Issue.record(error) }
    }

    private func task(allowsNone: Bool, stride: Int) -> TaskDefinition {
        var task = TaskDefinition(
            name: "find", kind: .span(allowsNone: allowsNone, stride: stride), isPair: true,
            metrics: [.answerOrNoneF1])
        task.format = .squad
        task.maximumLength = 12
        task.splits = ["train", "dev"]
        task.data = .files(["train": "squad.json", "dev": "squad.json"])
        return task
    }

    @Test func `A context is cut by the task's length and stride, and the file is found by them`() throws {
        let json = """
            {"data": [{"paragraphs": [{"context": "w1 w2 w3 w4 w5 w6 w7 w8 w9 w10", "qas": [
              {"id": "a", "question": "w20", "answers": [{"text": "w9 w10", "answer_start": 24}, {"text": "w9", "answer_start": 24}]},
              {"id": "b", "question": "w20", "answers": []}]}]}]}
            """
        try json.write(toFile: "\(suite.folder)/squad.json", atomically: true, encoding: .utf8)
        var preparation = try Preparation(settings, encoder: EncoderFiles(settings))
        var notes: [String] = []
        let paths = [3, 4, 3].map { stride in
            Result { try preparation.prepare(task(allowsNone: true, stride: stride)) { notes.append($0) } }
        }
        let first = try paths[0].get()
        #expect(try paths[2].get() == first && paths[1].get() != first && notes.count == 4)
        #expect(notes.first?.hasPrefix("prepared find train: 2 questions in 4 windows in ") == true, "\(notes)")
        let file = try TokenFile(#require(first["dev"]))
        #expect(file.exampleCount == 4 && file.longest == 12 && file.sequenceCount == 4)
        #expect((0..<4).map { file.uid(of: $0) } == ["a", "a", "b", "b"] && Array(file.labels) == [1, 1, 0, 0])
        #expect(Array(file.tokenLabels(of: 0)).prefix(4) == [3, 0, 0, 4])
        #expect(Array(file.tokenLabels(of: 1)).suffix(3) == [5, 6, 0])
        #expect(file.context(ofQuestion: 0)?.answers == ["w9 w10", "w9"])
    }

    /// Kernels follow the marks without looking.
    @Test(
        arguments: [
            ([3, 0, 4, 0], Float(1), true, true), ([3, 0, 4, 0], 0, true, true), ([0, 0, 7, 0], 1, true, true),
            ([3, 0, 4, 0], 0, false, false), ([3, 0, 4, 0], .nan, true, false), ([3, 0, 4, 0], 2, true, false),
            ([1, 0, 4, 0], 1, true, false), ([2, 0, 4, 0], 1, true, false), ([0, 0, 4, 0], 1, true, false),
            ([3, 0, 1, 0], 1, true, false), ([2, 0, 1, 0], 1, true, false), ([3, 0, 8, 0], 1, true, false),
            ([3, 0, -1, 0], 1, true, false),
        ] as [([Int32], Float, Bool, Bool)])
    func `Windows whose marks are not those of one span are refused`(
        marks: [Int32], label: Float, allowsNone: Bool, isGood: Bool
    ) throws {
        let sequence = EncodedText(tokens: [2, 3, 5, 3], segments: [0, 0, 1, 1])
        let context = QuestionContext(text: "x", answers: [], ranges: [[0..<0, 0..<0, 0..<1, 0..<0]])
        let question = TokenizedExample(uid: "a", sequences: [sequence], label: label, tokenLabels: marks)
        var builder = TokenFile.Builder()
        builder.append(question: question, context)
        let path = "\(suite.folder)/made.h5"
        try builder.write(to: path, attributes: [:])
        let sizes = try EncoderFiles(settings).sizes
        let task = task(allowsNone: allowsNone, stride: 9)
        guard !isGood else {
            #expect(try PreparedTask.open(path, of: task, sizes).exampleCount == 1)
            return
        }
        #expect(throws: TrainingError("\(path): example 0 does not fit task find and the encoder")) {
            try PreparedTask.open(path, of: task, sizes)
        }
    }

    @Test func `A file with marks but no questions, or with questions for another task, is refused`() throws {
        let sizes = try EncoderFiles(settings).sizes
        let path = "\(suite.folder)/made.h5"
        var builder = TokenFile.Builder()
        builder.append([([2, 3, 5, 3], [0, 0, 1, 1])], label: 1, uid: "a", tokenLabels: [3, 0, 4, 0])
        try builder.write(to: path, attributes: [:])
        #expect(throws: TrainingError.self) {
            try PreparedTask.open(path, of: self.task(allowsNone: true, stride: 9), sizes)
        }
        let sequence = EncodedText(tokens: [2, 3, 5, 3], segments: [0, 0, 1, 1])
        let context = QuestionContext(text: "x", answers: [], ranges: [[0..<0, 0..<0, 0..<1, 0..<0]])
        var questions = TokenFile.Builder()
        questions.append(
            question: TokenizedExample(uid: "a", sequences: [sequence], label: 1, tokenLabels: [0, -1, 0, 0]), context)
        try questions.write(to: path, attributes: [:])
        let words = TaskDefinition(name: "words", kind: .labelling(labels: ["O"]), isPair: false, metrics: [.entityF1])
        #expect(throws: TrainingError.self) { try PreparedTask.open(path, of: words, sizes) }
    }
}
