import Foundation
import Storage
import Testing

@testable import Training

/// Which jobs are started again, and what is removed behind them.
struct RestartTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("jobs-\(UUID().uuidString)").path

    /// Decisions on jobs that died after these steps.
    private func decide(_ steps: [Int], code: Int32 = 137, hasBegun: [Bool]? = nil, limit: Int = 3) throws
        -> [Restarts.Decision]
    {
        try createFolder(folder)
        var settings = RunSettings(
            encoder: .folder("encoder"), tasks: "tasks.yml", data: "data", train: [], folder: folder)
        settings.maximumRestarts = limit
        var restarts = Restarts(settings)
        return try steps.enumerated().map { index, step in
            let lines = (0..<step).map { #"{"step":\#($0 + 1),"loss":1}"# + "\n" }.joined() + #"{"st"#
            try lines.write(toFile: "\(folder)/metrics.jsonl", atomically: true, encoding: .utf8)
            return try restarts.decide(code, hasBegun: hasBegun?[index] ?? true)
        }
    }

    private func isRestart(_ decision: Restarts.Decision) -> Bool {
        if case .restart = decision { true } else { false }
    }

    @Test func `Restarts go on as long as they get further, up to the limit`() throws {
        let decisions = try decide([3000, 3010, 3020, 3030])
        #expect(decisions.map(isRestart) == [true, true, true, false])
        #expect(
            decisions[1]
                == .restart(
                    "the job died after step 3010 (exit code 137); restart 2 of 3, from the newest whole checkpoint"))
        #expect(try decide([1], limit: 0).map(isRestart) == [false])
    }

    @Test func `Two restarts that die at the same step are the last`() throws {
        #expect(try decide([5, 5, 5], limit: 9).map(isRestart) == [true, true, false])
        #expect(try decide([5, 9, 9], limit: 9).map(isRestart) == [true, true, false])
        #expect(try decide([5, 5, 9, 5], limit: 9).map(isRestart) == [true, true, true, true])
    }

    @Test func `A first job whose ranks never met is the last`() throws {
        let sentence = "no rank began to train (exit code 1); the reason stands above"
        #expect(
            try decide([0, 0], code: 1, hasBegun: [false, true]) == [.end(1, sentence), try decide([0], code: 1)[0]])
        #expect(try decide([3, 5], code: 1, hasBegun: [true, false]).map(isRestart) == [true, true])
    }

    @Test func `What a restart cannot cure is left alone`() throws {
        for code in [0, 75] as [Int32] { #expect(try decide([1], code: code) == [.end(code, nil)]) }
        for code in [64, 65, 73, 78] as [Int32] {
            let decision = try decide([1], code: code)
            #expect(decision == [.end(code, "the job ended with code \(code); the reason stands above")])
        }
    }

    @Test func `Only the job's own files in shared memory are removed`() throws {
        let (temporary, memory) = ("\(folder)/job", "\(folder)/memory")
        try createFolder("\(temporary)/ompi.host.0/pid.77")
        try createFolder(memory)
        // 0x2ded0000 is mpirun's own number, 0x2ded0001 that of the job it started.
        try "770506752.0;tcp://10.0.0.1:46587".write(
            toFile: "\(temporary)/mpirun.uri", atomically: true, encoding: .utf8)
        let own = [
            "vader_segment.node.a.org.0.2ded0001.0", "vader_segment.node.a.org.0.2ded0001.11",
            "osc_sm.node.2ded0001.3.0",
        ]
        let others = [
            "vader_segment.node.a.org.0.2dee0001.0", "osc_sm.node.1ded0001.3.0", "sem.2ded0001.0.0.0", "2ded0001",
        ]
        for name in own + others { try Data([1]).write(to: URL(fileURLWithPath: "\(memory)/\(name)")) }
        try JobTemporaries(path: temporary, sharedMemory: memory).remove()
        #expect(try FileManager.default.contentsOfDirectory(atPath: memory).sorted() == others.sorted())
        #expect(!FileManager.default.fileExists(atPath: temporary))
        // A job that was killed before it had made anything.
        try JobTemporaries(path: temporary, sharedMemory: memory).remove()
        try FileManager.default.removeItem(atPath: folder)
    }
}
