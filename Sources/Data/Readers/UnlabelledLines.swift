import Foundation

// Texts without labels, a line for each example, as people pipe them into a trained model.
extension TaskDefinition {
    /// What a line of `unlabelledExample` holds, for messages.
    private var textColumns: String {
        if case .ranking = kind { return "a query and its candidates" }
        if case .labelling = kind { return "one sentence, spaces between its words" }
        if case .span = kind { return "a question and the text that answers it" }
        return isPair ? "two sentences" : "one sentence"
    }

    /// The example of one line of texts with tabs between them, in the columns that `textColumns` names.
    /// - Parameter number: The line's number from 1; it names the example.
    public func unlabelledExample(_ line: Data, number: Int, file: String) throws(ExampleError) -> Example {
        let row = try TabSeparatedRow(Line(file: file, number: number, bytes: line))
        let isQuery = if case .ranking = kind { true } else { false }
        if !isQuery || row.fields.count < 2 {
            try row.requireColumns(isPair ? 2 : 1, "task \(name) takes \(textColumns), with tabs between")
        }
        if case .labelling = kind {
            return unlabelledWords(try row.sentence(0).split(separator: " ").map(String.init), uid: "\(number)")
        }
        var second: [String] = []
        for column in row.fields.indices.dropFirst() { second.append(try row.sentence(column)) }
        var example = Example(uid: "\(number)", first: try row.sentence(0), second: second, label: nil)
        if case .span = kind { example.answers = [] }
        return example
    }

    private func unlabelledWords(_ words: [String], uid: String) -> Example {
        var example = Example(uid: uid, first: words.joined(separator: " "), label: nil)
        example.words = words
        example.wordLabels = words.map { _ in TokenLabel.unknown }
        return example
    }

    /// The example of one line of JSON: `{"sentence"}`, `{"sentence1", "sentence2"}`, `{"query", "candidates"}`, `{"words"}` or
    /// `{"question", "context"}`, with a `uid` if it has one.
    public func unlabelledJSONExample(_ line: Data, number: Int, file: String) throws(ExampleError) -> Example {
        let line = Line(file: file, number: number, bytes: line)
        let entries = try line.jsonObject()
        func sentence(_ value: Any?, _ key: String) throws(ExampleError) -> String {
            guard let text = value as? String, !text.allSatisfy(\.isWhitespace) else {
                throw line.error("has no text under \"\(key)\"; task \(name) takes \(textColumns)")
            }
            return text
        }
        let uid = entries["uid"].flatMap { $0 is NSNull ? nil : "\($0)" } ?? "\(number)"
        if case .ranking = kind {
            guard let candidates = entries["candidates"] as? [Any], !candidates.isEmpty else {
                throw line.error("has no list under \"candidates\"; task \(name) takes \(textColumns)")
            }
            var texts: [String] = []
            for candidate in candidates { texts.append(try sentence(candidate, "candidates")) }
            return Example(uid: uid, first: try sentence(entries["query"], "query"), second: texts, label: nil)
        }
        if case .labelling = kind {
            guard let list = entries["words"] as? [String], !list.isEmpty, !list.contains("") else {
                throw line.error("has no list of words, none of them empty, under \"words\"")
            }
            return unlabelledWords(list, uid: uid)
        }
        if case .span = kind {
            let question = try sentence(entries["question"], "question")
            let context = try sentence(entries["context"], "context")
            var example = Example(uid: uid, first: question, second: [context], label: nil)
            example.answers = []
            return example
        }
        guard isPair else {
            return Example(uid: uid, first: try sentence(entries["sentence"], "sentence"), label: nil)
        }
        let first = try sentence(entries["sentence1"], "sentence1")
        return Example(
            uid: uid, first: first, second: [try sentence(entries["sentence2"], "sentence2")], label: nil)
    }
}
