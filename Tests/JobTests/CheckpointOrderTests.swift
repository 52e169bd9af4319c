#if os(Linux)
    import Foundation
    import TestSupport
    import Testing

    /// What reaches the disk before what, as the kernel sees it.
    @Suite(.serialized) final class CheckpointOrderTests {
        private let run: SmallRun

        init() throws { run = try SmallRun() }

        deinit {
            do { try run.suite.remove() } catch { Issue.record(error) }
        }

        private static let strace: String? = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
            .map { "\($0)/strace" }.first { FileManager.default.isExecutableFile(atPath: $0) }

        @Test(.enabled(if: CheckpointOrderTests.strace != nil, "strace is not installed"))
        func
            `Everything is on the disk before the checkpoint gets its name, and its name before training counts on it`()
            throws
        {
            let folder = run.newFolder()
            let trace = "\(run.suite.folder)/trace"
            let settings = ["train=[single]", "epochs=1", "checkpoint_steps=3", "keep_last=1", "folder=\(folder)"]
            let result = try runJob(
                ranks: 2, executable: try #require(Self.strace),
                arguments: [
                    "-ff", "-ttt", "-T", "-y", "-e", "trace=fsync,rename,renameat,renameat2,write,pwrite64,ftruncate",
                    "-o",
                    trace, productPath("mtdnn-worker"), run.suite.runFile,
                ] + settings.flatMap { ["--set", $0] })
            try #require(result.status == 0, "\(result.error)")
            let calls = try Self.calls(of: trace)

            let partial = "\(folder)/checkpoints/step-00000006.partial"
            let files = ["shard-000-of-002.h5", "shard-001-of-002.h5", "model.h5", "manifest.json"]
            func last(_ name: String, of path: String) throws -> Double {
                try #require(calls.last { $0.name == name && $0.paths.first == path }?.time, "\(name) of \(path)")
            }
            let rename = try last("rename", of: partial)
            for file in files {
                let path = "\(partial)/\(file)"
                let written = try #require(
                    calls.last { ["write", "pwrite64", "ftruncate"].contains($0.name) && $0.paths.first == path }?.time)
                let synchronized = try last("fsync", of: path)
                #expect(written < synchronized && synchronized < rename, "\(file)")
            }
            // The manifest speaks for the others: it is written when they are on the disk.
            let manifest = try #require(
                calls.first { $0.name == "write" && $0.paths.first == "\(partial)/manifest.json" })
            for file in files.dropLast() { #expect(try last("fsync", of: "\(partial)/\(file)") < manifest.time) }
            #expect(try last("fsync", of: partial) > last("fsync", of: "\(partial)/manifest.json"))
            #expect(try last("fsync", of: partial) < rename)
            // The log reaches as far as the checkpoint.
            let log = calls.filter { $0.name == "fsync" && $0.paths.first == "\(folder)/metrics.jsonl" }
            #expect(log.contains { $0.time > manifest.time && $0.time < rename })
            // Only when the new name is on the disk, the old checkpoint goes.
            let folders = calls.filter { $0.name == "fsync" && $0.paths.first == "\(folder)/checkpoints" }
            let removal = try last("rename", of: "\(folder)/checkpoints/step-00000003")
            #expect(folders.contains { $0.time > rename && $0.time < removal })
            #expect(calls.contains { $0.name == "fsync" && $0.paths.first == folder })
        }

        private struct Call {
            let time: Double
            let name: String
            /// The file of the descriptor, or the paths in quotes.
            let paths: [String]
        }

        /// The calls of all threads of all ranks in the order of time. A call counts from its beginning, but an `fsync` from its end.
        private static func calls(of trace: String) throws -> [Call] {
            let folder = (trace as NSString).deletingLastPathComponent
            let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasPrefix("trace.") }
            var calls: [Call] = []
            for name in names {
                let text = try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
                for line in text.split(separator: "\n") {
                    let parts = line.split(separator: " ", maxSplits: 1)
                    guard parts.count == 2, var time = Double(parts[0]), let open = parts[1].firstIndex(of: "(") else {
                        continue
                    }
                    let call = String(parts[1][..<open])
                    if call == "fsync", let duration = line.split(separator: "<").last?.dropLast() {
                        time += try #require(Double(duration))
                    }
                    let arguments = parts[1][open...]
                    let paths =
                        call.hasPrefix("rename")
                        ? arguments.split(separator: "\"").enumerated().filter { $0.offset % 2 == 1 }
                            .map { String($0.element) }
                        : arguments.firstIndex(of: "<").flatMap { start in
                            arguments[start...].firstIndex(of: ">").map {
                                [String(arguments[arguments.index(after: start)..<$0])]
                            }
                        } ?? []
                    calls.append(Call(time: time, name: call.hasPrefix("rename") ? "rename" : call, paths: paths))
                }
            }
            return calls.sorted { $0.time < $1.time }
        }
    }
#endif
