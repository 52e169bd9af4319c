#if os(Linux)
    import Foundation
    import TestSupport
    import Testing

    /// A training step allocates nothing on the training thread, from sampler to gather (MPI apart), also while a checkpoint is written.
    @Suite(.serialized) final class AllocationTests {
        private let run: SmallRun

        init() throws { run = try SmallRun() }

        deinit {
            do { try run.suite.remove() } catch { Issue.record(error) }
        }

        @Test(
            .enabled(if: PreloadedLibrary.compiler != nil, "there is no C compiler `cc` for the library that counts"),
            arguments: [(1, 1), (2, 1), (3, 1), (1, 3), (2, 2)])
        func `Steps 3 to 57 allocate nothing, with helpers those from 20 on`(ranks: Int, threads: Int) throws {
            try check(ranks: ranks, threads: threads)
        }

        @Test(
            .enabled(if: PreloadedLibrary.compiler != nil, "there is no C compiler `cc` for the library that counts"))
        func `Nor do steps with twins`() throws { try check(ranks: 2, threads: 1, ["smart={}"]) }

        private func check(ranks: Int, threads: Int, _ settings: [String] = []) throws {
            let result = try runJob(
                ranks: ranks, executable: "TrainingSelfTest",
                arguments: ["allocations", run.suite.runFile, "epochs=3", "threads=\(threads)"] + settings,
                environment: [
                    "LD_PRELOAD": try PreloadedLibrary.compile(
                        "Allocations/count_allocations.c", into: run.suite.folder)
                ])
            try #require(result.status == 0, "\(result.error)")
            let lines = result.output.split(separator: "\n").map(String.init)
            let probes = lines.filter { $0.hasPrefix("probe of ") }
            #expect(probes.count == ranks && probes.allSatisfy { !$0.hasSuffix(": 0") }, "nothing was counted")
            let steps = lines.filter { $0.hasPrefix("step ") }
            #expect(steps.count == 57 * ranks)
            // Swift makes the description of a generic type when it is first needed; of work for several threads that is where a batch
            // is first large enough to be shared out.
            let first = threads == 1 ? 3 : 20
            let late = steps.filter { step in !(1..<first).contains { step.hasPrefix("step \($0) ") } }
            #expect(late.count == (57 - first + 1) * ranks)
            #expect(late.filter { !$0.hasSuffix(": 0") } == [])
            // Checkpoints were written meanwhile.
            #expect(FileManager.default.fileExists(atPath: "\(run.suite.folder)/run/checkpoints/step-00000055"))
            for task in 0..<4 { #expect(late.contains { $0.contains("of task \(task):") }) }
        }
    }
#endif
