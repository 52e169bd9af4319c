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
            let rows = try scitail.tokenizedContents(
                ofSplit: split, dataFolder: folder, vocabularySize: 30_522, maximumLength: 512
            ).rows
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

    /// The rows that official files begin with, read by the shipped definitions: each task's labels by split.
    private static let samples: [String: [String: [Float?]]] = [
        "cola": ["train": [1, 1], "dev": [1, 1], "test": [nil]],
        "sst": ["train": [0], "dev": [1], "test": [nil]],
        "stsb": ["train": [5], "dev": [5], "test": [nil]],
        "mrpc": ["train": [1], "dev": [1], "test": [nil]],
        "qqp": ["train": [0], "dev": [0], "test": [nil]],
        "mnli": [
            "train": [1], "matched_dev": [1], "mismatched_dev": [0], "matched_test": [nil], "mismatched_test": [nil],
        ],
        "rte": ["train": [0], "dev": [0], "test": [nil]],
        "wnli": ["train": [1], "dev": [0], "test": [nil]],
        "qnli": ["train": [0], "dev": [1], "test": [nil]],
    ]

    @Test func everySampleOfGlue() throws {
        let folder = try #require(sharedData) + "/glue-format-samples"
        var unread = Set(try FileManager.default.subpathsOfDirectory(atPath: folder).filter { $0.hasSuffix(".tsv") })
        #expect(unread.count == 29)
        for (name, labels) in Self.samples {
            var task = try task(name)
            // A row that cannot be read must show here.
            task.onBadRow = .error
            guard case .folder(let data) = task.data else { throw CocoaError(.fileNoSuchFile) }
            task.data = .folder(String(data.dropFirst("glue/".count)))
            #expect(Set(task.splits) == Set(labels.keys))
            for split in task.splits {
                let examples = try task.readExamples(split: split, dataFolder: folder)
                #expect(examples.map(\.label) == labels[split], "\(name) \(split)")
                #expect(examples.allSatisfy { $0.second.count == (task.isPair ? 1 : 0) })
                let path = try task.path(ofSplit: split, dataFolder: folder)
                unread.remove(String(path.dropFirst(folder.count + 1)))
            }
        }
        #expect(unread == [])
        var mnli = try task("mnli")
        mnli.data = .folder("MNLI")
        let row = try mnli.readExamples(split: "matched_dev", dataFolder: folder)[0]
        #expect(row.uid == "0" && row.first == "The new rights are nice enough")
        #expect(row.second == ["Everyone really likes the newest benefits "])
    }

    /// GLUE's diagnostic sentences have MNLI's classes, and no labels.
    @Test func diagnosticSentences() throws {
        var mnli = try task("mnli")
        mnli.data = .files(["matched_test": "glue/diagnostic/diagnostic.tsv"])
        let examples = try mnli.readExamples(split: "matched_test", dataFolder: try #require(sharedData))
        #expect(examples.count == 1104)
        #expect(examples.allSatisfy { $0.label == nil && $0.second.count == 1 })
        #expect(examples.map(\.uid) == (0..<examples.count).map(String.init))
        #expect(
            examples[0].first == "The cat sat on the mat." && examples[0].second == ["The cat did not sit on the mat."])
    }
}
