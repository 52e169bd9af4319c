import Foundation
import TestSupport
import Testing
import Training

/// A job in which a rank stops, hangs or dies ends, with one line that names the rank that is to blame, and can be gone on with.
@Suite(.serialized) final class LivenessTests {
    private let run: SmallRun

    init() throws { run = try SmallRun() }

    deinit {
        do { try run.suite.remove() } catch { Issue.record(error) }
    }

    /// Runs a job in which `rank` does what `how` says before its sixth step.
    private func job(ranks: Int, bad rank: Int, _ how: String, timeout: Int = 3) throws -> JobResult {
        let folder = run.newFolder()
        return try runJob(
            ranks: ranks, executable: "TrainingSelfTest",
            arguments: [
                "stall", "\(rank)", how, "\(folder).mark", run.suite.runFile, "folder=\(folder)",
                "stall_timeout=\(timeout)",
            ], timeout: 120)
    }

    private func lines(_ result: JobResult) -> [String] {
        result.error.split(separator: "\n").map(String.init).filter { $0.contains("mtdnn-worker: ") }
    }

    @Test(arguments: [
        (2, 1, "STOP in compute", "step 6, forward: its process shows no life"),
        (3, 0, "STOP in compute", "step 6, forward: its process shows no life"),
        (2, 0, "STOP in a collective", "step 6, gather: its process shows no life"),
        (3, 1, "STOP in a collective", "step 6, gather: its process shows no life"),
        (2, 1, "asleep", "step 5, log: it does not get on, and the other ranks wait for it"),
        (1, 0, "asleep", "step 5, log: it does not get on;"),
    ])
    func `A rank that stalls ends the job, and it is named, not those that wait`(
        ranks: Int, bad: Int, how: String, reason: String
    ) throws {
        let result = try job(ranks: ranks, bad: bad, how)
        #expect(result.status == 76)
        let lines = lines(result)
        try #require(lines.count == 1, "\(result.error)")
        #expect(lines[0].hasPrefix("mtdnn-worker: rank \(bad) on "), "\(lines[0])")
        #expect(lines[0].contains(": \(reason)"), "\(lines[0])")
        #expect(lines[0].contains("no progress for 3 s (`stall_timeout`)"))
        #expect(result.seconds >= 3)
    }

    @Test func `A slow rank is waited for, however long the run takes`() throws {
        let result = try job(ranks: 3, bad: 1, "slow")
        #expect(result.status == 0, "\(result.error)")
        // Much longer than the timeout, but never without progress for so long.
        #expect(result.seconds > 8)
        #expect(lines(result) == [])
    }

    @Test func `An error of one rank names its step and phase`() throws {
        _ = try run.finish(ranks: 2)  // prepares the data
        let worker = [productPath("mtdnn-worker"), run.suite.runFile, "--set", "folder=\(run.newFolder())"]
        // The log of the first rank outgrows what its process may write.
        let script = "if [ $OMPI_COMM_WORLD_RANK = 0 ]; then trap '' XFSZ; ulimit -f 4; fi; exec \"$@\""
        let result = try runJob(ranks: 2, executable: "/bin/sh", arguments: ["-c", script, "sh"] + worker)
        #expect(result.status != 0)
        let lines = lines(result)
        try #require(lines.count == 1, "\(result.error)")
        #expect(lines[0].hasPrefix("mtdnn-worker: rank 0 on ") && lines[0].contains(": step "), "\(lines[0])")
        #expect(lines[0].contains(", log: ") && lines[0].contains("metrics.jsonl: cannot be written"), "\(lines[0])")
    }

    @Test(arguments: ["KILL in compute", "KILL in a collective"])
    func `A rank that dies ends the job at once, and mpirun names it`(how: String) throws {
        let result = try job(ranks: 3, bad: 2, how, timeout: 1000)
        #expect(result.status == 128 + SIGKILL)
        #expect(result.error.contains("rank 2 with PID") && result.error.contains("signal 9"), "\(result.error)")
    }
}
