import Data
import Foundation
import TestSupport
import Testing

@testable import Training

/// Which files a submission to the GLUE server has.
struct GlueSubmissionTests {
    private func task(_ name: String, splits: [String] = ["train", "dev", "test"]) -> TaskDefinition {
        var task = TaskDefinition(
            name: name, kind: .classification(classCount: 2, labels: []), isPair: true, metrics: [.accuracy])
        task.splits = splits
        task.format = .glue
        task.data = .folder("glue/\(name)")
        return task
    }

    private func files(_ tasks: [TaskDefinition], _ folder: String = "/nowhere") -> [String] {
        GlueSubmission.parts(of: tasks, dataFolder: folder).map { "\($0.file) \($0.task) \($0.split)" }
    }

    @Test func `Tasks are known by their names in any spelling`() {
        let names = ["cola", "sst", "SST-2", "sts_b", "MRPC", "qqp", "qnli", "rte", "wnli", "boolq"]
        #expect(
            files(names.map { task($0) }) == [
                "CoLA.tsv 0 test", "SST-2.tsv 1 test", "SST-2.tsv 2 test", "STS-B.tsv 3 test", "MRPC.tsv 4 test",
                "QQP.tsv 5 test", "QNLI.tsv 6 test", "RTE.tsv 7 test", "WNLI.tsv 8 test",
            ])
    }

    @Test func `A task in another format has no official test file`() {
        var other = task("rte")
        other.format = .canonical
        #expect(files([other]).isEmpty)
    }

    @Test func `MNLI has two test files, and the diagnostic one where it lies beside`() throws {
        let mnli = task("mnli", splits: ["train", "matched_dev", "mismatched_dev", "matched_test", "mismatched_test"])
        let two = ["MNLI-m.tsv 0 matched_test", "MNLI-mm.tsv 0 mismatched_test"]
        #expect(files([mnli]) == two)
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
        defer { do { try FileManager.default.removeItem(atPath: folder) } catch { Issue.record(error) } }
        try FileManager.default.createDirectory(
            atPath: "\(folder)/glue/diagnostic", withIntermediateDirectories: true)
        try Data().write(to: URL(fileURLWithPath: "\(folder)/glue/diagnostic/diagnostic.tsv"))
        #expect(files([mnli], folder) == two + ["AX.tsv 0 matched_test"])
    }

    @Test func `A file that the server will refuse is said`() {
        #expect(GlueSubmission.summary("RTE.tsv", rows: 3000) == "3000 rows")
        #expect(
            GlueSubmission.summary("RTE.tsv", rows: 2999)
                == "2999 rows, but GLUE's test set has 3000: the server will refuse it")
    }

    @Test func `Two tasks for one file are refused`() throws {
        func check(_ names: [String]) throws {
            let tasks = names.map { task($0) }
            let parts = GlueSubmission.parts(of: tasks, dataFolder: "/nowhere")
            try GlueSubmission.requireOneTaskForEach(parts, tasks: tasks)
        }
        try check(["sst", "rte", "cola"])
        let error = #expect(throws: TrainingError.self) { try check(["sst", "rte", "SST-2"]) }
        #expect(error?.description.hasPrefix("the tasks sst and SST-2 would both be SST-2.tsv") == true)
    }
}
