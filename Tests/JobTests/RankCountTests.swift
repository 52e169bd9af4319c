import Foundation
import TestSupport
import Testing

/// The same weights on any number of ranks and threads: 38 steps over all heads with dropout, clipping, uneven lengths, and last batches that leave
/// ranks without an example.
@Suite(.serialized) final class RankCountTests {
    private let run: SmallRun

    init() throws { run = try SmallRun() }

    deinit {
        do { try run.suite.remove() } catch { Issue.record(error) }
    }

    @Test(arguments: ["adamax", "adamw", "radam", "lamb", "sgd"])
    func `Every number of ranks ends with the same bits and writes the same log`(optimizer: String) throws {
        let rankCounts = optimizer == "adamax" ? [2, 3, 4, 5, 8] : [3]
        let settings = "optimizer=\(optimizer)"
        let alone = try run.finish(ranks: 1, settings)
        // The run is what this test needs it to be: all steps of all tasks, some of them clipped, and weights that change.
        let norms = try alone.numbers("gradient_norm")
        #expect(norms.count == SmallSuite.stepCount)
        #expect(norms.contains { $0 > 1.05 } && norms.contains { $0 < 0.95 })
        #expect(Set(try alone.entries(with: "loss").compactMap { $0["task"] as? String }).count == 4)
        #expect(try alone.entries(with: "metrics").count == 8)
        #expect(Set(try alone.numbers("loss")).count == SmallSuite.stepCount)
        for ranks in rankCounts {
            let shared = try run.finish(ranks: ranks, settings)
            for (line, expected) in zip(shared.lines, alone.lines) { #expect(line == expected, "\(ranks) ranks") }
            #expect(shared == alone)
        }
    }

    /// Every cell is a whole run, and one that is killed after a step of its own and goes on with other ranks and threads.
    @Test(arguments: [1, 2, 3, 4, 5, 8])
    func `Every number of ranks and threads ends with the same bits, also after a kill`(ranks: Int) throws {
        let alone = try run.finish(ranks: 1, "epochs=1")
        var random = TestRandom(seed: UInt64(ranks))
        for threads in 1...3 {
            let cell = "\(ranks) ranks, \(threads) threads"
            #expect(try run.finish(ranks: ranks, "epochs=1", "threads=\(threads)") == alone, "\(cell)")
            let folder = run.newFolder()
            let settings = ["epochs=1", "checkpoint_steps=2", "keep_last=9", "folder=\(folder)"]
            let step = 2 * Int.random(in: 1...8, using: &random)
            let killed = try run.interrupt(
                ranks: ranks, settings + ["threads=\(threads)"], signal: "KILL",
                at: "\(folder)/checkpoints/\(String(format: "step-%08d", step))")
            #expect(killed.status != 0, "\(cell)")
            let others = ["threads=\(threads % 3 + 1)"]
            let resumed = try run.start(ranks: ranks % 5 + 1, settings + others)
            #expect(resumed.status == 0 && resumed.output.contains("goes on from"), "\(cell): \(resumed.error)")
            #expect(try run.outcome(of: folder) == alone, "\(cell), killed after step \(step)")
        }
    }

    /// Wide enough that every kernel, the exchange and the optimizer are shared out among threads.
    @Test(arguments: ["adamax", "adamw"], [1, 3])
    func `A wider encoder ends with the same bits on several threads`(optimizer: String, ranks: Int) throws {
        let wide = [
            "epochs=1", "optimizer=\(optimizer)", "encoder.hidden_size=128", "encoder.intermediate_size=512",
            "encoder.num_hidden_layers=1",
        ]
        let alone = try run.finish(ranks: 1, wide)
        #expect(try run.finish(ranks: ranks, wide + ["threads=3"]) == alone)
        #expect(try run.finish(ranks: 3, wide) == alone)
    }

    @Test(arguments: [1, 3])
    func `Computing layers again gives the same bits`(ranks: Int) throws {
        #expect(try run.finish(ranks: ranks, "epochs=1", "recompute=true") == run.finish(ranks: 1, "epochs=1"))
    }

    @Test(arguments: [(ranks: 1, parts: 2), (1, 8), (2, 3), (3, 2)])
    func `Computing a share in parts gives the same bits`(ranks: Int, parts: Int) throws {
        let accumulated = try run.finish(ranks: ranks, "epochs=1", "gradient_accumulation=\(parts)")
        #expect(try accumulated == run.finish(ranks: 1, "epochs=1"))
        // The setting is heard: less room for activations, more for sums of gradients.
        func memory(_ settings: String...) throws -> Substring? {
            // Large batches, so that the two do not cancel out in whole megabytes.
            let result = try run.start(
                ranks: ranks, ["epochs=1", "batch_size=64", "folder=\(run.newFolder())"] + settings)
            return result.output.split(separator: "\n").first { $0.contains(" for values, gradients, ") }
        }
        let whole = try #require(try memory())
        #expect(try memory("gradient_accumulation=\(parts)") != whole)
    }

    @Test func `Ranks on several hosts that compute their shares in parts end with the same bits as one`() throws {
        let found = try run.weights(ranks: 3, ranksPerHost: 2, "gradient_accumulation=2")
        #expect(try found == run.weights(ranks: 1))
    }

    @Test func `More parts than slices are refused with the cure`() throws {
        let refused = try run.start(ranks: 3, ["gradient_accumulation=3", "folder=\(run.newFolder())"])
        #expect(refused.status == 78)
        #expect(
            refused.error.contains(
                "3 ranks with `gradient_accumulation` 3 share 8 slices of a batch; set `slices` to at least 9"),
            "\(refused.error)")
    }

    @Test func `Sums over weights and moments tell runs apart`() throws {
        let digest = try run.finish(ranks: 2, "epochs=1").digest
        #expect(digest.allSatisfy { $0.count == 64 })
        #expect(try run.finish(ranks: 2, "epochs=1").digest == digest)
        let others = [
            try run.finish(ranks: 2, "epochs=1", "seed=8").digest,
            try run.finish(ranks: 2, "epochs=1", "dropout=0.11").digest,
            try run.finish(ranks: 2, "epochs=1", "learning_rate=1.0001e-3").digest,
        ]
        for other in others { #expect(zip(other, digest).allSatisfy { $0 != $1 }) }
    }

    @Test(arguments: [(2, 1), (3, 2), (5, 2), (8, 3)])
    func `Ranks on several hosts end with the same bits as one`(ranks: Int, ranksPerHost: Int) throws {
        let found = try run.weights(ranks: ranks, ranksPerHost: ranksPerHost)
        #expect(try found == run.weights(ranks: 1))
    }

    @Test(arguments: [1, 2, 3])
    func `Sums per rank count differ by rounding only`(ranks: Int) throws {
        let settings = "optimizer=adamw"
        let expected = try run.weights(ranks: 1, settings).filter { !hasNoGradient($0.key) }
        let found = try run.weights(ranks: ranks, settings, "reproducible=per_rank_count")
            .filter { !hasNoGradient($0.key) }
        let distance = try largestDistance(found, expected)
        #expect(distance.value <= 1e-5, "\(distance)")
        // Fewer slices round otherwise: the setting is heard.
        #expect(found != expected)
    }
}
