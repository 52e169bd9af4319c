import Data
import Foundation
import Storage

/// `metrics.jsonl`: one line for each step and for each evaluation, wall-clock figures apart under `timing`.
///
/// Lines that cannot be written, because the disk is full, are kept and written with the next ones.
final class RunLog: @unchecked Sendable {  // all that changes is read and written under `lock`
    private var descriptor: Int32
    private let path: String
    private let encoder = JSONEncoder()
    private let lock = NSLock()
    private var pending = Data()

    struct StepLine: Encodable {
        var step: Int
        var epoch: Int
        var task: String
        var loss: Double
        var gradientNorm: Double
        var learningRate: Float
        var timing: Timing
    }

    /// Since the line before that has one, so that all of them come to the time of the run.
    struct Timing: Encodable {
        var seconds: Double
    }

    struct EvaluationLine: Encodable {
        var step: Int
        var epoch: Int
        var task: String
        var split: String
        var metrics: [String: Double]
    }

    /// After the lines of an evaluation: what ranks checkpoints, and how long the evaluation took.
    struct MeanScoreLine: Encodable {
        var step: Int
        var epoch: Int
        var meanScore: Double
        var timing: Timing
    }

    /// The last line: equal sums mean equal runs, bit for bit, so that it has nothing else to differ in.
    struct EndLine: Encodable {
        var step: Int
        var parametersSha256: String
        var momentsSha256: String
    }

    /// Opens the file for the lines after step `keepingSteps`; those of later steps, from a run that was cut off, are removed.
    init(path: String, keepingSteps start: Int) throws {
        self.path = path
        var kept = Data()
        if let old = try contentsIfPresent(path) {
            for line in old.split(separator: UInt8(ascii: "\n")) where try RunLog.step(of: line) ?? .max <= start {
                kept += line + [UInt8(ascii: "\n")]
            }
        }
        do {
            try replaceFile(at: path) { try kept.write(to: URL(fileURLWithPath: $0)) }
        } catch let error as StorageError {
            throw error
        } catch {
            throw TrainingError("\(path): cannot be written: \(systemReason(error))")
        }
        descriptor = open(path, O_RDWR | O_APPEND | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw TrainingError("\(path): cannot be written: \(String(cString: strerror(errno)))")
        }
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    }

    deinit { close(descriptor) }

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
    /// - Returns: a sentence where this is the first one that has to wait for room on the disk.
    func write(_ line: some Encodable) throws -> String? {
        let data = try encoder.encode(line) + [UInt8(ascii: "\n")]
        return lock.withLock {
            let waited = !pending.isEmpty
            pending += data
            guard let reason = flush(), !waited else { return nil }
            return "\(path): cannot be written: \(reason); its lines are kept in memory until they can"
        }
    }

    /// Waits until all lines so far are on the disk; throws where they cannot be written.
    func synchronize() throws {
        try lock.withLock {
            if !FileManager.default.fileExists(atPath: path) { try makeAgain() }
            if let reason = flush() { throw TrainingError("\(path): cannot be written: \(reason)") }
        }
        try Storage.synchronize(path)
    }

    /// Makes the file again after somebody removed it, or its folder: its lines can still be read through the open file.
    private func makeAgain() throws {
        try createFolder((path as NSString).deletingLastPathComponent)
        let new = open(path, O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard new >= 0 else { throw TrainingError("\(path): cannot be written: \(String(cString: strerror(errno)))") }
        let old = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        descriptor = new
        try old.seek(toOffset: 0)
        pending = (try old.readToEnd() ?? Data()) + pending
    }

    /// Writes what is pending; returns why not all of it could be written.
    private func flush() -> String? {
        let count = pending.withUnsafeBytes { Storage.write($0, to: descriptor) }
        let reason = count < pending.count ? String(cString: strerror(errno)) : nil
        pending = Data(pending.dropFirst(count))
        return reason
    }

    /// The step of the last line that is whole; 0 where there is none.
    static func lastStep(path: String) throws -> Int {
        guard FileManager.default.fileExists(atPath: path) else { return 0 }
        let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        let size = try file.seekToEnd()
        try file.seek(toOffset: size - min(size, 65_536))
        let lines = (try file.readToEnd() ?? Data()).split(separator: UInt8(ascii: "\n"))
        return try lines.reversed().lazy.compactMap { try step(of: $0) }.first ?? 0
    }
}
