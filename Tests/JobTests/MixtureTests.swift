import Foundation
import TestSupport
import Testing

@testable import Training

/// Mixtures of tasks and early stops in real jobs: the same on any number of ranks, and after a kill.
@Suite(.serialized) final class MixtureTests {
    private let run: SmallRun

    init() throws { run = try SmallRun() }

    deinit {
        do { try run.suite.remove() } catch { Issue.record(error) }
    }

    @Test(arguments: [
        ["sampler={kind: uniform}"], ["sampler={kind: temperature, temperature: 3, cap: 20}"],
        ["sampler={kind: annealed}", "epochs=3"], ["sampler={kind: main, main: pair, ratio: 0.5, last: pair}"],
    ])
    func `Any mixture gives the same bits on any number of ranks and after a kill`(settings: [String]) throws {
        let (outcome, _, _) = try run.expectSameOutcome(settings, on: [(3, 1)], killedOn: 2, goneOnWith: 5)
        #expect(outcome != (try run.finish(ranks: 1)))
    }

    @Test func `A fraction of a task's rows is the same on any number of ranks and after a kill`() throws {
        let path = "\(run.suite.folder)/tasks.yml"
        let whole = try String(contentsOfFile: path, encoding: .utf8)
        let part = whole.replacingOccurrences(of: "single: {", with: "single: {train_fraction: 0.4, ")
        #expect(part != whole)
        try part.write(toFile: path, atomically: true, encoding: .utf8)
        let (outcome, _, resumed) = try run.expectSameOutcome([], on: [(3, 1)], killedOn: 2, goneOnWith: 5)
        #expect(resumed.output.contains("single is trained on 16 of its 40 examples, as the seed draws them\n"))
        // Two epochs of 3 + 5 + 5 + 3 batches.
        #expect(outcome.lines.count { $0.contains("\"gradient_norm\"") } == 32)
    }

    @Test func `A run without a better score ends early, also after a stop, and is finished then`() throws {
        let settings = ["epochs=30", "patience=2"]
        let folder = run.newFolder()
        let alone = try run.start(ranks: 1, settings + ["folder=\(folder)"])
        try #require(alone.status == 0, "\(alone.error)")
        let history = try RunHistory(path: "\(folder)/metrics.jsonl")
        let scores = history.meanScores.map(\.score)
        #expect(scores.count < 30 && history.isEnded)
        #expect(alone.output.contains("ends after step \(19 * scores.count): no better mean score in 2 epochs"))
        // By the definition: the first epoch after which the last two are no better than one before them.
        let end = (1...scores.count).first { count in
            count > 2 && scores[(count - 2)..<count].max()! <= scores[..<(count - 2)].max()!
        }
        #expect(end == scores.count)

        let other = run.newFolder()
        let parts = settings + ["folder=\(other)"]
        let stop = String(format: "step-%08d", 19 * (scores.count - 1))
        _ = try run.interrupt(ranks: 2, parts, signal: "USR1", at: "\(other)/checkpoints/\(stop)")
        let second = try run.start(ranks: 3, parts)
        #expect(second.status == 0, "\(second.error)")
        #expect(try run.outcome(of: other) == run.outcome(of: folder))
        let again = try run.start(ranks: 2, parts)
        #expect(again.status == 0 && again.output.contains("the run in \(other) is finished, early"))
        #expect(try run.outcome(of: other) == run.outcome(of: folder))
    }

    @Test(arguments: [
        ("sampler={kind: unifrom}", "sampler.kind must be one of proportional, uniform, temperature, annealed, main"),
        ("sampler={kind: uniform, temperature: 2}", "sampler.temperature is for the kind temperature, not for uniform"),
        ("sampler={kind: main}", "sampler has the kind main and names no `main` task"),
        (
            "sampler={kind: main, main: paar}",
            "sampler names \"paar\", which is not among the tasks to train; did you mean \"pair\"?"
        ),
        ("sampler={kind: temperature, temperature: 0}", "sampler.temperature must be "),
        ("patience=-1", "patience must be at least 0, not -1"),
    ])
    func `A wrong sampler is refused with its cure`(setting: String, sentence: String) throws {
        let result = try run.start(ranks: 1, [setting])
        #expect(result.status == 78 && result.error.contains(sentence), "\(result.error)")
    }
}
