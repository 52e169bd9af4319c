import Foundation
import Storage
import Testing

@testable import Training

/// `metrics.jsonl` through interruptions: cut back to a checkpoint's step, and held back while the disk is full.
@Suite final class RunLogTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("log-\(UUID().uuidString)").path
    private var path: String { "\(folder)/metrics.jsonl" }

    init() throws { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }

    deinit {
        do { try FileManager.default.removeItem(atPath: folder) } catch { Issue.record(error) }
    }

    private var lines: [String] {
        get throws { try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map(String.init) }
    }

    private static func line(step: Int, score: Double) -> RunLog.MeanScoreLine {
        .init(step: step, epoch: 1, meanScore: score, timing: .init(seconds: 0.25))
    }

    @Test func `Lines after the checkpoint's step go: of steps, of evaluations whole or cut off, and the last sums`()
        throws
    {
        let kept = [
            #"{"loss":1,"step":1,"timing":{"seconds":4}}"#, #"{"loss":1,"step":2}"#,
            #"{"metrics":{"ACC":0.5},"step":2}"#,
            #"{"mean_score":0.5,"step":2}"#,
        ]
        let gone = [
            #"{"loss":1,"step":3,"timing":{"seconds":8}}"#, #"{"metrics":{"ACC":0.5},"step":4}"#,
            #"{"mean_score":0.5,"step":4}"#,
            #"{"moments_sha256":"a","parameters_sha256":"b","step":2}"#, #"{"loss":1,"ste"#,
        ]
        try (kept + gone).joined(separator: "\n").write(toFile: path, atomically: true, encoding: .utf8)
        let log = try RunLog(path: path, keepingSteps: 2)
        #expect(try lines == kept)
        #expect(try log.write(RunLogTests.line(step: 3, score: 0.25)) == nil)
        try log.synchronize()
        #expect(try lines == kept + [#"{"epoch":1,"mean_score":0.25,"step":3,"timing":{"seconds":0.25}}"#])
        #expect(try RunHistory(path: path).meanScores.map(\.step) == [2, 3])
        #expect(try RunHistory(path: path).meanScores.map(\.score) == [0.5, 0.25])
        #expect(try RunHistory(path: path).seconds == 4.25)
    }

    @Test func `Scores of evaluations after the checkpoint go, and what was begun`() throws {
        let kept = ["rte_dev_scores_1.json", "rte_dev_scores_2.json", "mnli_mismatched_dev_scores_2.json", "notes.txt"]
        let gone = ["rte_dev_scores_3.json", "rte_dev_scores_10.json", "rte_dev_scores_1.json.host.7.partial"]
        let scores = "\(folder)/scores"
        try FileManager.default.createDirectory(atPath: scores, withIntermediateDirectories: true)
        for name in kept + gone { #expect(FileManager.default.createFile(atPath: "\(scores)/\(name)", contents: nil)) }
        try ScoreFile.cutBack(toEpoch: 2, folder: folder)
        #expect(try FileManager.default.contentsOfDirectory(atPath: scores).sorted() == kept.sorted())
        // A run that begins has none.
        try FileManager.default.removeItem(atPath: scores)
        try ScoreFile.cutBack(toEpoch: 0, folder: folder)
    }

    @Test func `What a dead process had begun to make for a file is removed, and nothing else`() throws {
        let kept = ["metrics.jsonl", "metrics.jsonl.old", "run.yml.host.7.partial"]
        for name in kept + ["metrics.jsonl.host.7.partial", "metrics.jsonl.other.8.partial"] {
            #expect(FileManager.default.createFile(atPath: "\(folder)/\(name)", contents: nil))
        }
        try removeUnfinished(path)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == kept.sorted())
    }

    @Test func `A line that is damaged is named`() throws {
        try #"{"mean_score":0.5,"step":2}"#.appending("\n\n{\n").write(toFile: path, atomically: true, encoding: .utf8)
        let error = TrainingError("\(path):3: is damaged: it is no line that this program writes")
        #expect(throws: error) { try RunHistory(path: self.path).meanScores }
        #expect(throws: error) { try RunHistory(path: self.path) }
    }

    @Test func `A last line that was cut off is passed over`() throws {
        try #"{"mean_score":0.5,"step":2}"#.appending("\n{\"loss\":1,\"st").write(
            toFile: path, atomically: true, encoding: .utf8)
        #expect(try RunHistory(path: path).meanScores.map(\.step) == [2])
    }

    @Test func `A log whose folder was removed is made again with all its lines`() throws {
        let log = try RunLog(path: path, keepingSteps: 0)
        func write(_ step: Int) throws { _ = try log.write(RunLogTests.line(step: step, score: 0.5)) }
        try write(1)
        try FileManager.default.removeItem(atPath: folder)
        try write(2)
        try log.synchronize()
        try write(3)
        #expect(try RunHistory(path: path).meanScores.map(\.step) == [1, 2, 3])
    }

    @Test func `Lines that find no room are said once, kept, and written with the next that do`() async {
        // A process of its own, because the limit that stands for the full disk is the whole process's.
        await #expect(processExitsWith: .exitCode(42)) {
            signal(SIGXFSZ, SIG_IGN)
            let path = FileManager.default.temporaryDirectory.appendingPathComponent("full-\(UUID().uuidString)").path
            let log = try RunLog(path: path, keepingSteps: 0)
            func limit(_ bytes: Int) {
                var limit = rlimit(rlim_cur: rlim_t(bytes), rlim_max: .max)
                setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
            }
            func write(_ step: Int) throws -> String? {
                try log.write(RunLogTests.line(step: step, score: 0.5))
            }
            limit(80)  // one line of 64 bytes and a part of another
            let notes = try (1...4).map { try write($0) }
            guard notes[0] == nil, notes[1]?.hasSuffix("its lines are kept in memory until they can") == true,
                notes[2] == nil, notes[3] == nil
            else { exit(1) }
            do {
                try log.synchronize()
                exit(2)
            } catch {
                guard "\(error)".hasPrefix("\(path): cannot be written: ") else { exit(3) }
            }
            limit(1 << 20)
            guard try write(5) == nil else { exit(4) }
            try log.synchronize()
            guard try RunHistory(path: path).meanScores.map(\.step) == [1, 2, 3, 4, 5] else { exit(5) }
            try FileManager.default.removeItem(atPath: path)
            exit(42)
        }
    }
}
