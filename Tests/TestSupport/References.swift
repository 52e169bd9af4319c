import Foundation

/// Where the values lie that independent implementations made (`Tests/References/*.py` are the programs that made them).
public enum References {
    /// The folder `Tests/References/values`.
    public static let values = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("References/values")

    /// The path of one file of reference values.
    public static func path(_ name: String) -> String { values.appendingPathComponent(name).path }
}

extension References {
    /// A JSON file of reference values.
    public static func json<Value: Decodable>(_ name: String, as type: Value.Type) throws -> Value {
        try JSONDecoder().decode(type, from: Data(contentsOf: values.appendingPathComponent(name)))
    }
}
