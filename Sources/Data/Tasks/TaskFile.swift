/// The tasks of one file in mt-dnn's `task_def.yml` form.
///
/// Reading checks every key by itself: its name, its type, its range. Whether the keys of a task fit each other, and
/// whether this version can train it, matters only for tasks that a run trains; so a file that also holds mt-dnn's
/// tagging or generation tasks reads unchanged.
public struct TaskFile: Sendable {
    /// The file as the user named it.
    public let path: String
    /// The names of all tasks in the order of the file.
    public let names: [String]
    private let definitions: [String: Result<TaskDefinition, SettingsError>]

    /// Reads the file at `path`.
    public init(path: String) throws(SettingsError) { try self.init(path: path, StrictValue.read(path: path)) }

    /// Reads what the file at `path` held once; it need not be there any more.
    public init(_ text: String, path: String) throws(SettingsError) {
        try self.init(path: path, StrictValue.parse(text, path: path))
    }

    private init(path: String, _ root: StrictValue) throws(SettingsError) {
        self.path = path
        var names: [String] = []
        var definitions: [String: Result<TaskDefinition, SettingsError>] = [:]
        for (name, value) in try root.namedValues() {
            guard name.isPlainName else {
                let rule = "a task's name consists of letters, digits, \"-\" and \"_\""
                throw SettingsError(value.position, "\"\(name)\" cannot name a task: \(rule)")
            }
            let declaration = try TaskDeclaration(name: name, value)
            names.append(name)
            definitions[name] = declaration.definition()
        }
        guard !names.isEmpty else { throw SettingsError(file: path, message: "the file defines no task") }
        self.names = names
        self.definitions = definitions
    }

    /// The task called `name`, refused with the reason where this version cannot train it; nil where there is none.
    public func definition(of name: String) throws(SettingsError) -> TaskDefinition? {
        try definitions[name]?.get()
    }
}
