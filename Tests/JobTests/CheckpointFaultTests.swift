#if os(Linux)
    import Foundation
    import TestSupport
    import Testing

    @testable import Training

    /// A checkpoint while files fail or the process is killed: the old one or the new one is whole, and the run goes on.
    @Suite(.serialized) final class CheckpointFaultTests {
        private let run: SmallRun
        /// One task and one layer: fewer tensors, fewer calls. Checkpoints after steps 3 and 6, which is the last.
        private let settings = [
            "train=[single]", "epochs=1", "checkpoint_steps=3", "keep_last=1", "keep_best=false",
            "encoder.num_hidden_layers=1",
        ]

        init() throws { run = try SmallRun() }

        deinit {
            do { try run.suite.remove() } catch { Issue.record(error) }
        }

        private static let hasCompiler = PreloadedLibrary.compiler != nil

        /// Trains alone in `folder` while the library of `Tests/FileCalls` does what `calls` say.
        private func train(_ folder: String, _ calls: [String: String] = [:], _ others: String...) throws -> JobResult {
            var environment = calls.merging(["FILE_CALLS_UNDER": folder]) { own, _ in own }
            if !calls.isEmpty {
                environment["LD_PRELOAD"] = try PreloadedLibrary.compile(
                    "FileCalls/file_calls.c", into: run.suite.folder)
            }
            return try runAlone(
                executable: "mtdnn-worker",
                arguments: [run.suite.runFile]
                    + (settings + others + ["folder=\(folder)"]).flatMap { ["--set", $0] }, environment: environment)
        }

        /// The log of a run that nothing disturbed.
        private func quietOutcome() throws -> SmallRun.Outcome {
            let folder = run.newFolder()
            let result = try train(folder)
            try #require(result.status == 0, "\(result.error)")
            return try run.outcome(of: folder)
        }

        @Test(.enabled(if: CheckpointFaultTests.hasCompiler, "there is no C compiler `cc` for the library that kills"))
        func `Killed at any call that changes files, a run has the old or the new checkpoint whole and goes on`() throws
        {
            let quiet = try quietOutcome()
            // The calls of the second checkpoint, from its folder's first to the removal of the first checkpoint.
            let log = "\(run.suite.folder)/calls"
            let start = "step-00000006.partial"
            let logged = try train(run.newFolder(), ["FILE_CALLS_START": start, "FILE_CALLS_LOG": log])
            try #require(logged.status == 0, "\(logged.error)")
            let calls = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n").map(String.init)
            let rename = try #require(calls.firstIndex { $0.contains(" rename ") && $0.hasSuffix(start) }) + 1
            try #require(calls.count > 50 && calls.count < 400)
            for name in ["mkdir", "open", "write", "fsync", "rename", "unlink", "rmdir"] {
                #expect(calls.contains { $0.contains(" \(name) ") }, "the library does not see \(name)")
            }
            for number in 1...calls.count {
                let folder = run.newFolder()
                let killed = try train(folder, ["FILE_CALLS_START": start, "FILE_CALLS_KILL_AT": "\(number)"])
                // `env`, which starts the program, is replaced by it.
                try #require(killed.status == -SIGKILL, "call \(number)")
                let checkpoints = CheckpointFolder(run: folder)
                let newest = try checkpoints.newestWhole { Issue.record("call \(number): \($0)") }
                #expect(newest?.step == (number <= rename ? 3 : 6), "call \(number): \(calls[number - 1])")
                let resumed = try train(folder)
                #expect(resumed.status == 0, "call \(number): \(resumed.error)")
                #expect(try run.outcome(of: folder) == quiet, "call \(number): \(calls[number - 1])")
                // Nothing half done is left; a run that was as good as finished does not remove its first checkpoint any more.
                let names = try FileManager.default.contentsOfDirectory(atPath: checkpoints.path)
                #expect(Set(names).subtracting(["step-00000003"]) == ["step-00000006"], "call \(number): \(names)")
                try FileManager.default.removeItem(atPath: folder)
            }
        }

        @Test(
            .enabled(if: CheckpointFaultTests.hasCompiler, "there is no C compiler `cc` for the library that fails"),
            arguments: [
                ("write", ENOSPC, "No space left on device"), ("write", EIO, "Input/output error"),
                ("fsync", EIO, "Input/output error"), ("fsync", ENOSPC, "No space left on device"),
                ("open", EACCES, "Permission denied"), ("mkdir", EROFS, "Read-only file system"),
                ("rename", EIO, "Input/output error"),
            ])
        func `A checkpoint that cannot be written is said in one sentence, training goes on, nothing is lost`(
            call: String, code: Int32, reason: String
        ) throws {
            let folder = run.newFolder()
            let failing = try train(
                folder,
                ["FILE_CALLS_UNDER": "/checkpoints/step-00000003", "FILE_CALLS_FAIL": "\(call) \(code)"])
            #expect(failing.status == 0, "\(failing.error)")
            let sentences = failing.output.split(separator: "\n").filter { $0.hasPrefix("checkpoint of step ") }
            try #require(sentences.count == 1, "\(failing.output)\(failing.error)")
            #expect(
                sentences[0].hasPrefix("checkpoint of step 3 was not written, training goes on: \(folder)/checkpoints/")
            )
            #expect(sentences[0].contains(reason))
            #expect(try run.outcome(of: folder) == quietOutcome())
            // The room is free again, and the next checkpoint is there.
            let names = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/checkpoints")
            #expect(names == ["step-00000006"])
        }

        @Test(.enabled(if: CheckpointFaultTests.hasCompiler, "there is no C compiler `cc` for the library that fails"))
        func
            `A run whose last checkpoint cannot be written does not pass for finished, and goes on from the one before`()
            throws
        {
            let folder = run.newFolder()
            let failing = try train(
                folder, ["FILE_CALLS_UNDER": "/checkpoints/step-00000006", "FILE_CALLS_FAIL": "write \(ENOSPC)"])
            #expect(failing.status == 78)
            #expect(!failing.output.contains("training goes on"))
            let errors = failing.error.split(separator: "\n").filter { $0.hasPrefix("mtdnn-worker: ") }
            try #require(errors.count == 1, "\(failing.error)")
            #expect(
                errors[0].hasPrefix("mtdnn-worker: the checkpoint of step 6 could not be written, so the steps since "))
            #expect(errors[0].hasSuffix("No space left on device; mend this and start the run again"))
            #expect(try FileManager.default.contentsOfDirectory(atPath: "\(folder)/checkpoints") == ["step-00000003"])
            let resumed = try train(folder)
            #expect(resumed.status == 0 && resumed.output.contains("goes on from the checkpoint of step 3"))
            #expect(try run.outcome(of: folder) == quietOutcome())
        }

        @Test(.enabled(if: CheckpointFaultTests.hasCompiler, "there is no C compiler `cc` for the library that fails"))
        func `A shard that fails on one rank is told by its rank's file, and all ranks go on`() throws {
            let folder = run.newFolder()
            let arguments = (settings + ["folder=\(folder)"]).flatMap { ["--set", $0] }
            let failing = try runJob(
                ranks: 3, executable: "mtdnn-worker", arguments: [run.suite.runFile] + arguments,
                environment: [
                    "LD_PRELOAD": try PreloadedLibrary.compile("FileCalls/file_calls.c", into: run.suite.folder),
                    "FILE_CALLS_UNDER": "/checkpoints/step-00000003", "FILE_CALLS_FAIL": "write \(EIO)",
                    "FILE_CALLS_RANK": "2",
                ])
            try #require(failing.status == 0, "\(failing.error)")
            let sentences = failing.output.split(separator: "\n").filter { $0.hasPrefix("checkpoint of step ") }
            #expect(sentences.count == 1 && sentences[0].contains("/shard-002-of-003.h5: "))
            #expect(sentences[0].hasSuffix("Input/output error"))
            #expect(try run.outcome(of: folder) == quietOutcome())
        }

        @Test func `A folder of checkpoints that is no folder ends the run before it begins, in one sentence`() throws {
            let folder = run.newFolder()
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try "".write(toFile: "\(folder)/checkpoints", atomically: true, encoding: .utf8)
            let result = try train(folder)
            #expect(result.status == 78)
            let errors = result.error.split(separator: "\n").filter { $0.hasPrefix("mtdnn-worker: ") }
            #expect(errors.count == 1 && errors[0].hasPrefix("mtdnn-worker: \(folder)/checkpoints: cannot be read: "))
        }
    }
#endif
