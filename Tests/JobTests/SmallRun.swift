import Foundation
import Storage
import TestSupport
import Testing

/// Runs of the small suite by the worker, as a user would start them.
struct SmallRun {
    let suite: SmallSuite

    init() throws { suite = try SmallSuite() }

    /// What a run left behind, wall-clock figures apart.
    struct Outcome: Equatable {
        /// All lines of the log, without `timing`.
        var lines: [String]

        /// The entries of the lines that hold `key`.
        func entries(with key: String) throws -> [[String: Any]] {
            try lines.compactMap { line in
                let entries = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
                return entries?[key] == nil ? nil : entries
            }
        }

        func numbers(_ key: String) throws -> [Double] { try entries(with: key).compactMap { $0[key] as? Double } }

        /// The SHA-256 sums of the last line.
        var digest: [String] {
            get throws {
                let last = try #require(try entries(with: "parameters_sha256").first)
                return try ["parameters_sha256", "moments_sha256"].map { try #require(last[$0] as? String) }
            }
        }
    }

    /// Starts the worker and gives what the job said.
    func start(ranks: Int, _ overrides: [String] = [], timeout: Double = 60) throws -> JobResult {
        try runJob(
            ranks: ranks, executable: "mtdnn-worker",
            arguments: [suite.runFile] + overrides.flatMap { ["--set", $0] }, timeout: timeout)
    }

    /// Trains to the end in a run folder of its own.
    func finish(ranks: Int, _ overrides: String...) throws -> Outcome { try finish(ranks: ranks, overrides) }

    /// Trains to the end in a run folder of its own.
    func finish(ranks: Int, _ overrides: [String]) throws -> Outcome {
        let folder = newFolder()
        let result = try start(ranks: ranks, overrides + ["folder=\(folder)"])
        try #require(result.status == 0, "\(result.error)")
        return try outcome(of: folder)
    }

    /// Trains until a file is there, then sends a signal to the ranks that `condition` (of a shell) holds for.
    func interrupt(
        ranks: Int, _ overrides: [String], signal: String, at path: String, where condition: String = "true"
    ) throws -> JobResult {
        let worker = [productPath("mtdnn-worker"), suite.runFile] + overrides.flatMap { ["--set", $0] }
        let script = """
            if \(condition); then
                (until [ -e "\(path)" ]; do sleep 0.01; done; kill -\(signal) $$) >/dev/null 2>&1 &
            fi
            exec "$@"
            """
        return try runJob(ranks: ranks, executable: "/bin/sh", arguments: ["-c", script, "sh"] + worker)
    }

    /// Trains on one rank, and expects the same of other ranks and threads, and of a job that is killed on some ranks and goes on with others.
    /// - Returns: what the run left behind, the folder of the one that was killed, and what was said when it went on.
    @discardableResult
    func expectSameOutcome(
        _ settings: [String], on layouts: [(ranks: Int, threads: Int)] = [(2, 1), (3, 2), (8, 1)],
        killedOn before: Int = 3, goneOnWith after: Int = 2
    ) throws -> (outcome: Outcome, folder: String, resumed: JobResult) {
        let alone = try finish(ranks: 1, settings)
        for (ranks, threads) in layouts {
            let found = try finish(ranks: ranks, settings + ["threads=\(threads)"])
            #expect(found == alone, "\(ranks) ranks of \(threads) threads")
        }
        let folder = newFolder()
        let parts = settings + ["checkpoint_steps=5", "keep_last=9", "folder=\(folder)"]
        let killed = try interrupt(ranks: before, parts, signal: "KILL", at: "\(folder)/checkpoints/step-00000010")
        #expect(killed.status != 0)
        let resumed = try start(ranks: after, parts)
        #expect(resumed.output.contains("goes on from the checkpoint"), "\(resumed.error)")
        #expect(try outcome(of: folder) == alone, "killed on \(before) ranks, gone on with \(after)")
        return (alone, folder, resumed)
    }

    /// A run folder that does not exist yet.
    func newFolder() -> String { "\(suite.folder)/run-\(UUID().uuidString)" }

    /// What the run in a folder left behind.
    func outcome(of folder: String) throws -> Outcome {
        let log = try String(contentsOfFile: "\(folder)/metrics.jsonl", encoding: .utf8)
        return Outcome(lines: log.split(separator: "\n").map { Self.withoutTiming(String($0)) })
    }

    /// The text of the line up to `timing` and after it, so that the last digit of every number counts.
    private static func withoutTiming(_ line: String) -> String {
        guard let start = line.range(of: ",\"timing\":{"), let end = line[start.upperBound...].firstIndex(of: "}")
        else { return line }
        return String(line[..<start.lowerBound] + line[line.index(after: end)...])
    }

    /// All weights after a run by `TrainingSelfTest`, by name; as on several hosts where `ranksPerHost` is given.
    func weights(ranks: Int, ranksPerHost: Int? = nil, _ overrides: String...) throws -> [String: [Float]] {
        let file = "\(suite.folder)/\(UUID().uuidString).safetensors"
        let check = ranksPerHost.map { ["hosts", "\($0)"] } ?? ["weights"]
        let result = try runJob(
            ranks: ranks, executable: "TrainingSelfTest", arguments: check + [file, suite.runFile] + overrides)
        try #require(result.status == 0, "\(result.error)")
        let tensors = try SafeTensors(file)
        return Dictionary(uniqueKeysWithValues: try tensors.names.map { ($0, try tensors.read($0)) })
    }
}

/// The largest of all tensors' relative distances, |a - b| / |b| in the Euclidean norm, and whose it is.
func largestDistance(_ found: [String: [Float]], _ expected: [String: [Float]]) throws -> (name: String, value: Double)
{
    try #require(found.keys.sorted() == expected.keys.sorted())
    let distances = try expected.map { name, values in
        let other = try #require(found[name])
        try #require(other.count == values.count)
        let difference = zip(other, values).reduce(0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) }
        let size = values.reduce(0) { $0 + Double($1) * Double($1) }
        return (name: name, value: (difference / size).squareRoot())
    }
    // A distance that is not a number is the largest.
    return try #require(distances.max { !($1.value <= $0.value) })
}

/// Whether the gradient of a tensor is zero but for rounding, which Adamax would scale up to whole steps (see References/README.md).
func hasNoGradient(_ name: String) -> Bool {
    name.hasSuffix("attention.self.key.bias") || name.hasSuffix("summary.bias")
        || name.hasSuffix("query.classifier.bias")
        || name == "heads.ranking.classifier.bias"
}
