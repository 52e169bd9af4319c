import Foundation
import Storage
import TestSupport
import Testing

@testable import Training

/// A task that finds answers in contexts, beside one that classifies sentences, in real jobs.
@Suite(.serialized) final class QuestionTests {
    private struct Question {
        let id: String
        let question, context, answer: String
    }

    private let run: SmallRun
    private let settings: [String]
    private var questions: [String: [Question]] = [:]

    init() throws {
        run = try SmallRun()
        settings = ["tasks=\(run.suite.folder)/questions.yml", "train=[find, single]"]
        let tasks = """
            find: {n_class: 2, data_format: CLUE_SPAN, task_type: SpanClassificationYN, metric_meta: [EmF12], enable_san: false,
              loss: SpanCeCriterion, max_length: 40, document_stride: 12}
            single: {n_class: 2, data_format: PremiseOnly, task_type: Classification, metric_meta: [ACC], enable_san: false}

            """
        try tasks.write(toFile: "\(run.suite.folder)/questions.yml", atomically: true, encoding: .utf8)
        var random = TestRandom(seed: 3)
        for (split, count) in [("train", 40), ("dev", 12)] {
            questions[split] = (0..<count).map { Self.question($0, split, using: &random) }
            let json = try JSONSerialization.data(withJSONObject: Self.official(questions[split]!))
            try json.write(to: URL(fileURLWithPath: "\(run.suite.folder)/\(split)-v2.0.json"))
        }
    }

    deinit {
        do { try run.suite.remove() } catch { Issue.record(error) }
    }

    /// The answer is the only stretch of words below 10, so it can be learnt; every third question has none. Every fourth context needs several windows.
    private static func question(_ number: Int, _ split: String, using random: inout TestRandom) -> Question {
        let length = number % 4 == 1 ? 90 : Int.random(in: 3...20, using: &random)
        var words = (0..<length).map { _ in "w\(Int.random(in: 10..<60, using: &random))" }
        var answer = ""
        if number % 3 != 0 {
            let place = Int.random(in: 0..<(length - 1), using: &random)
            words[place] = "w\(Int.random(in: 0..<5, using: &random))"
            words[place + 1] = "w\(Int.random(in: 5..<10, using: &random))"
            answer = words[place...(place + 1)].joined(separator: " ")
        }
        return Question(
            id: "\(split)-\(number)", question: "w\(number)", context: words.joined(separator: " "), answer: answer)
    }

    /// SQuAD's form, one paragraph for each question.
    private static func official(_ questions: [Question]) -> [String: Any] {
        let paragraphs = questions.map { question -> [String: Any] in
            let start = question.context.range(of: question.answer)?.lowerBound ?? question.context.startIndex
            let place = question.context.distance(from: question.context.startIndex, to: start)
            let answers: [[String: Any]] =
                question.answer.isEmpty ? [] : [["text": question.answer, "answer_start": place]]
            let entries: [String: Any] = ["id": question.id, "question": question.question, "answers": answers]
            return ["context": question.context, "qas": [entries]]
        }
        return ["version": "v2.0", "data": [["title": "all", "paragraphs": paragraphs]]]
    }

    private func mtdnn(_ arguments: String...) throws -> JobResult {
        try runAlone(executable: "mtdnn", arguments: arguments)
    }

    private func dictionary(_ text: some StringProtocol) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    @Test func `Answers are found alike on any number of ranks and threads, and after a kill`() throws {
        let (outcome, _, _) = try run.expectSameOutcome(settings)
        let scores = try outcome.entries(with: "metrics").compactMap { $0["metrics"] as? [String: Double] }
        #expect(scores.contains { $0["EM"] != nil })
    }

    @Test func `What is learnt is predicted for files and for lines, and exported`() throws {
        let folder = run.newFolder()
        let result = try run.start(
            ranks: 2,
            settings + ["epochs=25", "learning_rate=1.0e-2", "dropout=0", "task_dropout=0", "folder=\(folder)"])
        try #require(result.status == 0, "\(result.error)")
        #expect(result.output.contains("prepared find dev: 12 questions in 27 windows in "), "\(result.output)")
        let best = try #require(try RunHistory(path: "\(folder)/metrics.jsonl").best)
        let scores = try #require(
            try RunHistory(path: "\(folder)/metrics.jsonl").scores(task: "find", split: "dev", step: best.step))
        #expect(scores["F1"]! > 0.8 && scores["EM"]! > 0.6, "an answer follows from its words: \(scores)")

        let ofSplit = try mtdnn("predict", folder, "--task", "find")
        #expect(ofSplit.error.contains(String(format: "find dev: F1 %.4f  EM %.4f", scores["F1"]!, scores["EM"]!)))
        let dev = questions["dev"]!
        let rows = ofSplit.output.split(separator: "\n").dropFirst().map {
            $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        }
        #expect(rows.map { $0[0] } == dev.map(\.id) && rows.count { $0[1].isEmpty } > 0)

        let file = "\(run.suite.folder)/answers.json"
        let written = try mtdnn("predict", folder, "--task", "find", "--squad-predictions", file)
        #expect(written.error.contains("find dev, 12 questions: F1 ") && written.output.isEmpty)
        let answers = try dictionary(String(contentsOfFile: file, encoding: .utf8))
        #expect(answers as? [String: String] == Dictionary(uniqueKeysWithValues: rows.map { ($0[0], $0[1]) }))
        // A link stays one, and a folder is refused in a sentence.
        let link = "\(run.suite.folder)/link"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: file)
        #expect(try mtdnn("predict", folder, "--task", "find", "--squad-predictions", link).status == 0)
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == file)
        let refused = try mtdnn("predict", folder, "--task", "find", "--squad-predictions", folder)
        #expect(refused.status == 1 && refused.error.contains("--squad-predictions \(folder): is a folder"))
        let right = dev.count { answers[$0.id] as? String == $0.answer }
        #expect(Double(right) / 12 == scores["EM"])

        let input = "\(run.suite.folder)/texts"
        try dev.map { "\($0.question)\t\($0.context)\n" }.joined().write(
            toFile: input, atomically: true, encoding: .utf8)
        let ofLines = try mtdnn("predict", folder, "--task", "find", "--input", input, "--json")
        let found = try ofLines.output.split(separator: "\n").map(dictionary)
        #expect(found.map { $0["answer"] as? String } == rows.map { $0[1] })
        for (entries, question) in zip(found, dev) {
            #expect(entries["score"] is Double && entries["no_answer_score"] is Double)
            guard let start = entries["answer_start"] as? Int else { continue }
            #expect(question.context.dropFirst(start).hasPrefix(try #require(entries["answer"] as? String)))
        }
        try "{\"question\": \"w1\", \"context\": \"w20 w1 w7 w30\", \"uid\": \"x\"}\n{\"question\": \"w1\"}\n".write(
            toFile: input, atomically: true, encoding: .utf8)
        let ofJSON = try mtdnn("predict", folder, "--task", "find", "--input", input, "--json-input")
        #expect(ofJSON.output.hasPrefix("uid\tanswer\nx\t") && ofJSON.status == 1)
        #expect(
            ofJSON.error.contains("\(input):2: has no text under \"context\"; task find takes a question and the text"))

        let exported = "\(run.suite.folder)/exported"
        #expect(try mtdnn("export", folder, "--hugging-face", exported, "--task", "find").status == 0)
        let names = try SafeTensors("\(exported)/model.safetensors").names
        #expect(names.contains("qa_outputs.weight") && !names.contains { $0.contains("pooler") })
        let configuration = try String(contentsOfFile: "\(exported)/config.json", encoding: .utf8)
        #expect(configuration.contains("\"BertForQuestionAnswering\""))
        #expect(
            try mtdnn("predict", folder, "--task", "single", "--squad-predictions", file).error.contains(
                "task single has no questions about contexts, as SQuAD has them"))
    }
}
