import Foundation
import Storage
import TestSupport
import Testing

@testable import Data

/// Questions in token files.
final class QuestionFileTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
    private var path: String { "\(folder)/dev.h5" }

    init() throws { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }

    deinit {
        do { try FileManager.default.removeItem(atPath: folder) } catch { Issue.record(error) }
    }

    private func question(_ uid: String, windows: Int, text: String, answers: [String]) -> TokenizedExample {
        let sequence = EncodedText(tokens: [2, 7, 3, 8, 3], segments: [0, 0, 0, 1, 1])
        let ranges = (0..<windows).map { [0..<0, 0..<0, 0..<0, $0..<($0 + 1), 0..<0] }
        return TokenizedExample(
            uid: uid, sequences: Array(repeating: sequence, count: windows), label: answers.isEmpty ? 0 : 1,
            tokenLabels: (0..<windows).flatMap { $0 == 0 ? [0, 0, 0, 7, 0] : [3, 0, 0, 4, 0] },
            context: QuestionContext(text: text, answers: answers, ranges: ranges))
    }

    @Test func `Questions come back with their windows, contexts and answers`() throws {
        let written = [
            question("a", windows: 3, text: "größer", answers: ["g", "größer"]),
            question("b", windows: 1, text: "x", answers: []),
        ]
        var builder = TokenFile.Builder()
        for question in written { builder.append(question: question, try #require(question.context)) }
        #expect(builder.exampleCount == 4)
        try builder.write(to: path, attributes: [:])
        let file = try TokenFile(path)
        #expect(file.exampleCount == 4 && (0..<4).map(file.uid(of:)) == ["a", "a", "a", "b"])
        #expect(Array(file.labels) == [1, 1, 1, 0] && Array(file.tokenLabels(of: 1)) == [3, 0, 0, 4, 0])
        let questions = try #require(file.questions)
        #expect(questions.count == 2 && questions.windows(of: 0) == 0..<3 && questions.windows(of: 1) == 3..<4)
        #expect((0..<2).map { file.context(ofQuestion: $0) } == written.map(\.context))
    }

    @Test func `A file without questions has none`() throws {
        var builder = TokenFile.Builder()
        builder.append([([1], [0])], label: 0, uid: "a")
        try builder.write(to: path, attributes: [:])
        #expect(try TokenFile(path).questions == nil)
    }

    @Test(
        arguments: [
            ("question_windows", [0, 2], "ends at 2, where examples ends at 1"),
            ("question_windows", [0, 0, 1], "1 entries for 2 questions"),
            ("question_texts", [0, 9], "ends at 9, where text_offsets ends at 2"),
            ("question_texts", [0, 0], "ends at 0, where text_offsets ends at 2"),
            ("text_offsets", [0, 3, 1], "falls from 3 to 1 at 2"),
            ("text_offsets", [0, 0, 4], "token 1 is not within its context"),
            ("question_token_ranges", [0, 0], "2 entries for 4 ends of tokens"),
            ("question_token_ranges", [0, 0, 2, 1], "token 1 is not within its context"),
            ("question_token_ranges", [0, 0, 0, 4], "token 1 is not within its context"),
            ("question_token_ranges", [0, 0, -1, 2], "token 1 is not within its context"),
        ] as [(String, [Int64], String)])
    func `Damaged tables are refused`(dataset: String, values: [Int64], complaint: String) throws {
        let file = try HDF5File(creating: path)
        try file.write([Int32(1), 2], to: "tokens")
        try file.write([UInt8(0), 0], to: "segments")
        try file.write([Int32(0), 4], to: "token_labels")
        try file.write([Float(0)], to: "labels")
        try file.write([UInt8](), to: "uids")
        try file.write(Array("abcd".utf8), to: "texts")
        let ranges = dataset == "question_token_ranges" ? values.map { Int32($0) } : [0, 0, 1, 2]
        try file.write(ranges, to: "question_token_ranges")
        for (name, good) in [
            ("sequence_offsets", [0, 2]), ("example_offsets", [0, 1]), ("uid_offsets", [0, 0]),
            ("question_windows", [0, 1]), ("question_texts", [0, 2]), ("text_offsets", [0, 3, 4]),
        ] {
            try file.write(dataset == name ? values : good.map { Int64($0) }, to: name)
        }
        try file.close()
        try Seal.append(to: path)
        let error = #expect(throws: StorageError.self) { try TokenFile(self.path) }
        #expect(error?.reason == complaint)
    }
}
