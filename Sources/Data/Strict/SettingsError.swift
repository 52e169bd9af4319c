/// A mistake in settings or task definitions, reading `FILE:LINE: MESSAGE`.
public struct SettingsError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The file as the user named it, or `--set KEY` for a value from the command line.
    public let file: String
    /// The line, counted from 1, where one is to blame.
    public let line: Int?
    /// What is wrong, and what would be right.
    public let message: String

    /// An error about a file, or about one line of it.
    public init(file: String, line: Int? = nil, message: String) {
        self.file = file
        self.line = line
        self.message = message
    }

    /// An error about the value at `position`.
    public init(_ position: SettingsPosition, _ message: String) {
        self.init(file: position.file, line: position.line, message: message)
    }

    /// The error as users see it.
    public var description: String {
        line.map { "\(file):\($0): \(message)" } ?? "\(file): \(message)"
    }
}

/// Where a value was written, and the folder against which a relative path written there is resolved.
public struct SettingsPosition: Equatable, Sendable {
    /// The file as the user named it, or `--set KEY`.
    public let file: String
    /// The line, counted from 1; nil for `--set`.
    public let line: Int?
    /// The absolute folder of the file; the working directory for `--set`, because such paths arrive from a shell.
    public let folder: String

    /// The same file at another line.
    func at(line: Int?) -> SettingsPosition {
        SettingsPosition(file: file, line: self.line == nil ? nil : line ?? self.line, folder: folder)
    }
}
