import Foundation
import TestSupport
import Testing

@testable import Training

/// `mtdnn sweep` and `mtdnn compare`: the runs of a recipe, and the table they give.
@Suite(.serialized) final class SweepTests {
    private let run: SmallRun
    private let recipe: String

    init() throws {
        run = try SmallRun()
        recipe = "\(run.suite.folder)/table.yml"
        let text = """
            run: run.yml
            seeds: [5, 6]
            columns: [single, pair]
            rows:
              ST-DNN: {train: each}
              "MT-DNN, no fine-tune": {train: all}
              MT-DNN: {train: each, initialize: {row: "MT-DNN, no fine-tune", heads: true}, set: [learning_rate=5.0e-4]}

            """
        try text.write(toFile: recipe, atomically: true, encoding: .utf8)
    }

    deinit {
        do { try run.suite.remove() } catch { Issue.record(error) }
    }

    private func mtdnn(_ command: String, _ arguments: String...) throws -> JobResult {
        try runAlone(
            executable: "mtdnn", arguments: [command, recipe, "--set", "epochs=1"] + arguments, timeout: 120)
    }

    private func folder(_ path: String) -> String { "\(run.suite.folder)/table/\(path)" }

    private func accuracy(_ path: String, _ task: String) throws -> Double {
        let history = try RunHistory(path: "\(folder(path))/metrics.jsonl")
        return try #require(history.scores(task: task, split: "dev", step: history.best?.step)?["ACC"])
    }

    @Test func `A sweep trains every run once, in order, and its table has their means and deviations`() throws {
        let first = try mtdnn("sweep", "--ranks", "2")
        try #require(first.status == 0, "\(first.error)")
        let titles = first.output.split(separator: "\n").filter { $0.hasPrefix("run ") }
        #expect(titles.count == 10)
        #expect(titles[0] == "run 1 of 10: ST-DNN, single, seed 5, in \(folder("st-dnn/single/seed-5"))")
        #expect(titles[2] == "run 3 of 10: MT-DNN, no fine-tune, seed 5, in \(folder("mt-dnn-no-fine-tune/seed-5"))")

        let table = first.output.components(separatedBy: "\n").suffix(6)
        let rows = table.map { line in
            line.components(separatedBy: "  ").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
        }
        #expect(rows[0] == ["row", "single ACC", "pair ACC", "minutes"])
        let places: [(String, (String, Int) -> String)] = [
            ("ST-DNN", { "st-dnn/\($0)/seed-\($1)" }),
            ("MT-DNN, no fine-tune", { _, seed in "mt-dnn-no-fine-tune/seed-\(seed)" }),
            ("MT-DNN", { "mt-dnn/\($0)/seed-\($1)" }),
        ]
        for (row, (name, place)) in zip(rows.dropFirst(), places) {
            #expect(row.count == 4 && row[0] == name)
            for (task, cell) in zip(["single", "pair"], row.dropFirst()) {
                let (a, b) = (try accuracy(place(task, 5), task), try accuracy(place(task, 6), task))
                // Of two numbers the deviation is their distance over the root of two.
                #expect(cell == String(format: "%.3f ± %.3f", (a + b) / 2, abs(a - b) / 2.0.squareRoot()))
            }
        }
        #expect(rows[4] == ["mean and standard deviation over seeds 5, 6"])

        // Each run's own lines follow its title.
        let start = try #require(first.output.range(of: titles[9])?.upperBound)
        #expect(first.output[start...].contains("initialize: encoder and pooler"))

        // A row that begins with another one's runs has its own settings and those heads.
        let settings = try String(contentsOfFile: "\(folder("mt-dnn/pair/seed-6"))/run.yml", encoding: .utf8)
        #expect(settings.contains("checkpoint: \(folder("mt-dnn-no-fine-tune/seed-6"))/checkpoints/step-00000011\n"))
        #expect(settings.contains("learning_rate: 0.0005\n") && settings.contains("seed: 6\n"))
        #expect(
            first.output.contains(
                "of \(folder("mt-dnn-no-fine-tune/seed-6"))/checkpoints/step-00000011, and heads: pair\n"))

        // Only what is missing is trained again, and comes to the same.
        let removed = folder("mt-dnn/pair/seed-5")
        let outcome = try run.outcome(of: removed)
        try FileManager.default.removeItem(atPath: removed)
        let part = try mtdnn("compare")
        #expect(part.output.hasSuffix("not finished, of 10 runs: 1 (MT-DNN, pair, seed 5)\n"))
        let second = try mtdnn("sweep", "--ranks", "3")
        #expect(second.status == 0, "\(second.error)")
        let again = second.output.split(separator: "\n").filter { $0.hasPrefix("run ") }
        #expect(again.count == 10 && again.count { $0.hasSuffix(": finished") } == 9)
        #expect(again[4] == "run 5 of 10: MT-DNN, pair, seed 5, in \(removed)")
        #expect(try run.outcome(of: removed) == outcome)
    }

    @Test(arguments: [
        ("train: each", "train: eech", ":5: rows.ST-DNN.train must be each, all or a list of tasks, not \"eech\""),
        (
            "row: \"MT-DNN, no fine-tune\"", "row: MTDNN",
            ":7: rows.MT-DNN.initialize.row is \"MTDNN\", which is no row above this one"
        ),
        ("columns: [single, pair]", "columns: [single, pear]", "`columns` has \"pear\", which is no task of "),
        ("columns: [single, pair]", "columns: []", "`columns` must name at least one task"),
        ("seeds: [5, 6]", "seeds: [5, 5]", "`seeds` must name at least one seed, and none twice"),
        ("set: [learning_rate=5.0e-4]", "set: [learning_rat=5.0e-4]", "unknown key \"learning_rat\"; did you mean"),
        ("set: [learning_rate=5.0e-4]", "set: [seed=9]", "set has seed=9, which is for the recipe's own keys to say"),
        ("set: [learning_rate=5.0e-4]", "set: [initialize.heads=true]", "set has initialize.heads=true, which is for"),
        ("train: all", "train: all, initialise: {}", "unknown key \"initialise\" in rows"),
        (
            "initialize: {row", "initialize: {recipe: table.yml, row",
            "/table.yml: begins with itself, by way of "
        ),
        ("initialize: {row", "initialize: {recipe: absent.yml, row", "/absent.yml"),
    ])
    func `A mistake anywhere in a recipe is named before anything is trained`(
        right: String, wrong: String, sentence: String
    ) throws {
        let text = try String(contentsOfFile: recipe, encoding: .utf8)
        #expect(text.contains(right))
        try text.replacingOccurrences(of: right, with: wrong).write(toFile: recipe, atomically: true, encoding: .utf8)
        let result = try mtdnn("sweep")
        #expect(result.status == 78 && result.error.contains(sentence), "\(result.status): \(result.error)")
        #expect(!FileManager.default.fileExists(atPath: folder("")))
    }

    private func write(_ name: String, _ text: String) throws -> String {
        let path = "\(run.suite.folder)/\(name)"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    @Test func `Recipes share their runs and a table, which stands when all is moved and checkpoints are gone`() throws
    {
        let first = try write(
            "first.yml", "run: run.yml\nseeds: [5]\ncolumns: [single, pair]\nrows:\n  Together: {train: all}\n")
        let second = try write(
            "second.yml",
            """
            run: run.yml
            seeds: [6, 7]
            columns: [pair]
            rows:
              Alone: {train: each, initialize: {recipe: first.yml, row: Together, seed: 5}}

            """)
        func mtdnn(_ command: String, _ arguments: String..., epochs: Int = 1) throws -> JobResult {
            try runAlone(
                executable: "mtdnn", arguments: [command, "--set", "epochs=\(epochs)"] + arguments, timeout: 120)
        }
        let trained = try mtdnn("sweep", second)
        try #require(trained.status == 0, "\(trained.error)")
        let titles = trained.output.split(separator: "\n").filter { $0.hasPrefix("run ") }
        let home = run.suite.folder
        #expect(
            titles == [
                "run 1 of 3: Together, seed 5, in \(home)/first/together/seed-5",
                "run 2 of 3: Alone, pair, seed 6, in \(home)/second/alone/pair/seed-6",
                "run 3 of 3: Alone, pair, seed 7, in \(home)/second/alone/pair/seed-7",
            ])
        let settings = try String(contentsOfFile: "\(home)/second/alone/pair/seed-7/run.yml", encoding: .utf8)
        #expect(settings.contains("checkpoint: \(home)/first/together/seed-5/checkpoints/step-00000011\n"))

        let table = try mtdnn("compare", first, second)
        try #require(table.status == 0, "\(table.error)")
        let lines = table.output.split(separator: "\n").map(String.init)
        #expect(lines[0].hasPrefix("row       single ACC") && lines[0].hasSuffix("minutes"))
        // Of words between runs of spaces: the second recipe has no run of the first column.
        let words = lines[1...2].map { $0.split(separator: " ").map(String.init) }
        #expect(words[0][0] == "Together" && !words[0].contains("-") && words[0].count == 4)
        #expect(words[1][0] == "Alone" && words[1][1] == "-" && words[1].count == 6)
        #expect(lines[3] == "mean and standard deviation over seeds 5 (Together), 6, 7 (Alone)")
        let again = try mtdnn("sweep", first, second)
        #expect(again.output.split(separator: "\n").filter { $0.hasSuffix(": finished") }.count == 3, "\(again.error)")

        // What the named recipe only begins with is not trained on by the way, and runs of other tasks are not passed off as these.
        let longer = try mtdnn("sweep", second, epochs: 2)
        #expect(
            longer.status == 1
                && longer.error.contains("Together, seed 5, in \(home)/first/together/seed-5, is finished with other"))
        let definitions = try String(contentsOfFile: "\(home)/tasks.yml", encoding: .utf8)
        let others = definitions.replacingOccurrences(of: "pair: {", with: "pair: {loss_weight: 2, ")
        _ = try write("tasks.yml", others)
        let refusal = "holds a run with other task definitions or data (pair); use those, or another --folder"
        #expect(try others != definitions && mtdnn("compare", second).error.contains(refusal))
        _ = try write("tasks.yml", definitions)

        let twice = try mtdnn("compare", first, first)
        #expect(twice.status == 64 && twice.error.contains("first.yml is named twice"))

        try FileManager.default.createDirectory(atPath: "\(home)/moved", withIntermediateDirectories: true)
        for name in ["first", "second"] {
            try FileManager.default.moveItem(atPath: "\(home)/\(name)", toPath: "\(home)/moved/\(name)")
        }
        let moved = try mtdnn("compare", first, second, "--folder", "\(home)/moved")
        #expect(moved.output == table.output, "\(moved.error)")
        try FileManager.default.removeItem(atPath: "\(home)/moved/first/together/seed-5/checkpoints")
        let without = try mtdnn("compare", first, second, "--folder", "\(home)/moved")
        #expect(without.output == table.output, "\(without.error)")
        // Another step of the same run is another beginning.
        let other = "\(home)/moved/first/together/seed-5/checkpoints/step-00000012"
        try FileManager.default.createDirectory(atPath: other, withIntermediateDirectories: true)
        let refused = try runAlone(
            executable: "mtdnn",
            arguments: [
                "train", run.suite.runFile, "--folder", "\(home)/moved/second/alone/pair/seed-6", "--set", "epochs=1",
                "--set", "train=[pair]", "--set", "seed=6", "--set", "initialize.checkpoint=\(other)",
            ], timeout: 60)
        #expect(refused.status != 0 && refused.error.contains("initialize.checkpoint: "), "\(refused.output)")
    }

    @Test func `What the recipe decides is not set from outside`() throws {
        let result = try mtdnn("sweep", "--set", "seed=7")
        #expect(
            result.status == 78 && result.error.contains("--set seed=7: is what the recipe decides; change it there"))
    }

    @Test func `A signal in any run stops the sweep with a checkpoint, and the same command goes on`() throws {
        let arguments = [productPath("mtdnn"), "sweep", recipe, "--set", "epochs=12"]
        let second = "\(folder("st-dnn/pair/seed-5"))/metrics.jsonl"
        let sweep = try RunningProgram(arguments)
        let start = Date()
        while !FileManager.default.fileExists(atPath: second), Date().timeIntervalSince(start) < 60 {
            Thread.sleep(forTimeInterval: 0.02)
        }
        kill(sweep.processIdentifier, SIGTERM)
        let stopped = try sweep.wait(timeout: 60)
        #expect(stopped.status == 75, "\(stopped.error)")
        #expect(stopped.output.contains("run 2 of 10") && !stopped.output.contains("run 3 of 10"))
        let again = try RunningProgram(arguments).wait(timeout: 200)
        #expect(again.status == 0, "\(again.error)")
        #expect(again.output.contains("run 1 of 10: ST-DNN, single, seed 5: finished"))
        let alone = try run.finish(ranks: 1, "epochs=12", "train=[pair]", "seed=5")
        #expect(try run.outcome(of: folder("st-dnn/pair/seed-5")) == alone)
    }
}
