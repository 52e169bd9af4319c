import Foundation
import TestSupport
import Testing

@testable import Data

/// The official JSON of SQuAD, and what is refused in it.
struct SquadReaderTests {
    let folder = TemporaryFolder()

    static let file = """
        {"version": "v2.0", "data": [{"title": "A", "paragraphs": [
          {"context": "Größe 𝄞 is a whale.", "qas": [
            {"id": "1", "question": "What is it?", "is_impossible": false,
             "answers": [{"text": "a whale", "answer_start": 11}, {"text": "whale", "answer_start": 13}]},
            {"id": "2", "question": "Why?", "is_impossible": true, "answers": [],
             "plausible_answers": [{"text": "whale", "answer_start": 13}]}]},
          {"context": "Nine.", "qas": [{"id": "3", "question": "How many?", "answers": [{"text": "Nine", "answer_start": 0}]}]}]},
         {"title": "B", "paragraphs": []}]}
        """

    private func task(allowsNone: Bool, skips: Bool = false) -> TaskDefinition {
        var task = TaskDefinition(
            name: "q", kind: .span(allowsNone: allowsNone, stride: 128), isPair: true, metrics: [.answerF1])
        task.format = .squad
        if skips { task.onBadRow = .skip }
        return task
    }

    private func read(
        _ text: String, allowsNone: Bool = true, split: String = "train", skips: Bool = false, maximum: Int? = nil
    ) throws -> FileContents<Example> {
        try folder.write("\(split)-\(allowsNone ? "v2.0" : "v1.1").json", text.utf8)
        var task = task(allowsNone: allowsNone, skips: skips)
        task.maximumExamples = maximum
        return try task.contents(ofSplit: split, dataFolder: folder.path)
    }

    private func refusal(_ change: String, _ replacement: String, allowsNone: Bool = true) -> String {
        let text = Self.file.replacingOccurrences(of: change, with: replacement)
        #expect(text != Self.file || change.isEmpty)
        return message(in: folder) { try read(text, allowsNone: allowsNone) }
    }

    @Test func `Questions of all paragraphs are read, answers at their places in UTF-8`() throws {
        let rows = try read(Self.file).rows
        #expect(rows.map(\.uid) == ["1", "2", "3"] && rows.map(\.label) == [1, 0, 1])
        #expect(rows.map(\.first) == ["What is it?", "Why?", "How many?"])
        #expect(rows[0].second == ["Größe 𝄞 is a whale."] && rows[2].second == ["Nine."])
        #expect(rows[0].answers == [AnswerSpan(text: "a whale", start: 16), AnswerSpan(text: "whale", start: 18)])
        #expect(rows[1].answers == [] && rows[2].answers == [AnswerSpan(text: "Nine", start: 0)])
        #expect(try read(Self.file, maximum: 2).rows.map(\.uid) == ["1", "2"])
        #expect(try read(Self.file, split: "dev", maximum: 2).rows.count == 3)
    }

    @Test func `A test split may lack answers`() throws {
        let text = #"{"data": [{"paragraphs": [{"context": "Nine.", "qas": [{"id": "3", "question": "How many?"}]}]}]}"#
        let row = try #require(try read(text, allowsNone: false, split: "test").rows.first)
        #expect(row.label == nil && row.answers == [])
        #expect(
            message(in: folder) { try read(text, allowsNone: false) }
                == "train-v1.1.json: question 3 has no list under answers")
    }

    @Test(
        arguments: [
            (
                "\"Nine\", \"answer_start\": 0", "\"Nine\", \"answer_start\": 1",
                "question 3, answers[0]: the context does not hold \"Nine\" at answer_start 1"
            ),
            (
                "\"Nine\", \"answer_start\": 0", "\"Nine\", \"answer_start\": -1",
                "question 3, answers[0]: the context does not hold \"Nine\" at answer_start -1"
            ),
            (
                "\"Nine\", \"answer_start\": 0", "\"Nine\", \"answer_start\": 99999999999",
                "question 3, answers[0]: the context does not hold \"Nine\" at answer_start 99999999999"
            ),
            (
                "\"Nine\", \"answer_start\": 0", "\"Nine\", \"answer_start\": \"0\"",
                "question 3, answers[0] has no whole number under answer_start"
            ),
            (
                "\"Nine\", \"answer_start\": 0", "\"\", \"answer_start\": 0",
                "question 3, answers[0] has an empty text under text"
            ),
            (
                "\"is_impossible\": false", "\"is_impossible\": true",
                "question 1 has answers, and says that it is_impossible"
            ),
            (
                "\"id\": \"3\"", "\"id\": \"1\"",
                "data[0].paragraphs[1].qas[0] has the id of an earlier question, 1"
            ),
            ("\"id\": \"3\"", "\"id\": 3", "data[0].paragraphs[1].qas[0] has no text under id"),
            ("\"context\": \"Nine.\"", "\"context\": \" \"", "data[0].paragraphs[1] has an empty text under context"),
            ("\"paragraphs\": []", "\"paragraphs\": {}", "data[1] has no list under paragraphs"),
            ("\"data\"", "\"rows\"", "the file has no list under data"),
            ("{\"title\": \"B\", \"paragraphs\": []}", "7", "data[1] is not a JSON object"),
            ("]}]}", "]}]", "is not JSON"),
        ] as [(String, String, String)])
    func `Mistakes are named`(change: String, replacement: String, expected: String) {
        #expect(refusal(change, replacement) == "train-v2.0.json: \(expected)")
    }

    @Test func `SQuAD 1.1 has no questions without an answer`() {
        #expect(
            refusal("", "", allowsNone: false)
                == "train-v1.1.json: question 2 has no answer; SpanClassificationYN is for such questions")
    }

    @Test func `What cannot be read is left out where the task says so`() throws {
        let contents = try read(Self.file, allowsNone: false, skips: true)
        #expect(contents.rows.map(\.uid) == ["1", "3"])
        #expect(contents.leftOut.badCount == 1 && contents.leftOut.summary == "; left out: 1 bad row")
        let context = Self.file.replacingOccurrences(of: "\"context\": \"Nine.\"", with: "\"text\": \"Nine.\"")
        let others = try read(context, skips: true)
        #expect(others.rows.map(\.uid) == ["1", "2"])
        #expect(others.leftOut.firstBad.map(\.message) == ["data[0].paragraphs[1] has no text under context"])
        let none = #"{"data": [{"paragraphs": [{"context": "x", "qas": [{"id": "a", "question": "b"}]}]}]}"#
        #expect(
            message(in: folder) { try read(none, skips: true) }
                == "train-v2.0.json: the file holds no questions; left out: 1 bad row; the first: "
                + "question a has no list under answers")
    }
}
