import Foundation
import TestSupport
import Testing

@testable import Data

struct ReaderTests {
    let folder = TemporaryFolder()

    private static let single = TaskDefinition(
        name: "s", kind: .classification(classCount: 2, labels: []), isPair: false, metrics: [.accuracy])
    private static let pair = TaskDefinition(
        name: "p", kind: .classification(classCount: 2, labels: ["not", "yes"]), isPair: true, metrics: [.accuracy])
    private static let score = TaskDefinition(
        name: "r", kind: .regression(scoreRange: 0...5), isPair: true, metrics: [.pearson])
    private static let ranking = TaskDefinition(
        name: "q", kind: .ranking(labels: []), isPair: true, metrics: [.accuracyAtOne])

    private func read(
        _ task: TaskDefinition, _ bytes: [UInt8], split: String = "train", format: ExampleFormat = .canonical
    ) throws -> [Example] {
        var task = task
        task.format = format
        try folder.write(format == .glue ? "\(split).tsv" : "\(task.name)_\(split).tsv", bytes)
        return try task.readExamples(split: split, dataFolder: folder.path)
    }

    private func errorOf(
        _ task: TaskDefinition, _ text: String, split: String = "train", format: ExampleFormat = .canonical
    ) -> String {
        message(in: folder) { try read(task, Array(text.utf8), split: split, format: format) }
    }

    @Test func readsCanonicalRows() throws {
        let rows = try read(Self.single, Array("\u{FEFF}a\t1\tSo \"it\" is.\r\nb\t0\t\u{E9}t\u{E9}".utf8))
        #expect(
            rows == [
                Example(uid: "a", first: "So \"it\" is.", label: 1),
                Example(uid: "b", first: "\u{E9}t\u{E9}", label: 0),
            ])
        let pairs = try read(Self.pair, Array("a\tyes\tx\ty\nb\t0\tx\tz\n".utf8))
        #expect(pairs.map(\.label) == [1, 0])
        #expect(pairs.map(\.second) == [["y"], ["z"]])
        #expect(try read(Self.score, Array("a\t2.5\tx\ty\n".utf8))[0].label == 2.5)
        #expect(try read(Self.single, Array("a\t\tx\n".utf8), split: "test")[0].label == nil)
    }

    @Test func readsQueries() throws {
        let rows = try read(Self.ranking, Array("u\tu0,u1,u2\t0,0,1\tq?\ta\tb\tc\n".utf8))
        var expected = Example(uid: "u", first: "q?", second: ["a", "b", "c"], label: 2)
        expected.candidateIDs = ["u0", "u1", "u2"]
        #expect(rows == [expected])
        let secret = try read(Self.ranking, Array("u\tu0,u1\t\tq?\ta\tb\n".utf8), split: "test")
        #expect(secret[0].label == nil)
    }

    @Test func readsGlueRowsByTheirHeader() throws {
        let header = "index\tsentence2\tsentence1\tlabel\n"
        let rows = try read(Self.pair, Array((header + "7\tb\ta\tyes\n").utf8), format: .glue)
        #expect(rows == [Example(uid: "7", first: "a", second: ["b"], label: 1)])
        let question = try read(
            Self.pair, Array("index\tquestion\tsentence\n7\tq\ts\n".utf8), split: "test", format: .glue)
        #expect(question == [Example(uid: "7", first: "q", second: ["s"], label: nil)])
        let diagnostic = try read(
            Self.pair, Array("index\tsentence1\tsentence2\r\n5\ta\tb\r\n".utf8), split: "test", format: .glue)
        #expect(diagnostic == [Example(uid: "5", first: "a", second: ["b"], label: nil)])
        let cola = try read(Self.single, Array("gj04\t1\t\tA.\ngj04\t0\t*\tB.".utf8), format: .glue)
        #expect(cola == [Example(uid: "0", first: "A.", label: 1), Example(uid: "1", first: "B.", label: 0)])
    }

    @Test func readsTheFirstRowsOfTrainOnly() throws {
        var task = Self.single
        task.maximumExamples = 2
        let rows = Array("a\t1\tx\nb\t1\tx\nc\t1\tx\n".utf8)
        #expect(try read(task, rows).map(\.uid) == ["a", "b"])
        #expect(try read(task, rows, split: "dev").count == 3)
    }

    @Test func refusesBadRows() throws {
        let s = Self.single, p = Self.pair, r = Self.score, q = Self.ranking
        #expect(errorOf(s, "a\t1\n") == "s_train.tsv:1: 2 columns, but 3 are expected (uid, label, premise)")
        #expect(errorOf(s, "a\t1\tx\nword\n") == "s_train.tsv:2: 1 column, but 3 are expected (uid, label, premise)")
        #expect(errorOf(s, "a\t1\tx\n\n") == "s_train.tsv:2: an empty line")
        #expect(
            errorOf(p, "a\tyes\tx\n")
                == "p_train.tsv:1: 3 columns, but 4 are expected (uid, label, premise, hypothesis)")
        #expect(errorOf(p, "a\tmaybe\tx\ty") == "p_train.tsv:1: unknown label \"maybe\"; known: not, yes")
        #expect(errorOf(s, "a\t2\tx") == "s_train.tsv:1: unknown label \"2\"; known: 0, 1")
        #expect(errorOf(s, "a\t\tx") == "s_train.tsv:1: unknown label \"\"; known: 0, 1")
        #expect(errorOf(s, "a\t1\t \n") == "s_train.tsv:1: an empty sentence in column 3")
        #expect(errorOf(r, "a\t5.5\tx\ty") == "r_train.tsv:1: the score 5.5 is not between 0.0 and 5.0")
        #expect(errorOf(r, "a\tnan\tx\ty") == "r_train.tsv:1: the score \"nan\" is not a number")
        #expect(errorOf(r, "a\t1e99\tx\ty") == "r_train.tsv:1: the score \"1e99\" is not a number")
        #expect(errorOf(s, "") == "s_train.tsv: the file holds no examples")
        #expect(
            errorOf(q, "u\tu0,u1\t0,0\tq\ta\tb")
                == "q_train.tsv:1: 0 candidates are labelled right, but it must be exactly 1")
        #expect(
            errorOf(q, "u\tu0,u1\t1,1\tq\ta\tb")
                == "q_train.tsv:1: 2 candidates are labelled right, but it must be exactly 1")
        #expect(errorOf(q, "u\tu0,u1,u2\t1,0\tq\ta\tb") == "q_train.tsv:1: 3 candidate ids, but 2 candidates")
        #expect(errorOf(q, "u\tu0,u1\t1\tq\ta\tb") == "q_train.tsv:1: 1 labels, but 2 candidates")
        #expect(errorOf(q, "u\tu0,u1\t1,x\tq\ta\tb") == "q_train.tsv:1: unknown label \"x\"; known: 0, 1")
        #expect(
            errorOf(q, "u\tu0\t1\tq")
                == "q_train.tsv:1: 4 columns, but uid, candidate ids, labels, question "
                + "and at least 1 candidate are expected"
        )
        #expect(
            message(in: folder) { try read(s, Array("a\t1\tx\nb\t1\t".utf8) + [0xC3, 0x28, 0x0A]) }
                == "s_train.tsv:2: not UTF-8 in column 3")
    }

    @Test func refusesBadGlueFiles() throws {
        #expect(
            errorOf(Self.pair, "index\tsentence1\tsentence2\tlabel\n1\ta\tb\n", format: .glue)
                == "train.tsv:2: 3 columns, but the header has 4")
        #expect(
            errorOf(Self.pair, "index\ttext\tlabel\n", format: .glue)
                == "train.tsv:1: the header has none of the columns sentence1, question1, #1 String, question")
        #expect(
            errorOf(Self.pair, "index\tsentence1\tlabel\n", format: .glue)
                == "train.tsv:1: the header has none of the columns sentence2, question2, #2 String, sentence")
        #expect(
            errorOf(Self.single, "index\ttext\n", format: .glue)
                == "train.tsv:1: the header has none of the columns sentence")
        #expect(
            errorOf(Self.pair, "index\tsentence1\tsentence2\n", split: "dev", format: .glue)
                == "dev.tsv:1: the header has no column of labels, and dev is no test split")
        #expect(
            errorOf(Self.single, "gj04\t1\t\tA.\ngj04\t1\tB.\n", format: .glue)
                == "train.tsv:2: 3 columns, but the first line has 4")
        #expect(errorOf(Self.single, "sentence\tlabel\n", format: .glue) == "train.tsv: the file holds no examples")
    }

    @Test func missingFilesNameTheKeysThatSetThem() throws {
        var task = Self.single
        func error() -> String { message(in: folder) { try task.readExamples(split: "dev", dataFolder: "/nowhere") } }
        #expect(
            error() == "/nowhere/s_dev.tsv: no such file; the path comes from the run's `data: /nowhere` "
                + "and task s, split dev")
        task.data = .folder("glue/CoLA")
        task.format = .glue
        #expect(
            error() == "/nowhere/glue/CoLA/dev.tsv: no such file; the path comes from `data: glue/CoLA` of task s, "
                + "split dev, in the run's `data: /nowhere`")
        task.data = .files(["dev": "x.tsv"])
        #expect(
            error() == "/nowhere/x.tsv: no such file; the path comes from `data: {dev: x.tsv}` of task s, "
                + "in the run's `data: /nowhere`")
        task.data = .files(["train": "x.tsv"])
        #expect(error() == "task s: `data` names no file for split dev")
        task.data = .files(["dev": folder.path])
        #expect(
            error().hasSuffix(
                ": is a folder, not a file; the path comes from `data: {dev: \(folder.path)}` of task s, "
                    + "in the run's `data: /nowhere`"))
        task.data = .files(["dev": "/dev/zero"])
        #expect(
            error().hasPrefix(
                "/dev/zero: is a pipe or a device; write what comes from it to a file, and name that; the path"))
        task.format = .jsonLines
        task.data = .files(["dev": try folder.write("x.json", "{}\n")])
        #expect(error() == "x.json: json_lines holds token ids, not sentences")
    }

    @Test func glueNamesSplitsTheOtherWayRound() throws {
        var task = Self.pair
        task.format = .glue
        #expect(try task.path(ofSplit: "matched_dev", dataFolder: "/d") == "/d/dev_matched.tsv")
    }

    @Test func mutatedFilesNeverCrash() throws {
        let texts: [(TaskDefinition, String, ExampleFormat)] = [
            (Self.single, "a\t1\tx y\nb\t0\tz\n", .canonical),
            (Self.score, "index\tsentence1\tsentence2\tscore\n0\ta\tb\t2.5\n1\tc\td\t5.000\n", .glue),
            (Self.single, "gj04\t1\t\tA.\ngj04\t0\t*\tB.", .glue),
            (Self.ranking, "u\tu0,u1\t0,1\tq\ta\tb\nv\tv0,v1,v2\t0,1,0\tq\ta\tb\tc\n", .canonical),
        ]
        for seed in 0..<2000 {
            var mutator = Mutator(seed: UInt64(seed) + 1)
            let (task, text, format) = texts[seed % texts.count]
            do {
                _ = try read(task, mutator.mutate(Array(text.utf8)), format: format)
            } catch is ExampleError {}
        }
    }
}
