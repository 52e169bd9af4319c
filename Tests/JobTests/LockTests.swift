import Foundation
import TestSupport
import Testing

/// Two jobs never write into the same run folder, and a dead one never needs help to make room.
@Suite(.serialized) final class LockTests {
    private let job: SupervisedRun

    init() throws { job = try SupervisedRun() }

    deinit {
        do { try job.remove() } catch { Issue.record(error) }
    }

    private func holder() throws -> [String: Any] {
        let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(job.folder)/lock"))
        return try #require(try JSONSerialization.jsonObject(with: bytes) as? [String: Any])
    }

    /// The worker without `mtdnn`.
    private func startBare(ranks: Int) throws -> RunningProgram {
        try RunningProgram(
            [
                "mpirun", "--oversubscribe", "--bind-to", "none", "-n", "\(ranks)", productPath("mtdnn-worker"),
                job.run.suite.runFile,
            ]
                + (SupervisedRun.settings + ["folder=\(job.folder)"]).flatMap { ["--set", $0] })
    }

    @Test(arguments: [false, true])
    func `A second job is refused and the holder named, whoever started the first`(isBare: Bool) throws {
        let first = try isBare ? startBare(ranks: 2) : job.start(ranks: 2)
        try job.waitForCheckpoint(ofStep: 8)
        // The job shall not end meanwhile.
        let ranks = try job.processes("mtdnn-worker")
        if isBare { #expect(ranks.contains(Int32(try #require(try holder()["pid"] as? Int)))) }
        for rank in ranks { kill(rank, SIGSTOP) }
        defer { for rank in ranks { kill(rank, SIGCONT) } }
        let second = try job.start(ranks: 1).wait(timeout: 300)
        let third = try startBare(ranks: 2).wait(timeout: 300)
        for rank in ranks { kill(rank, SIGCONT) }
        for result in [second, third] {
            #expect(result.status == 73, "\(result.error)")
            let holder = isBare ? ranks : [first.processIdentifier]
            #expect(
                holder.contains {
                    result.error.contains("is in use by a job on ") && result.error.contains("(process \($0), since ")
                })
        }
        let result = try first.wait(timeout: 300)
        #expect(result.status == 0, "\(result.error)")
        #expect(try job.run.outcome(of: job.folder) == job.quiet())
    }

    @Test func `Where mtdnn was killed, its job writes a checkpoint and ends, and the next one waits for that`() throws
    {
        let first = try job.start(ranks: 2)
        try job.waitForCheckpoint(ofStep: 8)
        // A rank that cannot go on for a while keeps the job alive.
        let rank = try #require(try job.processes("mtdnn-worker").first)
        kill(rank, SIGSTOP)
        kill(first.processIdentifier, SIGKILL)
        let log = try Data(contentsOf: URL(fileURLWithPath: "\(job.folder)/metrics.jsonl"))
        let second = try job.start(ranks: 3)
        Thread.sleep(forTimeInterval: 2)
        #expect(second.isRunning)
        #expect(try job.processes("mtdnn-worker").count == 2)
        #expect(try Data(contentsOf: URL(fileURLWithPath: "\(job.folder)/metrics.jsonl")).starts(with: log))
        kill(rank, SIGCONT)
        let result = try second.wait(timeout: 300)
        #expect(result.status == 0, "\(result.error)")
        #expect(result.error.contains("ranks of an earlier job are about to end; waiting for them"))
        #expect(result.output.contains("goes on from the checkpoint of step "))
        #expect(try job.run.outcome(of: job.folder) == job.quiet())
        #expect(try job.leftovers() == [])
    }

    @Test func `A job that was asked to stop is waited for`() throws {
        let first = try job.start(ranks: 2)
        try job.waitForCheckpoint(ofStep: 8)
        let ranks = try job.processes("mtdnn-worker")
        for rank in ranks { kill(rank, SIGSTOP) }
        kill(first.processIdentifier, SIGTERM)
        try wait(for: "word of it in the lock") { try holder()["isStopping"] as? Bool == true }
        let second = try job.start(ranks: 1)
        // Longer than a job that says nothing of its end is waited for.
        Thread.sleep(forTimeInterval: 4)
        #expect(second.isRunning)
        for rank in ranks { kill(rank, SIGCONT) }
        #expect(try first.wait(timeout: 300).status == 75)
        let result = try second.wait(timeout: 300)
        #expect(result.status == 0, "\(result.error)")
        #expect(result.error.contains("(process \(first.processIdentifier), since "))
        #expect(result.error.contains("which is about to end; waiting for it"))
        #expect(try job.run.outcome(of: job.folder) == job.quiet())
    }

    @Test(arguments: [false, true])
    func `A job whose folder was removed and begun anew by another one ends, and leaves that one alone`(isBare: Bool)
        throws
    {
        let long = ["epochs=2000", "checkpoint_steps=8"]
        let first =
            try isBare
            ? RunningProgram(
                [
                    "mpirun", "--oversubscribe", "--bind-to", "none", "-n", "2", productPath("mtdnn-worker"),
                    job.run.suite.runFile,
                ]
                    + (long + ["folder=\(job.folder)"]).flatMap { ["--set", $0] })
            : job.start(ranks: 2, long)
        try job.waitForCheckpoint(ofStep: 8)
        // So that it makes nothing anew between the two.
        let ranks = try job.processes("mtdnn-worker")
        for rank in ranks { kill(rank, SIGSTOP) }
        try FileManager.default.removeItem(atPath: job.folder)
        let second = try job.start(ranks: 1)
        try job.waitForCheckpoint(ofStep: 16)
        for rank in ranks { kill(rank, SIGCONT) }
        let result = try first.wait(timeout: 120)
        #expect(result.status == 78, "\(result.error)")
        #expect(
            result.error.contains(
                "\(job.folder) was removed while this job trained in it, and another job has begun there"))
        #expect(try second.wait(timeout: 300).status == 0)
        #expect(try job.run.outcome(of: job.folder) == job.quiet())
    }
}
