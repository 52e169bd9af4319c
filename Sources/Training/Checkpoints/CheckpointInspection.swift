import Foundation

/// What is in a checkpoint, or in the checkpoints of a run folder, by their manifests alone.
public struct CheckpointInspection {
    /// The report, ready to print.
    public let text: String

    /// Looks at the checkpoint or run folder at `path`.
    public init(path: String) throws {
        if FileManager.default.fileExists(atPath: "\(path)/\(Manifest.name)") {
            text = CheckpointInspection.describe(try Checkpoint(path: path))
            return
        }
        var lines: [String] = []
        let checkpoints = try CheckpointFolder(run: path).readable { lines.append($0) }
        guard let newest = checkpoints.first else {
            throw TrainingError(
                (lines + ["\(path): is neither a checkpoint nor a run folder with one"]).joined(separator: "\n"))
        }
        let best = CheckpointFolder.best(of: checkpoints)
        let rows = checkpoints.reversed().map { checkpoint in
            [
                "step \(checkpoint.step)", byteText(checkpoint.manifest.byteCount),
                checkpoint.manifest.score.map { String(format: "mean score %.4f", $0) } ?? "",
                [checkpoint.step == best?.step ? "best" : "", checkpoint.step == newest.step ? "newest" : ""]
                    .filter { !$0.isEmpty }.joined(separator: ", "),
            ]
        }
        lines += [path] + align(rows) + [CheckpointInspection.describe(newest)]
        text = lines.joined(separator: "\n")
    }

    private static let settings = [
        "seed", "epochs", "batch_size", "slices", "optimizer", "learning_rate", "schedule", "warmup", "weight_decay",
        "gradient_clip", "dropout",
    ]

    private static func describe(_ checkpoint: Checkpoint) -> String {
        let (manifest, origin) = (checkpoint.manifest, checkpoint.manifest.origin)
        // One `KEY: VALUE` for each line, as this program writes them.
        let settings = Dictionary(
            origin.settings.split(separator: "\n").map { line in
                let (key, value) = (line.prefix { $0 != ":" }, line.drop { $0 != ":" }.dropFirst())
                return (String(key), value.trimmingCharacters(in: .whitespaces))
            }, uniquingKeysWith: { first, _ in first })
        var rows = [
            ["step", "\(manifest.step)"],
            ["mean score", manifest.score.map { String(format: "%.4f", $0) } ?? "not scored at this step"],
            ["ranks", "\(manifest.rankCount)"],
            ["tasks", settings["train"] ?? ""],
            [
                "encoder",
                origin.encoder.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", "),
            ],
            [
                "settings",
                CheckpointInspection.settings.compactMap { key in settings[key].map { "\(key) \($0)" } }
                    .joined(separator: ", "),
            ],
            ["program", "SHA-256 \(origin.program)"],
            ["parameters", "\(count(origin.parameters.map(\.value)))"],
        ]
        let groups = Dictionary(grouping: origin.parameters) { group(ofParameter: $0.key) }
        for (name, parameters) in groups.sorted(by: { $0.key < $1.key }) {
            rows.append(["  \(name)", "\(count(parameters.map(\.value)))"])
        }
        rows.append(["files", byteText(manifest.byteCount)])
        rows += manifest.files.map { ["  \($0.name)", "\($0.size) bytes, SHA-256 \($0.sha256)"] }
        return ([checkpoint.path] + align(rows)).joined(separator: "\n")
    }

    private static func count(_ shapes: [[Int]]) -> Int { shapes.reduce(0) { $0 + $1.reduce(1, *) } }

    /// The group of parameters that are updated together with one of this name.
    private static func group(ofParameter name: String) -> String {
        let parts = name.split(separator: ".")
        switch parts.first {
        case "heads" where parts.count > 1: return "heads.\(parts[1])"
        case "pooler": return "pooler"
        default: return name == "embeddings.word_embeddings.weight" ? "word_embeddings" : "encoder"
        }
    }
}

/// Lines of cells in columns of equal width.
private func align(_ rows: [[String]]) -> [String] {
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
        let cells = zip(row, widths).map { $0.padding(toLength: $1, withPad: " ", startingAt: 0) }
        let line = "  " + cells.joined(separator: "   ")
        return String(line.reversed().drop { $0 == " " }.reversed())
    }
}
