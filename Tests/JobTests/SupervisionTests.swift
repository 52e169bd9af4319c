import Foundation
import TestSupport
import Testing

/// `mtdnn train` keeps a job going, ends it when asked to, and leaves nothing behind.
@Suite(.serialized) final class SupervisionTests {
    private let job: SupervisedRun

    init() throws { job = try SupervisedRun() }

    deinit {
        do { try job.remove() } catch { Issue.record(error) }
    }

    /// The lines of `mtdnn` itself, but for the one on machines with fewer cores than ranks.
    private func lines(_ result: JobResult) -> [String] {
        result.error.split(separator: "\n").map(String.init)
            .filter { $0.hasPrefix("mtdnn: ") && !$0.contains(" share ") }
    }

    private func sharedMemory(_ mark: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "/dev/shm").filter { $0.contains(mark) }
    }

    @Test func `A job whose rank was killed is started again and ends with the same bits, and nothing is left behind`()
        throws
    {
        let running = try job.start(ranks: 3)
        try job.waitForCheckpoint(ofStep: 8)
        let mark = try job.sharedMemoryMark()
        #expect(try !sharedMemory(mark).isEmpty)
        kill(try #require(try job.processes("mtdnn-worker").last), SIGKILL)
        let result = try running.wait(timeout: 300)
        try #require(result.status == 0, "\(result.error)")
        let said = lines(result)
        try #require(said.count == 2, "\(said)")
        #expect(
            said[0].wholeMatch(of: /mtdnn: rank 2 on \S+: step \d+, \S+: ended by signal 9 \(Killed\), which .*/)
                != nil)
        #expect(said[1].hasPrefix("mtdnn: the job died after step "))
        #expect(said[1].hasSuffix(" (exit code 137); restart 1 of 3, from the newest whole checkpoint"))
        #expect(result.output.contains("goes on from the checkpoint of step "))
        #expect(try job.run.outcome(of: job.folder) == job.quiet())
        #expect(try job.leftovers() == [])
        #expect(try sharedMemory(mark) == [])
    }

    @Test func `What a job leaves behind whose processes were all killed is removed by the next one on the folder`()
        throws
    {
        _ = try job.start(ranks: 2)
        try job.waitForCheckpoint(ofStep: 8)
        let mark = try job.sharedMemoryMark()
        try job.killAll()
        #expect(try job.leftovers().count == 1)
        #expect(try !sharedMemory(mark).isEmpty)
        let result = try job.start(ranks: 3).wait(timeout: 300)
        try #require(result.status == 0, "\(result.error)")
        #expect(try job.run.outcome(of: job.folder) == job.quiet())
        #expect(try job.leftovers() == [])
        #expect(try sharedMemory(mark) == [])
    }

    @Test func `A job that dies twice at the step where it died before is given up`() throws {
        let path = try pathWithMPIRun("\(ranksMeet); exit 9")
        let result = try job.start(ranks: 1, environment: ["PATH": path]).wait(timeout: 300)
        #expect(result.status == 70)
        let lines = lines(result)
        try #require(lines.count == 3, "\(result.error)")
        for number in 1...2 {
            #expect(
                lines[number - 1] == "mtdnn: the job died after step 0 (exit code 9); restart \(number) of 3, "
                    + "from the newest whole checkpoint")
        }
        #expect(lines[2].hasPrefix("mtdnn: the job died after step 0 (exit code 9), as the restart before: given up; "))
        #expect(try job.leftovers() == [])
    }

    @Test func `No more than max_restarts are made, and the setting may change on the way`() throws {
        // Each job gets one step further than the one before.
        let path = try pathWithMPIRun(
            """
            \(ranksMeet)
            steps=$(cat "\(job.folder)/metrics.jsonl" 2>/dev/null | wc -l)
            echo "{\\"step\\":$((steps + 1))}" >>"\(job.folder)/metrics.jsonl"
            exit 9
            """)
        let first = try job.start(ranks: 1, environment: ["PATH": path]).wait(timeout: 300)
        #expect(first.status == 70)
        #expect(lines(first).count == 4)
        #expect(
            lines(first).last?.contains("after step 4 (exit code 9); this was restart 3 of `max_restarts: 3`") == true)
        let second = try job.start(
            ranks: 1, SupervisedRun.settings + ["max_restarts=0"], environment: ["PATH": path]
        ).wait(timeout: 300)
        #expect(
            lines(second).count == 1 && lines(second)[0].contains("after step 5 (exit code 9); `max_restarts` is 0"))
        let third = try job.start(ranks: 2, SupervisedRun.settings).wait(timeout: 300)
        #expect(third.status == 0, "\(third.error)")
    }

    @Test func `Mistakes that a restart cannot cure end the job with a code of their own`() throws {
        let cases: [([String], Int32)] = [
            (["learning_rate=1.0e+30", "warmup=0", "gradient_clip=0", "dropout=0"], 65), (["data=nowhere"], 78),
            (["lerning_rate=1"], 78),
        ]
        for (overrides, code) in cases {
            let result = try job.start(ranks: 2, overrides).wait(timeout: 300)
            #expect(result.status == code, "\(result.error)")
            #expect(!result.error.contains("restart 1"))
            #expect(!isMPIHeard(result), "\(result.error)")
            try FileManager.default.removeItem(atPath: job.folder)
            try FileManager.default.createDirectory(atPath: job.folder, withIntermediateDirectories: true)
        }
    }

    @Test(arguments: [SIGINT, SIGTERM, SIGUSR1, SIGHUP])
    func `A signal to the process group makes all ranks write the same checkpoint and end with code 75`(signal: Int32)
        throws
    {
        let running = try job.start(ranks: 2)
        try job.waitForCheckpoint(ofStep: 8)
        // As a terminal does it on Ctrl-C.
        kill(-running.processIdentifier, signal)
        let result = try running.wait(timeout: 300)
        #expect(result.status == 75, "\(result.error)")
        #expect(lines(result).count == 1)
        #expect(result.output.contains("as asked; the same command goes on from there"))
        #expect(!isMPIHeard(result), "\(result.error)")
        #expect(try job.leftovers() == [])
        #expect(try !FileManager.default.contentsOfDirectory(atPath: job.folder).contains { $0.hasPrefix(".outcome") })
        let resumed = try job.start(ranks: 1).wait(timeout: 300)
        #expect(resumed.status == 0, "\(resumed.error)")
        #expect(try job.run.outcome(of: job.folder) == job.quiet())
    }

    @Test(arguments: [SIGINT, SIGTERM])
    func `A signal to every process of the job, as batch systems send it, stops it with a checkpoint`(signal: Int32)
        throws
    {
        let running = try job.start(ranks: 2, SupervisedRun.endless)
        try job.waitForCheckpoint(ofStep: 8)
        // The ranks last, so that mpirun would have the time to kill them.
        for process in try ["mtdnn train", "mpirun", "mtdnn-worker"].flatMap(job.processes) { kill(process, signal) }
        let result = try running.wait(timeout: 300)
        #expect(result.status == 75, "\(result.error)")
        #expect(lines(result).count == 1)
        #expect(result.output.contains("as asked; the same command goes on from there"))
        #expect(!isMPIHeard(result), "\(result.error)")
    }

    @Test func `Daemons on other hosts are started by the worker, deaf to what mpirun is deaf to`() throws {
        let path = try pathWithMPIRun("echo $OMPI_MCA_orte_launch_agent")
        let result = try job.start(ranks: 2, environment: ["PATH": path]).wait(timeout: 300)
        let agent = try #require(result.output.split(separator: "\n").first { $0.hasSuffix(" --deaf orted") })
        let deaf = agent.split(separator: " ").dropLast().map(String.init)
        let status = try RunningProgram(deaf + ["grep", "SigBlk", "/proc/self/status"]).wait(timeout: 300)
        // SIGINT and SIGTERM, besides what the test runner blocks.
        let blocked = try #require(UInt64(status.output.dropFirst("SigBlk:\t".count).prefix(16), radix: 16))
        #expect(blocked & 0x4002 == 0x4002, "\(status.output)")
        let missing = try RunningProgram(deaf + ["nowhere"]).wait(timeout: 300)
        #expect(missing.status == 127)
        #expect(missing.error == "mtdnn-worker: nowhere: No such file or directory\n")
    }

    @Test func `A job whose ranks never met is not started again`() throws {
        let path = try pathWithMPIRun("echo there is no such host >&2; exit 213")
        let result = try job.start(ranks: 2, environment: ["PATH": path]).wait(timeout: 300)
        #expect(result.status == 213)
        #expect(
            result.error
                == "there is no such host\nmtdnn: no rank began to train (exit code 213); the reason stands above\n")
        #expect(try job.leftovers() == [])
    }

    @Test func `Signals that come together, as timeout sends them, are one wish`() throws {
        let running = try job.start(ranks: 2, SupervisedRun.endless)
        try job.waitForCheckpoint(ofStep: 8)
        for _ in 0..<20 { kill(running.processIdentifier, SIGTERM) }
        let result = try running.wait(timeout: 300)
        #expect(result.status == 75, "\(result.error)")
        #expect(result.output.contains("stopped after step"), "\(result.output)\(result.error)")
        #expect(!result.error.contains("the job was ended"), "\(result.error)")
    }

    @Test func `A second signal ends the job at once`() throws {
        let running = try job.start(ranks: 2, SupervisedRun.endless)
        try job.waitForCheckpoint(ofStep: 8)
        // The step at hand can never end.
        kill(try #require(try job.processes("mtdnn-worker").last), SIGSTOP)
        kill(running.processIdentifier, SIGTERM)
        try wait(for: "the first to be heard") {
            try String(contentsOfFile: "\(job.folder)/lock", encoding: .utf8).contains("\"isStopping\":true")
        }
        // `timeout` sends two at once, which are one wish; so the second is sent until it counts.
        try wait(for: "the end of the job") {
            kill(running.processIdentifier, SIGTERM)
            return try job.processes("mtdnn train").isEmpty
        }
        let result = try running.wait(timeout: 300)
        #expect(result.status == 75, "\(result.error)")
        #expect(lines(result).last?.contains("the job was ended with code") == true, "\(result.error)")
        #expect(try job.processes("mtdnn-worker") == [])
    }

    @Test func `A rank that is asked to stop while the job begins ends it in order`() throws {
        let running = try job.start(ranks: 2)
        try wait(for: "a rank's record") { FileManager.default.fileExists(atPath: "\(job.folder)/ranks/rank-001") }
        kill(try #require(try job.processes("mtdnn-worker").last), SIGTERM)
        let result = try running.wait(timeout: 300)
        #expect(result.status == 75, "\(result.error)")
        #expect(lines(result) == [])
        #expect(!isMPIHeard(result), "\(result.error)")
        let resumed = try job.start(ranks: 1).wait(timeout: 300)
        #expect(resumed.status == 0, "\(resumed.error)")
        #expect(try job.run.outcome(of: job.folder) == job.quiet())
    }

    @Test func `A job whose mpirun was suspended hears that it is to stop`() throws {
        let running = try job.start(ranks: 2, SupervisedRun.endless)
        try job.waitForCheckpoint(ofStep: 8)
        kill(try #require(try job.processes("mpirun").first), SIGSTOP)
        kill(running.processIdentifier, SIGINT)
        let result = try running.wait(timeout: 300)
        #expect(result.status == 75, "\(result.error)")
    }

    /// Whether MPI has added paragraphs of its own.
    private func isMPIHeard(_ result: JobResult) -> Bool {
        result.error.contains("MPI_ABORT") || result.error.contains("Primary job")
    }

    /// What the first rank of a job leaves when all are there.
    private var ranksMeet: String { "for file in '\(job.folder)'/.outcome-*; do echo running >\"$file\"; done" }

    /// A `PATH` on which mpirun is a shell script.
    private func pathWithMPIRun(_ script: String) throws -> String {
        let folder = "\(job.run.suite.folder)/programs-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try "#!/bin/sh\n\(script)\n".write(toFile: "\(folder)/mpirun", atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: "\(folder)/mpirun")
        return "\(folder):" + (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin")
    }
}
