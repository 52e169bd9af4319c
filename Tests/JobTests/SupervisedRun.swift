import Foundation
import TestSupport
import Testing

/// A run of the small suite by `mtdnn train`, long enough to be interfered with, whose temporary files go to a folder of their own.
struct SupervisedRun {
    let run: SmallRun
    let folder: String
    let temporary: String
    static let settings = ["epochs=8", "checkpoint_steps=8"]
    /// A run that goes on for minutes, to be stopped.
    static let endless = ["epochs=2000", "checkpoint_steps=8"]

    init() throws {
        run = try SmallRun()
        folder = run.newFolder()
        // Open MPI makes paths of its own beneath, and some systems allow a hundred letters for them.
        temporary = "/tmp/supervised-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: temporary, withIntermediateDirectories: true)
    }

    func remove() throws {
        try FileManager.default.removeItem(atPath: temporary)
        try run.suite.remove()
    }

    /// Starts `mtdnn train`.
    func start(
        ranks: Int, _ overrides: [String] = settings, environment: [String: String] = [:]
    ) throws -> RunningProgram {
        try RunningProgram(
            [productPath("mtdnn"), "train", run.suite.runFile, "--ranks", "\(ranks)", "--folder", folder]
                + overrides.flatMap { ["--set", $0] },
            environment: ["TMPDIR": temporary].merging(environment) { $1 })
    }

    /// What a run that nobody disturbs leaves behind.
    func quiet() throws -> SmallRun.Outcome {
        let result = try run.start(ranks: 1, Self.settings + ["folder=\(folder)-quiet"], timeout: 300)
        try #require(result.status == 0, "\(result.error)")
        return try run.outcome(of: "\(folder)-quiet")
    }

    /// Waits until the checkpoint of a step, or a later one, is there.
    func waitForCheckpoint(ofStep step: Int) throws {
        try wait(for: "a checkpoint of step \(step)") {
            let path = "\(folder)/checkpoints"
            guard FileManager.default.fileExists(atPath: path) else { return false }
            return try FileManager.default.contentsOfDirectory(atPath: path)
                .contains { Int($0.dropFirst("step-".count)).map { $0 >= step } ?? false }
        }
    }

    /// The processes whose command line begins with this package's `program` and names the run folder.
    func processes(_ program: String) throws -> [Int32] {
        let result = try RunningProgram(["pgrep", "-f", "^[^ ]*\(program) .*\(folder)( |$)"]).wait(timeout: 10)
        return result.output.split(separator: "\n").compactMap { Int32($0) }
    }

    /// Kills the ranks, mpirun and `mtdnn` of the job at once.
    func killAll() throws {
        for process in try ["mtdnn train", "mpirun", "mtdnn-worker"].flatMap(processes) { kill(process, SIGKILL) }
        try wait(for: "the end of all ranks") { try processes("mtdnn-worker").isEmpty }
    }

    /// What the names of the running job's files in shared memory have in common.
    func sharedMemoryMark() throws -> String {
        let folder = try #require(try leftovers().first)
        let address = try String(contentsOfFile: "\(temporary)/\(folder)/mpirun.uri", encoding: .utf8)
        return String(format: ".%x0001.", try #require(UInt32(address.prefix { $0.isNumber })) >> 16)
    }

    /// What is left in the temporary directory.
    func leftovers() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: temporary) }
}

/// Waits for something that other processes bring about.
func wait(for what: String, _ condition: () throws -> Bool) throws {
    for _ in 0..<6000 {
        if try condition() { return }
        Thread.sleep(forTimeInterval: 0.02)
    }
    throw JobError(description: "\(what) did not come about in two minutes")
}
