import Yams

extension StrictValue {
    /// The tree of a YAML text, nil for an empty one, with libYAML's complaints turned into ours.
    static func compose(_ text: String, at start: SettingsPosition) throws(SettingsError) -> Node? {
        try refuseBombs(text, at: start)
        do {
            // The basic resolver leaves the meaning of scalars to us, and runs no regular expressions over them.
            return try Yams.compose(yaml: text, .basic)
        } catch let error as YamlError {
            throw SettingsError(error, at: start)
        } catch {
            throw SettingsError(start, "not valid YAML: \(error)")
        }
    }

    /// What users read of a tree deeper than the program ever needs.
    static let nestingProblem = "nested more than 64 deep"

    /// Refuses texts whose tree could be exponentially larger than they are.
    ///
    /// Each level of aliases multiplies the tree by their number, and Yams already walks the whole tree when such a
    /// level is used as a key, so the text itself must be limited: 8 aliases multiply it by 18 at the very most.
    private static func refuseBombs(_ text: String, at start: SettingsPosition) throws(SettingsError) {
        guard text.utf8.count <= 1 << 20 else { throw SettingsError(file: start.file, message: "longer than 1 MiB") }
        let separators = Set(" \t\r\n[{,:".utf8 + Array(0x80...0xFF))  // also the line breaks beyond ASCII
        var aliases = 0, line = 1
        var previous = UInt8(ascii: "\n"), last = UInt8(ascii: "\n")
        for byte in text.utf8 {
            if last == UInt8(ascii: "*"), separators.contains(previous), !separators.contains(byte) { aliases += 1 }
            if aliases > 8 { throw SettingsError(start.at(line: line), "more than 8 aliases (*NAME)") }
            if byte == UInt8(ascii: "\n") { line += 1 }
            previous = last
            last = byte
        }
    }
}

extension SettingsError {
    fileprivate init(_ error: YamlError, at start: SettingsPosition) {
        switch error {
        // libYAML has a limit of its own and tells how programmers lift it.
        case .parser(_, let problem, let mark, _) where problem.hasPrefix("Maximum nesting level"):
            self.init(start.at(line: mark.line), StrictValue.nestingProblem)
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            let whereabouts = context.map { " (\($0.text))" } ?? ""
            self.init(start.at(line: mark.line), "not valid YAML: \(problem)\(whereabouts)")
        case .reader(let problem, let offset, _, let text):
            let before = text.prefix(offset ?? 0)
            self.init(start.at(line: 1 + before.count(where: \.isNewline)), "not valid YAML: \(problem)")
        case .duplicatedKeysInMapping(let keys, let context):
            let message = "key \"\(keys.first ?? "")\" is given more than once in the same mapping, first here"
            self.init(start.at(line: context.mark.line), message)
        default:
            self.init(start, "not valid YAML: \(error)")
        }
    }
}
