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

    private func lines(_ result: JobResult, of program: String = "mtdnn-worker") -> [String] {
        result.error.split(separator: "\n").map(String.init).filter { $0.contains("\(program): ") }
    }

    @Test(arguments: [
        (2, 1, "STOP in compute", "step 6, forward: its process shows no life"),
        (3, 0, "STOP in compute", "step 6, forward: its process shows no life"),
        (2, 0, "STOP in a collective", "step 6, exchange: its process shows no life"),
        (3, 1, "STOP in a collective", "step 6, exchange: its process shows no life"),
        (2, 1, "asleep", "step 5, log: it does not get on, and the other ranks wait for it"),
        (1, 0, "asleep", "step 5, log: it does not get on;"),
        // Whose fault it is cannot be known then, but the job ends.
        (2, 0, "asleep, and the disk hangs", "step 5, log: it does not get on, and the disk of "),
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
        let result = try job(ranks: 3, bad: 2, "throws", timeout: 1000)
        #expect(result.status == 7)
        let lines = lines(result, of: "self-test")
        try #require(lines.count == 1, "\(result.error)")
        #expect(lines[0].hasPrefix("self-test: rank 2 on "), "\(lines[0])")
        #expect(lines[0].hasSuffix(": step 5, log: a rank of its own mind"), "\(lines[0])")
    }

    /// Starts the worker on all ranks; once there is a checkpoint of step 7, a shell does `action` with the ranks that `condition` holds for.
    private func interrupt(_ action: String, where condition: String, ranks: Int, folder: String, timeout: Int) throws
        -> JobResult
    {
        let script = """
            if \(condition); then
                (until [ -d "\(folder)/checkpoints/step-00000007" ]; do sleep 0.01; done; \(action)) >/dev/null 2>&1 &
            fi
            exec "$@"
            """
        let settings = ["folder=\(folder)", "stall_timeout=\(timeout)", "epochs=9", "checkpoint_steps=7"]
        return try runJob(
            ranks: ranks, executable: "/bin/sh",
            arguments: ["-c", script, "sh", productPath("mtdnn-worker"), run.suite.runFile]
                + settings.flatMap { ["--set", $0] }, timeout: 120)
    }

    @Test func `A job that stalled goes on from its checkpoint, with another timeout, to the same end`() throws {
        let folder = run.newFolder()
        let stalled = try interrupt(
            "kill -STOP $$", where: "[ $OMPI_COMM_WORLD_RANK = 1 ]", ranks: 3, folder: folder, timeout: 3)
        #expect(stalled.status == 76)
        let lines = lines(stalled)
        try #require(lines.count == 1, "\(stalled.error)")
        #expect(lines[0].hasPrefix("mtdnn-worker: rank 1 on ") && lines[0].contains("shows no life"), "\(lines[0])")
        // What was known of the ranks stays for a look.
        #expect(RankRecord.all(ofRun: folder).map(\.rank) == [0, 1, 2])
        let settings = ["epochs=9", "checkpoint_steps=7"]
        let resumed = try run.start(ranks: 2, settings + ["folder=\(folder)", "stall_timeout=100"])
        #expect(resumed.status == 0, "\(resumed.error)")
        #expect(!FileManager.default.fileExists(atPath: "\(folder)/ranks"))
        #expect(try run.outcome(of: folder) == run.finish(ranks: 1, settings[0], settings[1]))
    }

    @Test(arguments: [1, 2])
    func `A job that is suspended as a whole is not taken for one that stalls`(ranks: Int) throws {
        let result = try interrupt(
            "kill -STOP $$; sleep 6; kill -CONT $$", where: "true", ranks: ranks, folder: run.newFolder(), timeout: 3)
        #expect(result.status == 0, "\(result.error)")
        #expect(result.seconds > 6)
    }

    @Test func `A single rank that gets SIGTERM makes all stop with a checkpoint`() throws {
        let folder = run.newFolder()
        let result = try interrupt(
            "kill -TERM $$", where: "[ $OMPI_COMM_WORLD_RANK = 1 ]", ranks: 3, folder: folder, timeout: 300)
        #expect(result.status == 75, "\(result.error)")
        #expect(result.output.contains("as asked; the same command goes on from there"))
        let resumed = try run.start(ranks: 1, ["folder=\(folder)", "epochs=9", "checkpoint_steps=7"])
        #expect(resumed.output.contains("goes on from the checkpoint of step"), "\(resumed.error)")
    }

    @Test(arguments: ["KILL in compute", "KILL in a collective"])
    func `A rank that dies ends the job at once, and mpirun names it`(how: String) throws {
        let result = try job(ranks: 3, bad: 2, how, timeout: 1000)
        #expect(result.status == 128 + SIGKILL)
        #expect(result.error.contains("rank 2 with PID") && result.error.contains("signal 9"), "\(result.error)")
    }
}
