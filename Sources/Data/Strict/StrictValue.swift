import Foundation

/// One value of a YAML file, with its name and position, read as the type that the program expects or refused.
public struct StrictValue: Sendable {
    /// A key of a mapping with its value.
    struct Entry: Sendable {
        let key: String
        let position: SettingsPosition
        var value: StrictValue
    }

    /// The three shapes of YAML. Only a plain scalar can be a number, a truth value or null.
    enum Content: Sendable {
        case scalar(String, isQuoted: Bool)
        case list([StrictValue])
        case mapping([Entry])
    }

    /// The dotted path from the top of the file, as messages call the value: `encoder.hidden_size`.
    public let name: String
    /// Where the value was written.
    public let position: SettingsPosition
    var content: Content

    /// An error that blames this value: `FILE:LINE: NAME PROBLEM`.
    public func error(_ problem: String) -> SettingsError {
        SettingsError(position, name.isEmpty ? problem : "\(name) \(problem)")
    }

    /// Whether the value is YAML's null, which counts as "not given".
    var isNull: Bool {
        guard case .scalar(let text, isQuoted: false) = content else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(text)
    }

    /// The text of a scalar, whatever it looks like: `0` and `no` are fine labels.
    public func string() throws(SettingsError) -> String {
        guard case .scalar(let text, _) = content else { throw error("must be text, not \(described)") }
        guard !text.isEmpty else { throw error("must not be empty") }
        return text
    }

    /// A whole number within `limit`.
    public func integer<Integer: FixedWidthInteger & Sendable>(
        _ limit: Limit<Integer> = .none
    ) throws(SettingsError) -> Integer {
        guard let text = plainText, text.isWholeNumber else {
            throw error("must be a whole number, not \(described)")
        }
        guard let number = Integer(text) else {
            throw error("must be a whole number from \(Integer.min) to \(Integer.max), not \(text)")
        }
        return try checked(number, limit)
    }

    /// A finite number within `limit`. `5e-5` is one here, though YAML 1.1 would call it text.
    public func number(_ limit: Limit<Double> = .none) throws(SettingsError) -> Double {
        guard let text = plainText, text.isDecimalNumber, let number = Double(text) else {
            throw error("must be a number, not \(described)")
        }
        // Most numbers are computed with in 32 bits.
        guard Float(number).isFinite else { throw error("must be a finite number of 32 bits, not \(text)") }
        return try checked(number, limit)
    }

    /// A dropout rate: at 1 nothing would be left to scale up.
    public func rate() throws(SettingsError) -> Float {
        let rate = Float(try number(.from(0, below: 1)))
        guard rate < 1 else { throw error("must be at least 0 and below 1, not \(described)") }
        return rate
    }

    /// A truth value in any spelling of YAML 1.1, which is what Python's reader takes: `True` and `yes` count.
    public func boolean() throws(SettingsError) -> Bool {
        switch plainText {
        case "true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON": return true
        case "false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF": return false
        default: throw error("must be true or false, not \(described)")
        }
    }

    /// The items of a list.
    public func list() throws(SettingsError) -> [StrictValue] {
        guard case .list(let items) = content else { throw error("must be a list, not \(described)") }
        return items
    }

    /// One of the raw values of `Choice`.
    public func choice<Choice: RawRepresentable & CaseIterable>(
        of type: Choice.Type = Choice.self
    ) throws(SettingsError) -> Choice where Choice.RawValue == String {
        let names = Choice.allCases.map(\.rawValue)
        var hint = ""
        if case .scalar(let text, _) = content {
            if let choice = Choice(rawValue: text) { return choice }
            hint = suggestion(for: text, among: names)
        }
        throw error("must be one of \(names.joined(separator: ", ")), not \(described)\(hint)")
    }

    /// A path made absolute against the folder that the value's position names.
    public func path() throws(SettingsError) -> String { absolutePath(try relativePath(), in: position.folder) }

    /// A path as it was written.
    func relativePath() throws(SettingsError) -> String {
        let text = try string()
        // YAML can write it as "\0", but no file system call takes it.
        guard !text.utf8.contains(0) else { throw error("must not contain a null character") }
        return text
    }

    private func checked<Number>(_ number: Number, _ limit: Limit<Number>) throws(SettingsError) -> Number {
        guard limit.contains(number) else { throw error("must be \(limit), not \(described)") }
        return number
    }

    private var plainText: String? {
        guard case .scalar(let text, isQuoted: false) = content else { return nil }
        return text
    }

    /// The value as a message shows it.
    var described: String {
        switch content {
        case .list: return "a list"
        case .mapping: return "a mapping"
        case .scalar(let text, let isQuoted):
            guard text.isDecimalNumber else { return text.isEmpty ? "nothing" : "\"\(text)\"" }
            return isQuoted ? "the quoted text \"\(text)\"" : text
        }
    }
}

extension String {
    /// Whether the text is a decimal number: Swift's own parser would also take `nan`, `inf` and hexadecimal.
    var isDecimalNumber: Bool {
        utf8.allSatisfy { $0.isDigit || "+-.eE".utf8.contains($0) } && Double(self) != nil
    }

    /// Whether the text is a whole number, of any size.
    var isWholeNumber: Bool {
        let digits = hasPrefix("-") || hasPrefix("+") ? utf8.dropFirst() : utf8[...]
        return !digits.isEmpty && digits.allSatisfy(\.isDigit)
    }

    /// Whether the text can name a task or a split, and with that a file: letters, digits, `-` and `_`.
    var isPlainName: Bool {
        guard let first = utf8.first, first.isDigit || first.isLetter else { return false }
        return utf8.allSatisfy { $0.isDigit || $0.isLetter || "-_".utf8.contains($0) }
    }
}

extension UInt8 {
    fileprivate var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
    fileprivate var isLetter: Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self | 0x20) }
}

/// `path` made absolute against `folder`, without `.` and `..` steps.
public func absolutePath(_ path: String, in folder: String) -> String {
    URL(fileURLWithPath: path, relativeTo: URL(fileURLWithPath: folder, isDirectory: true)).standardizedFileURL.path
}
