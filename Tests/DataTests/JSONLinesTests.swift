import Foundation
import Testing

@testable import Data

/// mt-dnn's preprocessed rows: token ids, with every way to be wrong refused by line and reason.
struct JSONLinesTests {
    let folder = try! TemporaryFolder()

    private static let pair = TaskDefinition(
        name: "p", kind: .classification(classCount: 2, labels: []), isPair: true, metrics: [.accuracy])
    private static let ranking = TaskDefinition(
        name: "q", kind: .ranking(labels: []), isPair: true, metrics: [.accuracyAtOne])

    private func read(_ task: TaskDefinition, _ text: String) throws -> [TokenizedExample] {
        var task = task
        task.format = .jsonLines
        try folder.write("\(task.name)_train.json", Array(text.utf8))
        return try task.readTokenizedExamples(
            split: "train", dataFolder: folder.path, vocabularySize: 100, maximumLength: 6)
    }

    @Test func readsPairs() throws {
        let rows = try read(
            Self.pair,
            """
            {"uid": "7", "label": 1, "token_id": [2, 9, 3, 8, 3], "type_id": [0, 0, 0, 1, 1], "attention_mask": [1]}
            {"uid": 8, "label": 0, "token_id": [2, 3, 3], "type_id": [0, 0, 1]}
            """)
        #expect(rows.map(\.uid) == ["7", "8"] && rows.map(\.label) == [1, 0])
        #expect(rows[0].sequences == [EncodedText(tokens: [2, 9, 3, 8, 3], segments: [0, 0, 0, 1, 1])])
    }

    @Test func readsCandidates() throws {
        let rows = try read(
            Self.ranking,
            #"{"uid": "a", "label": [0, 1], "token_id": [[2, 3, 4], [2, 3, 5, 6]], "type_id": [[0, 0, 1], [0, 0, 1, 1]]}"#
        )
        #expect(rows[0].label == 1 && rows[0].sequences.map(\.tokens) == [[2, 3, 4], [2, 3, 5, 6]])
    }

    @Test(arguments: [
        ("{", "is not JSON"),
        ("[1]", "is not a JSON object"),
        (#"{"label": 1}"#, "has no uid"),
        (#"{"uid": 1, "label": 1, "token_id": [1.5], "type_id": [0]}"#, "token_id must be a list of whole numbers"),
        (#"{"uid": 1, "label": 1, "token_id": [2, 3], "type_id": [0]}"#, "type_id has 1 numbers for 2 in token_id"),
        (
            #"{"uid": 1, "label": 1, "token_id": [2, 3], "type_id": [0, 2]}"#,
            "type_id holds another number than 0 and 1"
        ),
        (#"{"uid": 1, "label": 1, "token_id": [], "type_id": []}"#, "token_id is empty"),
        (
            #"{"uid": 1, "label": 1, "token_id": [2, 100], "type_id": [0, 1]}"#,
            "token 100 is not in the encoder's vocabulary of 100"
        ),
        (
            #"{"uid": 1, "label": 1, "token_id": [2, -1], "type_id": [0, 1]}"#,
            "token -1 is not in the encoder's vocabulary of 100"
        ),
        (#"{"uid": 1, "label": 1, "token_id": [2, 3, 4], "type_id": [0, 1, 0]}"#, "type_id goes back from 1 to 0"),
        (
            #"{"uid": 1, "label": 1, "token_id": [2, 3], "type_id": [0, 0]}"#,
            "a pair with one sentence: type_id is 0 all over"
        ),
        (
            #"{"uid": 1, "label": 1, "token_id": [2, 3, 4, 5, 6, 7, 8], "type_id": [0, 0, 1, 1, 1, 1, 1]}"#,
            "7 tokens, more than `max_length` (6)"
        ),
        (#"{"uid": 1, "token_id": [2, 3], "type_id": [0, 1]}"#, "has no label"),
        (
            #"{"uid": 1, "label": 2, "token_id": [2, 3], "type_id": [0, 1]}"#,
            "the label 2 is no class number from 0 to 1"
        ),
    ])
    func refuses(line: String, reason: String) {
        let good = #"{"uid": "7", "label": 1, "token_id": [2, 9, 3], "type_id": [0, 0, 1]}"#
        #expect(message(in: folder) { try read(Self.pair, "\(good)\n\(line)\n") } == "p_train.json:2: \(reason)")
    }

    @Test func refusesTwoRightCandidates() {
        let line = #"{"uid": 1, "label": [1, 1], "token_id": [[2, 3], [2, 4]], "type_id": [[0, 1], [0, 1]]}"#
        #expect(
            message(in: folder) { try read(Self.ranking, line) }
                == "q_train.json:1: label must be 0 for each candidate but 1 for exactly one")
    }
}
