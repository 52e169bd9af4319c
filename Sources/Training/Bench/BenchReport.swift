import Foundation
import Storage

/// The figures of a benchmark, for a script and for people.
struct BenchReport: Encodable {
    /// The timed step of one batch.
    struct Step: Encodable {
        var task: String
        /// Rows of the task's training file, from 0.
        var rows: [Int]
        var sequences: Int
        var tokens: Int
        /// Operations of the matrix products that the step needs.
        var operations: Int
        var seconds: Double
    }

    var ranks: Int
    var threads: Int
    var reproducible: String
    var parameters: Int
    var medianStepSeconds: Double
    var examplesPerSecond: Double
    var tokensPerSecond: Double
    /// Operations per second of the products that are needed, by all ranks together.
    var usefulFlops: Double
    /// Whose sgemm, and for which processor.
    var sgemmLibrary: String
    /// Operations per second of sgemm, all ranks together, before and after.
    var sgemmFlops: [Double]
    var usefulOverSgemm: Double
    /// Bytes of each rank.
    var memory: [ProcessMemory]
    /// Bytes that each rank of a training job needs besides, for the copy from which a checkpoint is written.
    var checkpointCopyBytes: [Int]
    /// The share of each phase in the time of all steps, mean of all ranks.
    var phases: [String: Double]
    /// One exchange of gradients by itself, of the slowest rank; nil where there is one rank only.
    var exchange: RankFigures.Exchange?
    var steps: [Step]

    init(
        _ settings: RunSettings, _ trainer: Trainer, batches: [BatchList.Batch], taskNames: [String],
        seconds: [Double], threads: Int, library: String, ranks figures: [RankFigures]
    ) {
        ranks = figures.count
        self.threads = threads
        reproducible = settings.reproducible.rawValue
        parameters = trainer.model.parameters.count
        steps = zip(batches, seconds).map { batch, seconds in
            Step(
                task: taskNames[batch.task], rows: batch.rows, sequences: batch.sequences, tokens: batch.tokens,
                operations: batch.operations, seconds: seconds)
        }
        let total = seconds.reduce(0, +)
        medianStepSeconds = seconds.median
        examplesPerSecond = Double(batches.reduce(0) { $0 + $1.rows.count }) / total
        tokensPerSecond = Double(batches.reduce(0) { $0 + $1.tokens }) / total
        usefulFlops = Double(batches.reduce(0) { $0 + $1.operations }) / total
        sgemmLibrary = library
        sgemmFlops = (0..<2).map { time in figures.reduce(0) { $0 + $1.sgemm[time] } }
        usefulOverSgemm = usefulFlops / (sgemmFlops.reduce(0, +) / 2)
        memory = figures.map(\.memory)
        checkpointCopyBytes = figures.map(\.checkpointCopyBytes)
        let phaseTotal = max(1e-9, figures.reduce(0) { $0 + $1.phases.reduce(0, +) })
        phases = Dictionary(
            uniqueKeysWithValues: Phase.trainingPhases.enumerated().map { index, phase in
                ("\(phase)", figures.reduce(0) { $0 + $1.phases[index] } / phaseTotal)
            })
        exchange =
            figures.count == 1 ? nil : figures.map(\.exchange).max { $0.seconds < $1.seconds }
    }

    /// One line.
    var json: String {
        get throws {
            let encoder = JSONEncoder()
            encoder.keyEncodingStrategy = .convertToSnakeCase
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        }
    }

    /// A few lines for people.
    var text: String {
        let times = steps.map(\.seconds)
        var lines = [
            String(
                format: "%@ on %@ x %@, %@: median %.4f s (%.4f to %.4f)", counted(steps.count, "step"),
                counted(ranks, "rank"), counted(threads, "thread"), reproducible, medianStepSeconds,
                times.min() ?? 0, times.max() ?? 0),
            String(format: "%.1f examples/s, %.0f tokens/s (no padding)", examplesPerSecond, tokensPerSecond),
            String(
                format:
                    "%.1f GFLOP/s of matrix products that are needed: %.0f %% of sgemm's %.1f before and %.1f after (%@)",
                usefulFlops / 1e9, 100 * usefulOverSgemm, sgemmFlops[0] / 1e9, sgemmFlops[1] / 1e9, sgemmLibrary),
        ]
        lines.append(
            "peak memory by rank: " + memory.map(\.text).joined(separator: ", ")
                + "; training keeps a copy for checkpoints besides: "
                + checkpointCopyBytes.map(byteText).joined(separator: ", "))
        let shares = Phase.trainingPhases.map { String(format: "%@ %.1f %%", "\($0)", 100 * (phases["\($0)"] ?? 0)) }
        lines.append("phases: " + shares.joined(separator: ", "))
        if let exchange {
            lines.append(
                String(
                    format:
                        "one exchange of %.1f MB of gradients by itself: %.2f ms; reading and writing them once: %.2f ms",
                    Double(exchange.bytes) / 1e6, 1e3 * exchange.seconds, 1e3 * exchange.passSeconds))
        }
        return lines.joined(separator: "\n")
    }
}
