import Foundation
import TestSupport
import Testing

/// `mtdnn bench` as users start it, on the small suite.
@Suite(.serialized) final class BenchTests {
    private let run: SmallRun

    init() throws { run = try SmallRun() }

    deinit {
        do { try run.suite.remove() } catch { Issue.record(error) }
    }

    /// Starts `mtdnn bench` on the suite's run file.
    private func start(_ arguments: [String]) throws -> RunningProgram {
        try RunningProgram([productPath("mtdnn"), "bench", run.suite.runFile] + arguments, name: "mtdnn bench")
    }

    /// Runs it to its end.
    private func bench(_ arguments: String...) throws -> JobResult { try start(arguments).wait(timeout: 100) }

    /// Every file and folder below the suite's own.
    private func files() throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: run.suite.folder).sorted()
    }

    @Test func `The report is one line of JSON and nothing is written but token files`() throws {
        let before = try files()
        let result = try bench("--ranks", "2", "--steps", "5", "--json")
        try #require(result.status == 0, "\(result.error)")
        let after = try files().filter { !before.contains($0) }
        #expect(after.count > 1 && after.allSatisfy { $0.hasPrefix("prepared") }, "\(after)")

        let report = try #require(
            try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any], "\(result.output)")
        #expect(report["ranks"] as? Int == 2 && report["reproducible"] as? String == "across_rank_counts")
        #expect((report["memory"] as? [[String: Any]])?.count == 2)
        let phases = try #require(report["phases"] as? [String: Double])
        #expect(phases.keys.contains("forward") && abs(phases.values.reduce(0, +) - 1) < 1e-6)
        let steps = try #require(report["steps"] as? [[String: Any]])
        #expect(steps.count == 5)
        // Rates are those of the steps in the report.
        let seconds = steps.compactMap { $0["seconds"] as? Double }
        let rate = { (key: String) in Double(steps.reduce(0) { $0 + ($1[key] as? Int ?? 0) }) / seconds.reduce(0, +) }
        for (key, name) in [("tokens", "tokens_per_second"), ("operations", "useful_flops")] {
            let found = try #require(report[name] as? Double)
            #expect(abs(found / rate(key) - 1) < 1e-9, "\(name)")
        }
        #expect(report["median_step_seconds"] as? Double == seconds.sorted()[2])
        let exchange = try #require(report["exchange"] as? [String: Double])
        // Two layers of 4·32² + 2·32·64 weights are the least that travels, 4 bytes each.
        let bytes = try #require(exchange["bytes"])
        #expect(bytes > 65_536)
    }

    @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/full"), "needs /dev/full"))
    func `Figures that find no room are an error`() throws {
        let command = "'\(productPath("mtdnn"))' bench '\(run.suite.runFile)' --steps 2 >/dev/full"
        let result = try runAlone(executable: "/bin/sh", arguments: ["-c", command])
        #expect(result.status == 1, "\(result.error)")
        #expect(result.error.hasSuffix("Error: standard output: cannot be written: No space left on device\n"))
    }

    @Test func `The batches are those of training and do not depend on ranks`() throws {
        func rows(_ ranks: String) throws -> [[String: Any]] {
            let result = try bench("--ranks", ranks, "--steps", "4", "--json")
            try #require(result.status == 0, "\(result.error)")
            let report = try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any]
            return try #require(report?["steps"] as? [[String: Any]])
        }
        let (one, three) = (try rows("1"), try rows("3"))
        for (a, b) in zip(one, three) {
            for key in ["rows", "tokens", "sequences", "operations", "task"] {
                #expect("\(try #require(a[key]))" == "\(try #require(b[key]))")
            }
        }
        let tasks = try run.finish(ranks: 1).entries(with: "loss").prefix(4).compactMap { $0["task"] as? String }
        #expect(one.compactMap { $0["task"] as? String } == tasks)
    }

    @Test func `The report for people names the layout, and makes no run folder`() throws {
        let folder = run.newFolder()
        let result = try bench("--steps", "3", "--set", "folder=\(folder)")
        try #require(result.status == 0, "\(result.error)")
        #expect(!FileManager.default.fileExists(atPath: folder))
        #expect(
            result.output.hasPrefix("3 steps on 1 rank x 1 thread, across_rank_counts: median "), "\(result.output)")
        #expect(result.output.contains(" tokens/s (no padding)") && result.output.contains("phases: sample "))
    }

    @Test func `More steps than the run has are refused in one sentence`() throws {
        let result = try bench("--steps", "\(SmallSuite.stepCount + 1)")
        #expect(result.status == 78 && result.output.isEmpty)
        let sentence =
            "mtdnn-worker: \(SmallSuite.stepCount + 1) steps are asked for, and the run has \(SmallSuite.stepCount); "
            + "ask for fewer, or raise `epochs`\n"
        #expect(result.error.hasSuffix(sentence), "mpirun adds nothing: \(result.error)")
    }

    @Test func `A stop ends it with a sentence and the code for stopped`() throws {
        let program = try start(["--ranks", "2", "--steps", "20000", "--set", "epochs=2000"])
        try wait(for: "token files") { try files().contains { $0.hasPrefix("prepared/") } }
        kill(program.processIdentifier, SIGINT)
        let result = try program.wait(timeout: 100)
        #expect(result.status == 75 && result.output.isEmpty)
        // It may come in a step or before the first.
        let sentence = try #require(
            result.error.split(separator: "\n").last { !$0.hasPrefix("mpirun: Forwarding signal") })
        #expect(
            sentence.hasPrefix("mtdnn-worker: ") && sentence.contains("asked"), "mpirun adds nothing: \(result.error)")
    }
}
