import Foundation
import TestSupport
import Testing

@testable import Training

/// Adversarial regularisation in real jobs.
@Suite(.serialized) final class PerturbationTests {
    private let run: SmallRun
    private static let settings = ["smart={steps: 2, step_size: 1, noise: 0.1, radius: 0.5}"]

    init() throws { run = try SmallRun() }

    deinit {
        do { try run.suite.remove() } catch { Issue.record(error) }
    }

    @Test func `Perturbed runs are the same on any number of ranks and threads, and after a kill`() throws {
        let (alone, folder, _) = try run.expectSameOutcome(
            Self.settings, on: [(3, 2)], killedOn: 2, goneOnWith: 5)
        #expect(try run.finish(ranks: 1) != alone)
        let inParts = Self.settings + ["recompute=true", "gradient_accumulation=3"]
        #expect(try run.finish(ranks: 2, inParts) == alone)
        let other = try run.start(ranks: 1, ["folder=\(folder)", "smart={steps: 1}"])
        #expect(other.status != 0 && other.error.contains("smart.steps: 2 -> 1"), "\(other.error)")
    }

    @Test(arguments: [
        ("smart={alhpa: 1}", "unknown key \"alhpa\" in smart; did you mean \"alpha\"?"),
        ("smart={norm: l3}", "smart.norm must be one of inf, l2, l1"),
        ("smart={steps: 0}", "smart.steps must be "),
    ])
    func `Wrong settings are refused with their cure`(setting: String, sentence: String) throws {
        let result = try run.start(ranks: 1, [setting])
        #expect(result.status == 78 && result.error.contains(sentence), "\(result.error)")
    }

    @Test(arguments: ["learning_rate=1.0e+30", "smart={noise: 1.0e+30}"])
    func `Scores that are not finite end the run with its own sentence`(setting: String) throws {
        let result = try run.start(ranks: 2, ["smart={}", "warmup=0", "gradient_clip=0", setting])
        #expect(result.status == 65, "\(result.error)")
        #expect(result.error.contains("no update was made; examples "))
    }

    @Test func `Tasks whose scores cannot be compared are refused by name`() throws {
        let path = "\(run.suite.folder)/tasks.yml"
        let tasks = try String(contentsOfFile: path, encoding: .utf8)
        try tasks.replacingOccurrences(of: "score: {", with: "score: {adv_loss: SymKlCriterion, ").write(
            toFile: path, atomically: true, encoding: .utf8)
        let result = try run.start(ranks: 1, ["smart={}"])
        #expect(
            result.status == 78
                && result.error.contains("`adv_loss` of task score is SymKlCriterion, which does not compare"),
            "\(result.error)")
    }
}
