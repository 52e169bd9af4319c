import Foundation
import Testing

@testable import Data

/// The folder with real data sets, which may not be copied into this repository; nil where it is absent.
let sharedData: String? = {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..")
    let path =
        ProcessInfo.processInfo.environment["MTDNN_SHARED_DATA"]
        ?? root.appendingPathComponent("../shared/data").standardizedFileURL.path
    return FileManager.default.fileExists(atPath: path) ? path : nil
}()

@Suite(.enabled(if: sharedData != nil, "needs real data in ../shared/data or $MTDNN_SHARED_DATA"))
struct ReaderRealFilesTests {
    private func task(_ name: String) throws -> TaskDefinition {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..")
        let file = try TaskFile(path: root.appendingPathComponent("tasks/glue.yml").path)
        return try #require(try file.definition(of: name))
    }

    @Test(arguments: [
        ("cola", [8551, 1043, 1063]), ("stsb", [5749, 1500, 1379]), ("mrpc", [3668, 408, 1725]),
        ("rte", [2490, 277, 3000]), ("wnli", [635, 71, 146]), ("qnli", [8999, 5463, 5463]),
        ("squadrank", [2216, 483]),
    ])
    func rowCounts(name: String, expected: [Int]) throws {
        let task = try task(name), folder = try #require(sharedData)
        for (split, count) in zip(task.splits, expected) {
            let examples = try task.readExamples(split: split, dataFolder: folder)
            #expect(examples.count == count)
            #expect(examples.allSatisfy { ($0.label == nil) == (split == "test") })
            #expect(examples.allSatisfy { $0.second.isEmpty == !task.isPair })
            #expect(Set(examples.map(\.uid)).count == count)
        }
        #expect(task.splits.count == expected.count)
    }

    @Test func firstAndLastRows() throws {
        let folder = try #require(sharedData)
        var scitail = TaskDefinition(
            name: "scitail", kind: .classification(classCount: 2, labels: []), isPair: true, metrics: [.accuracy])
        scitail.format = .jsonLines
        scitail.data = .files(["train": "mt-dnn/scitail_1_train.json", "dev": "mt-dnn/scitail_dev.json"])
        for (split, count) in [("train", 2359), ("dev", 1304)] {
            let rows = try scitail.readTokenizedExamples(
                split: split, dataFolder: folder, vocabularySize: 30_522, maximumLength: 512)
            #expect(rows.count == count && rows.allSatisfy { $0.sequences[0].tokens.first == 101 })
        }
        let mrpc = try task("mrpc").readExamples(split: "train", dataFolder: folder)
        #expect(mrpc[0].label == 1)
        #expect(mrpc[0].first.hasPrefix("Amrozi accused his brother , whom he called \" the witness \" ,"))
        let cola = try task("cola").readExamples(split: "dev", dataFolder: folder)
        #expect(cola[0] == Example(uid: "0", first: "The sailors rode the breeze clear of the rocks.", label: 1))
        let stsb = try task("stsb").readExamples(split: "dev", dataFolder: folder)
        #expect(stsb[0].first == "A man with a hard hat is dancing.")
        #expect(stsb[0].second == ["A man wearing a hard hat is dancing."])
        #expect(stsb[0].label == 5)
        let ranking = try task("squadrank").readExamples(split: "dev", dataFolder: folder)
        #expect(ranking[0].second.count == 6 && ranking[0].label == 1)
        #expect(Set(ranking.map(\.second.count)) == Set(3...12))
    }

    /// Forms of GLUE files that the shipped task file does not use.
    @Test(arguments: [
        ("SST-2", false, [], ["train", "dev", "test"]),
        ("QQP", true, [], ["train", "dev", "test"]),
        (
            "MNLI", true, ["contradiction", "neutral", "entailment"],
            ["train", "matched_dev", "mismatched_dev", "matched_test", "mismatched_test"]
        ),
    ])
    func otherForms(name: String, isPair: Bool, labels: [String], splits: [String]) throws {
        let classCount = max(2, labels.count)
        var task = TaskDefinition(
            name: "x", kind: .classification(classCount: classCount, labels: labels), isPair: isPair,
            metrics: [.accuracy])
        task.format = .glue
        task.splits = splits
        task.data = .folder("glue-format-samples/\(name)")
        for split in splits {
            let examples = try task.readExamples(split: split, dataFolder: try #require(sharedData))
            #expect([1, 2].contains(examples.count))
            #expect((examples[0].label == nil) == split.hasSuffix("test"))
        }
    }
}
