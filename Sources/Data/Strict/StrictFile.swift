import Foundation
import Storage
import Yams

extension StrictValue {
    /// Reads a YAML file.
    public static func read(path: String) throws(SettingsError) -> StrictValue {
        let absolute = absolutePath(path, in: FileManager.default.currentDirectoryPath)
        let data = try contents(ofFile: absolute, namedAs: path)
        guard let text = String(data: data, encoding: .utf8) else {
            throw SettingsError(file: path, message: "the file is not UTF-8")
        }
        return try parse(text, path: path)
    }

    /// Reads YAML text that stands in the file at `path`.
    public static func parse(_ text: String, path: String) throws(SettingsError) -> StrictValue {
        let absolute = absolutePath(path, in: FileManager.default.currentDirectoryPath)
        let folder = (absolute as NSString).deletingLastPathComponent
        let start = SettingsPosition(file: path, line: 1, folder: folder)
        // An empty file says nothing about a wrong shape: it is a mapping without keys.
        guard let node = try compose(text, at: start) else {
            return StrictValue(name: "", position: start, content: .mapping([]))
        }
        return try StrictValue(node, name: "", at: start)
    }

    /// The value with `KEY=VALUE` from the command line in place of what the file says; dots in the key step inwards.
    public func setting(_ assignment: String) throws(SettingsError) -> StrictValue {
        let parts = assignment.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let steps = parts[0].split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, !steps.contains("") else {
            throw SettingsError(file: "--set \(assignment)", message: "must have the form KEY=VALUE")
        }
        let folder = FileManager.default.currentDirectoryPath
        let position = SettingsPosition(file: "--set \(parts[0])", line: nil, folder: folder)
        guard let node = try Self.compose(parts[1], at: position) else {
            // `seed=$SEED` without that variable.
            throw SettingsError(
                file: "--set \(assignment)",
                message: "has no value; \(parts[0])=null stands for a key that is not given")
        }
        var changed = self
        try changed.set(steps[...], to: StrictValue(node, name: parts[0], at: position))
        return changed
    }

    private mutating func set(_ steps: ArraySlice<String>, to new: StrictValue) throws(SettingsError) {
        guard let key = steps.first else {
            self = new
            return
        }
        guard case .mapping(var entries) = content else {
            throw SettingsError(new.position, "\(name) is not a mapping, it has no key \"\(key)\"")
        }
        let inner = name.isEmpty ? key : "\(name).\(key)"
        let fresh = StrictValue(name: inner, position: new.position, content: .mapping([]))
        if let index = entries.firstIndex(where: { $0.key == key }) {
            var value = entries[index].value.isNull ? fresh : entries[index].value
            try value.set(steps.dropFirst(), to: new)
            entries[index].value = value
        } else {
            var value = fresh
            try value.set(steps.dropFirst(), to: new)
            entries.append(Entry(key: key, position: new.position, value: value))
        }
        content = .mapping(entries)
    }

    private init(_ node: Node, name: String, at start: SettingsPosition, depth: Int = 0) throws(SettingsError) {
        let position = start.at(line: node.mark?.line)
        self.name = name
        self.position = position
        guard depth <= 64 else { throw SettingsError(position, Self.nestingProblem) }
        switch node {
        case .scalar(let scalar):
            content = .scalar(scalar.string, isQuoted: ![.plain, .any].contains(scalar.style))
        case .sequence(let sequence):
            var items: [StrictValue] = []
            for (index, item) in sequence.enumerated() {
                items.append(try StrictValue(item, name: "\(name)[\(index)]", at: position, depth: depth + 1))
            }
            content = .list(items)
        case .mapping(let mapping):
            var entries: [Entry] = []
            for (key, value) in mapping {
                let keyPosition = position.at(line: key.mark?.line)
                guard let key = key.scalar?.string else {
                    throw SettingsError(keyPosition, "a key must be a word, not a list or a mapping")
                }
                let inner = name.isEmpty ? key : "\(name).\(key)"
                let value = try StrictValue(value, name: inner, at: position, depth: depth + 1)
                entries.append(Entry(key: key, position: keyPosition, value: value))
            }
            content = .mapping(entries)
        case .alias:
            throw SettingsError(position, "an alias without its anchor")
        }
    }

    private static func contents(ofFile path: String, namedAs name: String) throws(SettingsError) -> Data {
        do {
            return try Storage.contents(ofFile: path)
        } catch {
            throw SettingsError(file: name, message: error.reason)
        }
    }
}
