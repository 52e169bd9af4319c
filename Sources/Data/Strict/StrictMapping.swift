/// The keys of one mapping, noting which were asked for, so that every other key is refused as unknown.
///
/// Made by ``StrictValue/mapping(_:)`` only, which makes that refusal impossible to forget.
public final class StrictMapping {
    private let value: StrictValue
    private let entries: [StrictValue.Entry]
    private var asked: [String] = []

    fileprivate init(_ value: StrictValue, _ entries: [StrictValue.Entry]) {
        self.value = value
        self.entries = entries
    }

    /// All keys in the order of the file.
    public var keys: [String] { entries.map(\.key) }

    /// The value of an optional key; nil where it is absent or null.
    public subscript(_ key: String) -> StrictValue? {
        asked.append(key)
        return entries.first { $0.key == key && !$0.value.isNull }?.value
    }

    /// The value of a key that must be given.
    public func required(_ key: String) throws(SettingsError) -> StrictValue {
        if let value = self[key] { return value }
        // A required key is mostly missing because it is misspelt: then the misspelt line is the one to show.
        for entry in entries where !asked.contains(entry.key) && nearest(to: entry.key, among: [key]) != nil {
            throw unknown(entry)
        }
        throw SettingsError(value.position, "missing key \"\(key)\"\(place)")
    }

    fileprivate func refuseUnknownKeys() throws(SettingsError) {
        for entry in entries where !asked.contains(entry.key) { throw unknown(entry) }
    }

    private func unknown(_ entry: StrictValue.Entry) -> SettingsError {
        let hint = suggestion(for: entry.key, among: asked)
        return SettingsError(entry.position, "unknown key \"\(entry.key)\"\(place)\(hint)")
    }

    private var place: String { value.name.isEmpty ? "" : " in \(value.name)" }
}

extension StrictValue {
    /// What `read` makes of a mapping's keys; a key for which it did not ask is refused.
    public func mapping<Result>(
        _ read: (StrictMapping) throws(SettingsError) -> Result
    ) throws(SettingsError) -> Result {
        guard case .mapping(let entries) = content else {
            throw error("\(name.isEmpty ? "the file " : "")must be a mapping of keys to values, not \(described)")
        }
        let mapping = StrictMapping(self, entries)
        let result = try read(mapping)
        try mapping.refuseUnknownKeys()
        return result
    }

    /// The keys and values of a mapping whose keys are names that the user chooses.
    public func namedValues() throws(SettingsError) -> [(name: String, value: StrictValue)] {
        try mapping { mapping in mapping.keys.compactMap { key in mapping[key].map { (key, $0) } } }
    }
}
