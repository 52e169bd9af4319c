import Foundation
import Storage

/// A suite of four tasks that the program makes itself, so that a newcomer can train without any data.
public enum DemoSuite {
    static let tasks = [DemoSentiment.task, DemoEntailment.task, DemoSimilarity.task, DemoAnswers.task]

    /// Whether a folder is new or empty, or holds a suite that was written here before, whatever its seed, and whose settings nobody has changed since.
    public static func mayWrite(to folder: String) -> Bool {
        func text(_ name: String) -> String? {
            FileManager.default.contents(atPath: "\(folder)/\(name)").map { String(decoding: $0, as: UTF8.self) }
        }
        guard FileManager.default.enumerator(atPath: folder)?.nextObject() != nil else { return true }
        guard text("tasks.yml") == DemoSettings.tasks + "\n" else { return false }
        // Where writing was cut off it may not be there yet.
        guard let run = text("run.yml") else { return true }
        let seeds = run.split(separator: "\n").compactMap { line in
            line.hasPrefix("seed: ") ? UInt64(line.dropFirst("seed: ".count)) : nil
        }
        return seeds.contains { run == DemoSettings.run(seed: $0) + "\n" }
    }

    /// Writes `vocab.txt`, the canonical `{task}_{train|dev}.tsv`, `tasks.yml` and `run.yml` into a folder, which is made
    /// if need be.
    ///
    /// The same seed writes the same bytes.
    public static func write(to folder: String, seed: UInt64) throws {
        try createFolder(folder)

        func write(_ lines: [String], to name: String) throws {
            let text = lines.joined(separator: "\n") + "\n"
            try replaceFile(at: "\(folder)/\(name)") { try Data(text.utf8).write(to: URL(fileURLWithPath: $0)) }
        }
        try write(DemoWords.vocabulary, to: "vocab.txt")
        try write([DemoSettings.tasks], to: "tasks.yml")
        try write([DemoSettings.run(seed: seed)], to: "run.yml")
        var seeds = SplitMix64(seed: seed)
        for task in tasks {
            for split in DemoSplit.allCases {
                // A generator for each file: rows added to one leave the others as they are.
                var random = SplitMix64(seed: seeds.next())
                let rows = task.rows(split, &random)
                try write(rows.enumerated().map { $1.line(number: $0) }, to: "\(task.name)_\(split.rawValue).tsv")
            }
        }
    }
}
