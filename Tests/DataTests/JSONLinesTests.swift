import Foundation
import TestSupport
import Testing

@testable import Data

/// mt-dnn's preprocessed rows: token ids, with every way to be wrong refused by line and reason.
struct JSONLinesTests {
    let folder = TemporaryFolder()

    private static let pair = TaskDefinition(
        name: "p", kind: .classification(classCount: 2, labels: []), isPair: true, metrics: [.accuracy])
    private static let ranking = TaskDefinition(
        name: "q", kind: .ranking(labels: []), isPair: true, metrics: [.accuracyAtOne])

    private func read(_ task: TaskDefinition, _ text: String) throws -> [TokenizedExample] {
        var task = task
        task.format = .jsonLines
        try folder.write("\(task.name)_train.json", Array(text.utf8))
        return try task.tokenizedContents(
            ofSplit: "train", dataFolder: folder.path, vocabularySize: 100, maximumLength: 6
        ).rows
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
        (#"{"uid": null, "label": 1, "token_id": [2], "type_id": [0]}"#, "has no uid"),
        (#"{"uid": 1, "label": null, "token_id": [2, 3], "type_id": [0, 1]}"#, "has no label"),
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
            #"{"uid": 1, "label": true, "token_id": [2, 3], "type_id": [0, 1]}"#,
            "the label is true or false, not a number"
        ),
        (
            #"{"uid": 1, "label": 2, "token_id": [2, 3], "type_id": [0, 1]}"#,
            "the label 2 is no class number from 0 to 1"
        ),
    ])
    func refuses(line: String, reason: String) {
        let good = #"{"uid": "7", "label": 1, "token_id": [2, 9, 3], "type_id": [0, 0, 1]}"#
        #expect(message(in: folder) { try read(Self.pair, "\(good)\n\(line)\n") } == "p_train.json:2: \(reason)")
    }

    @Test func refusesAQueryWithoutCandidatesAndAScoreThatNoFloatHolds() {
        let query = #"{"uid": 1, "label": [], "token_id": [], "type_id": []}"#
        #expect(message(in: folder) { try read(Self.ranking, query) } == "q_train.json:1: a query without candidates")
        let score = #"{"uid": 1, "label": 1e39, "token_id": [2, 3], "type_id": [0, 1]}"#
        #expect(
            message(in: folder) { try read(Self.score, score) }.hasSuffix("is not a number that a Float holds"))
    }

    @Test func refusesTwoRightCandidates() {
        let line = #"{"uid": 1, "label": [1, 1], "token_id": [[2, 3], [2, 4]], "type_id": [[0, 1], [0, 1]]}"#
        #expect(
            message(in: folder) { try read(Self.ranking, line) }
                == "q_train.json:1: label must be 0 for each candidate but 1 for exactly one")
    }
}

/// Writing mt-dnn's rows, and a teacher's scores in them.
extension JSONLinesTests {
    private static let score = TaskDefinition(
        name: "s", kind: .regression(scoreRange: nil), isPair: true, metrics: [.pearson])

    @Test func `A row is written as mt-dnn writes it, and comes back`() throws {
        let text = EncodedText(tokens: [2, 9, 3, 8, 3], segments: [0, 0, 0, 1, 1])
        let pair = TokenizedExample(uid: "a\"b/é", sequences: [text], label: 1)
        let line = try Self.pair.jsonLine(of: pair, softLabels: [0.5, -1e-7])
        #expect(
            line
                == #"{"uid": "a\"b/é", "label": 1, "token_id": [2, 9, 3, 8, 3], "type_id": [0, 0, 0, 1, 1], "#
                + #""attention_mask": [1, 1, 1, 1, 1], "softlabel": [0.5, -1e-07]}"#)
        let row = try #require(try read(Self.pair, line).first)
        #expect(row.uid == pair.uid && row.sequences == [text] && row.label == 1 && row.softLabels == [0.5, -1e-7])

        var query = TokenizedExample(
            uid: "q", sequences: [text, EncodedText(tokens: [2, 3], segments: [0, 1])], label: 1)
        #expect(try Self.ranking.jsonLine(of: query).contains(#""label": 1, "token_id": [[2, 9, 3, 8, 3], [2, 3]]"#))
        #expect(try Self.ranking.jsonLine(of: query).hasSuffix(#""ruid": ["q-0", "q-1"], "olabel": [0, 1]}"#))
        query.candidateIDs = ["x", "y"]
        let back = try #require(
            try read(Self.ranking, Self.ranking.jsonLine(of: query, softLabels: [1.5, 1 / 3])).first)
        #expect(back.label == 1 && back.candidateIDs == ["x", "y"] && back.softLabels == [1.5, 1 / 3])
        #expect(back.sequences == query.sequences)
    }

    @Test func `Every score comes back with all its bits`() throws {
        var bits: UInt32 = 1
        for _ in 0..<2000 {
            bits = bits &* 1_664_525 &+ 1_013_904_223
            let value = Float(bitPattern: bits)
            guard value.isFinite else { continue }
            let text = EncodedText(tokens: [2, 3], segments: [0, 1])
            let example = TokenizedExample(uid: "1", sequences: [text], label: value)
            let row = try #require(try read(Self.score, Self.score.jsonLine(of: example, softLabels: [value])).first)
            #expect(row.label == value && row.softLabels == [value])
        }
    }

    @Test(arguments: [
        (#""softlabel": [1]"#, "one for each class (2)"), (#""softlabel": [1, 2, 3]"#, "one for each class (2)"),
        (#""softlabel": 1"#, "one for each class (2)"), (#""softlabel": ["a", "b"]"#, "one for each class (2)"),
        (#""softlabel": [1e300, 0]"#, "one for each class (2)"),
    ])
    func `A softlabel of another form is refused`(entry: String, reason: String) {
        let line = #"{"uid": "7", "label": 1, "token_id": [2, 9, 3], "type_id": [0, 0, 1], "# + entry + "}"
        #expect(
            message(in: folder) { try read(Self.pair, line) }
                == "p_train.json:1: softlabel must be a list of the teacher's scores, \(reason)")
    }

    @Test func `Rows without a softlabel among others with one are refused, also where bad rows are passed over`()
        throws
    {
        let row = #"{"uid": "7", "label": 1, "token_id": [2, 9, 3], "type_id": [0, 0, 1]"#
        var task = Self.pair
        for rule in BadRowRule.allCases {
            task.onBadRow = rule
            let text = row + "}\n" + row + #", "softlabel": [1, 2]}"#
            #expect(
                message(in: folder) { try read(task, text) }
                    == "p_train.json: example \"7\" has no softlabel, but 1 of 2 have one; "
                    + "give all rows one, or set `kd_weight: 0` for task p to train without them")
        }
        task.distillation.weight = 0
        #expect(try read(task, row + "}\n" + row + #", "softlabel": ["x"]}"#).map(\.softLabels) == [[], []])
    }
}
