import Foundation

/// Reads the official JSON of SQuAD 1.1 and 2.0: articles of paragraphs, each of which is a context with questions.
struct SquadReader {
    let task: TaskDefinition
    let split: String
    let path: String

    private var isTest: Bool { task.testSplits.contains(split) }
    private func error(_ message: String) -> ExampleError { ExampleError(file: path, line: nil, message: message) }

    /// The questions of the file, of the training split at most `max_examples`; `origin` tells where the path was set.
    func contents(origin: String) throws(ExampleError) -> FileContents<Example> {
        let limit = task.mostRows(ofSplit: split)
        var contents = FileContents<Example>()
        var ids: Set<String> = []
        /// Leaves out what cannot be read where the task says so.
        func attempt(_ body: () throws(ExampleError) -> Void) throws(ExampleError) {
            do throws(ExampleError) { try body() } catch {
                guard task.onBadRow == .skip else { throw error }
                contents.leftOut.append(error)
            }
        }
        for (article, place) in try articles(origin) {
            try attempt { () throws(ExampleError) in
                for (paragraph, place) in try list("paragraphs", of: article, place) {
                    try attempt { () throws(ExampleError) in
                        var context = try text("context", of: paragraph, place)
                        context.makeContiguousUTF8()
                        for (question, place) in try list("qas", of: paragraph, place)
                        where contents.rows.count < limit {
                            try attempt { () throws(ExampleError) in
                                let example = try self.example(question, context, place)
                                // Predictions are told apart by it.
                                guard ids.insert(example.uid).inserted else {
                                    throw self.error("\(place) has the id of an earlier question, \(example.uid)")
                                }
                                contents.rows.append(example)
                            }
                        }
                    }
                }
            }
        }
        return contents
    }

    private func articles(_ origin: String) throws(ExampleError) -> [(Any, String)] {
        let file = try LineFile(path: path, origin: origin)
        let root: Any
        do {
            root = try JSONSerialization.jsonObject(with: file.data)
        } catch {
            throw self.error("is not JSON")
        }
        return try list("data", of: root, "the file")
    }

    private func example(_ entries: Any, _ context: String, _ place: String) throws(ExampleError) -> Example {
        let id = try text("id", of: entries, place)
        let name = "question \(id)"
        var example = Example(
            uid: id, first: try text("question", of: entries, name), second: [context], label: nil)
        example.answers = []
        let entries = try object(entries, name)
        guard entries["answers"] != nil || !isTest else { return example }
        var answers: [AnswerSpan] = []
        for (answer, place) in try list("answers", of: entries, name) {
            answers.append(try span(answer, in: context, place))
        }
        if let value = entries["is_impossible"] {
            guard isTruthValue(value), let isImpossible = value as? Bool else {
                throw error("\(name): is_impossible is not true or false")
            }
            if isImpossible, !answers.isEmpty { throw error("\(name) has answers, and says that it is_impossible") }
        }
        guard !answers.isEmpty || task.allowsNoAnswer else {
            throw error("\(name) has no answer; SpanClassificationYN is for such questions")
        }
        example.answers = answers
        example.label = answers.isEmpty ? 0 : 1
        return example
    }

    /// An answer, whose place is given in Unicode scalars, as Python counts.
    private func span(_ entries: Any, in context: String, _ place: String) throws(ExampleError) -> AnswerSpan {
        let answer = try text("text", of: entries, place)
        guard let start = try object(entries, place)["answer_start"] as? Int else {
            throw error("\(place) has no whole number under answer_start")
        }
        let scalars = context.unicodeScalars
        guard start >= 0, let from = scalars.index(scalars.startIndex, offsetBy: start, limitedBy: scalars.endIndex),
            context.utf8[from...].starts(with: answer.utf8)
        else { throw error("\(place): the context does not hold \"\(answer)\" at answer_start \(start)") }
        return AnswerSpan(text: answer, start: context.utf8.distance(from: context.utf8.startIndex, to: from))
    }

    private func object(_ value: Any, _ place: String) throws(ExampleError) -> [String: Any] {
        guard let entries = value as? [String: Any] else { throw error("\(place) is not a JSON object") }
        return entries
    }

    private func text(_ key: String, of value: Any, _ place: String) throws(ExampleError) -> String {
        guard let text = try object(value, place)[key] as? String else {
            throw error("\(place) has no text under \(key)")
        }
        guard !text.allSatisfy(\.isWhitespace) else { throw error("\(place) has an empty text under \(key)") }
        return text
    }

    /// The elements of a list, each with its place.
    private func list(_ key: String, of value: Any, _ place: String) throws(ExampleError) -> [(Any, String)] {
        guard let list = try object(value, place)[key] as? [Any] else {
            throw error("\(place) has no list under \(key)")
        }
        let owner = place == "the file" ? "" : place.hasPrefix("question ") ? "\(place), " : "\(place)."
        return list.enumerated().map { ($1, "\(owner)\(key)[\($0)]") }
    }
}
