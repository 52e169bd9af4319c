import Data
import Foundation

/// `metrics.jsonl`: one line for each step and for each evaluation, wall-clock figures apart under `timing`.
final class RunLog {
    private let file: FileHandle
    private let path: String
    private let encoder = JSONEncoder()

    struct StepLine: Encodable {
        var step: Int
        var epoch: Int
        var task: String
        var loss: Double
        var gradientNorm: Double
        var learningRate: Float
        var timing: Timing

        struct Timing: Encodable {
            var seconds: Double
        }
    }

    struct EvaluationLine: Encodable {
        var step: Int
        var epoch: Int
        var task: String
        var split: String
        var metrics: [String: Double]
    }

    /// The last line: equal sums mean equal runs, bit for bit.
    struct EndLine: Encodable {
        var step: Int
        var parametersSha256: String
        var momentsSha256: String
    }

    /// Opens the file for the lines after step `keepingSteps`; those of later steps, from a run that was cut off, are removed.
    init(path: String, keepingSteps start: Int) throws {
        self.path = path
        var kept = Data()
        if let old = FileManager.default.contents(atPath: path) {
            for line in old.split(separator: UInt8(ascii: "\n")) where try RunLog.step(of: line) ?? .max <= start {
                kept += line + [UInt8(ascii: "\n")]
            }
        }
        do {
            try kept.write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw TrainingError("\(path): cannot be written: \(error.localizedDescription)")
        }
        guard let file = FileHandle(forWritingAtPath: path) else { throw TrainingError("\(path): cannot be written") }
        self.file = file
        try file.seekToEnd()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    }

    /// The step that a line is about; nil for a line that was cut off, and for the last one, which is written again at the new end.
    private static func step(of line: Data) throws -> Int? {
        do {
            let entries = try JSONSerialization.jsonObject(with: line) as? [String: Any]
            return entries?["parameters_sha256"] == nil ? entries?["step"] as? Int : nil
        } catch {
            return nil
        }
    }

    /// Appends a line.
    func write(_ line: some Encodable) throws {
        var data = try encoder.encode(line)
        data.append(UInt8(ascii: "\n"))
        do {
            try file.write(contentsOf: data)
        } catch {
            throw TrainingError("\(path): cannot be written: \(error.localizedDescription)")
        }
    }

    /// The scores of the last evaluation of each `TASK SPLIT` in a log.
    static func lastScores(path: String) throws -> [String: [String: Double]] {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw TrainingError("\(path): cannot be read")
        }
        var scores: [String: [String: Double]] = [:]
        for line in data.split(separator: UInt8(ascii: "\n")) {
            guard let line = try JSONSerialization.jsonObject(with: line) as? [String: Any],
                let metrics = line["metrics"] as? [String: Double], let task = line["task"], let split = line["split"]
            else { continue }
            scores["\(task) \(split)"] = metrics
        }
        return scores
    }
}
