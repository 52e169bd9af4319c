import Foundation
import TestSupport
import Testing

@testable import Training

/// What users get to see when a run cannot go on: one line, once, soon, and an exit code that is not 0.
@Suite(.serialized) final class FailureTests {
    private let run: SmallRun

    init() throws { run = try SmallRun() }

    deinit {
        do { try run.suite.remove() } catch { Issue.record(error) }
    }

    /// The lines of a program itself, not those that mpirun adds.
    private func lines(_ result: JobResult, of program: String = "mtdnn-worker") -> [String] {
        result.error.split(separator: "\n").map(String.init).filter { $0.hasPrefix("\(program): ") }
    }

    /// The rows of a step of the suite.
    private func batch(at step: Int) -> [Int] {
        let sizes = [40, 30, 29, 15]
        let batch = Sampler(tasks: sizes.map { .init(rowCount: $0, batchSize: 7) }, seed: 7).batch(at: step)
        return (0..<batch.count).map { batch[$0] }
    }

    @Test func `A loss that is not finite stops all ranks before the update and names step, task and examples`() throws
    {
        let result = try run.start(
            ranks: 3, ["learning_rate=1.0e+30", "warmup=0", "gradient_clip=0", "dropout=0"], timeout: 30)
        #expect(result.status != 0)
        let lines = lines(result)
        try #require(lines.count == 1, "\(result.error)")
        // The first update ruins the weights, so the second step has no finite loss.
        #expect(lines[0].hasPrefix("mtdnn-worker: step 2: the loss of task "), "\(lines[0])")
        let task = try #require(["single", "score", "pair", "query"].first { lines[0].contains("task \($0) is ") })
        #expect(lines[0].contains("; no update was made; examples \(task)-"))
        // All examples of the batch, and no others.
        let names = lines[0].components(separatedBy: "examples ")[1].components(separatedBy: "; ")[0]
            .components(separatedBy: ", ")
        #expect(names.count == Set(names).count && names.allSatisfy { $0.hasPrefix("\(task)-") })
        #expect(batch(at: 1).map { "\(task)-\($0)" } == names)
        let log = try String(contentsOfFile: "\(run.suite.folder)/run/metrics.jsonl", encoding: .utf8)
        #expect(log.split(separator: "\n").count == 1)
    }

    @Test func `Weights that the last update ruined are not written as a result`() throws {
        let result = try run.start(
            ranks: 2,
            [
                "train=[single]", "batch_size=40", "epochs=1", "learning_rate=1.0e+38", "warmup=0", "schedule=constant",
                "dropout=0",
            ])
        #expect(result.status == 65, "\(result.error)")
        let lines = lines(result)
        #expect(
            lines == [
                "mtdnn-worker: step 1: task single has scores on dev that are no finite numbers: lower `learning_rate`"
            ])
        #expect(try CheckpointFolder(run: "\(run.suite.folder)/run").entries().isEmpty)
    }

    @Test(arguments: [2, 3])
    func `A rank that throws in training ends the job at once with its message`(ranks: Int) throws {
        let result = try runJob(
            ranks: ranks, executable: "TrainingSelfTest", arguments: ["fail", "1", run.suite.runFile], timeout: 30)
        #expect(result.status == 7)
        let lines = lines(result, of: "self-test")
        try #require(lines.count == 1, "\(result.error)")
        #expect(lines[0].hasPrefix("self-test: rank 1 on ") && lines[0].hasSuffix(": a rank of its own mind"))
    }

    @Test func `More ranks than slices are refused in one sentence`() throws {
        let result = try run.start(ranks: 3, ["slices=2"])
        #expect(result.status != 0)
        #expect(
            lines(result) == [
                "mtdnn-worker: 3 ranks share 2 slices of a batch; set `slices` to at least 3, or start fewer ranks"
            ])
    }

    @Test(arguments: [1, 3])
    func `A mistake in settings or data is said once, not by every rank`(ranks: Int) throws {
        let folder = run.suite.folder
        let mistakes: [(String, [String])] = [
            ("lerning_rate=1", ["lerning_rate", "learning_rate"]), ("epochs=none", ["epochs"]),
            ("encoder.vocab=nowhere.txt", ["nowhere.txt"]), ("tasks=nowhere.yml", ["nowhere.yml"]),
            ("data=\(folder)/nowhere", ["\(folder)/nowhere/single_train.tsv"]),
        ]
        for (override, words) in mistakes {
            let result = try run.start(ranks: ranks, [override])
            #expect(result.status != 0, "\(override)")
            let lines = lines(result)
            try #require(lines.count == 1, "\(override): \(result.error)")
            for word in words { #expect(lines[0].contains(word)) }
        }
    }

    @Test func `A wrong way to show progress is said once`() throws {
        let result = try runJob(
            ranks: 2, executable: "mtdnn-worker", arguments: [run.suite.runFile, "--progress", "loud"])
        #expect(result.status != 0)
        #expect(lines(result) == ["mtdnn-worker: --progress is loud; it must be live, lines or none"])
    }
}
