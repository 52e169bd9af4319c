import Foundation
import Storage
import TestSupport
import Testing

@testable import Training

/// `mtdnn inspect`, `verify` and `export` on the checkpoints of a real run.
@Suite(.serialized) final class CheckpointCommandTests {
    private let run: SmallRun
    private let folder: String

    init() throws {
        run = try SmallRun()
        folder = run.newFolder()
        let settings = ["epochs=1", "checkpoint_steps=10", "keep_last=9", "folder=\(folder)"]
        try #require(run.start(ranks: 3, settings).status == 0)
    }

    deinit {
        do { try run.suite.remove() } catch { Issue.record(error) }
    }

    private func mtdnn(_ arguments: String...) throws -> JobResult {
        try runAlone(executable: "mtdnn", arguments: arguments)
    }

    private var last: String { "\(folder)/checkpoints/step-00000019" }

    @Test func `inspect tells what is in a run and in a checkpoint`() throws {
        let ofRun = try mtdnn("inspect", folder)
        #expect(ofRun.status == 0, "\(ofRun.error)")
        let lines = ofRun.output.split(separator: "\n").map(String.init)
        #expect(lines[0] == folder)
        #expect(lines[1].hasPrefix("  step 10 ") && lines[2].hasPrefix("  step 19 "))
        #expect(lines[2].contains("mean score ") && lines[2].hasSuffix("best, newest"))
        #expect(lines[3] == last)

        let ofCheckpoint = try mtdnn("inspect", last)
        #expect(ofRun.output.hasSuffix(ofCheckpoint.output))
        // Indented by two; sums by group and files by four. `encoder` stands for sizes first and for a group of parameters then.
        let rows = ofCheckpoint.output.split(separator: "\n").dropFirst().map { line in
            let words = line.trimmingCharacters(in: .whitespaces).components(separatedBy: "   ")
            return (name: words[0], text: words.dropFirst().joined().trimmingCharacters(in: .whitespaces))
        }
        func row(_ name: String) -> String? { rows.first { $0.name == name }?.text }
        #expect(row("step") == "19" && row("ranks") == "3" && row("tasks") == "[single, score, pair, query]")
        #expect(row("encoder")?.contains("hidden_size 32") == true)
        #expect(row("settings")?.contains("batch_size 7") == true)
        let manifest = try Checkpoint(path: last).manifest
        for file in manifest.files { #expect(row(file.name) == "\(file.size) bytes, SHA-256 \(file.sha256)") }
        let names = [
            "word_embeddings", "encoder", "pooler", "heads.single", "heads.score", "heads.pair", "heads.query",
        ]
        let groups = names.map { name in rows.last { $0.name == name }.flatMap { Int($0.text) } ?? 0 }
        #expect(row("parameters") == "\(groups.reduce(0, +))")
        #expect(groups[2] == 32 * 32 + 32 && groups[3] == 2 * 32 + 2)
    }

    @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/full"), "needs /dev/full"))
    func `An answer that finds no room is an error, and a sentence that nobody hears is none`() throws {
        func shell(_ command: String) throws -> JobResult {
            try runAlone(executable: "/bin/sh", arguments: ["-c", "'\(productPath("mtdnn"))' \(command)"])
        }
        let lost = try shell("inspect '\(folder)' >/dev/full")
        #expect(
            lost.status == 1 && lost.error == "Error: standard output: cannot be written: No space left on device\n")
        // The refusal itself finds no room: the exit code says it.
        #expect(try shell("verify '\(folder)/none' 2>/dev/full").status == 1)
        #expect(try shell("export --hdf5 '\(folder)/all.h5' '\(last)' >/dev/full").status == 0)
    }

    @Test func `verify names every damaged file and exits with an error`() throws {
        let whole = try mtdnn("verify", folder)
        #expect(whole.status == 0)
        let lines = whole.output.split(separator: "\n")
        #expect(lines.count == 2 && lines[1].hasPrefix("\(last): is whole: step 19, 5 files, "))
        try Data().write(to: URL(fileURLWithPath: "\(last)/model.h5"))
        try FileManager.default.removeItem(atPath: "\(last)/shard-002-of-003.h5")
        let damaged = try mtdnn("verify", folder)
        #expect(damaged.status == 1)
        #expect(damaged.output.contains("step-00000010: is whole: step 10, 5 files, "))
        #expect(damaged.output.contains("\(last)/shard-002-of-003.h5: is missing\n"))
        #expect(damaged.output.contains("\(last)/model.h5: is damaged: it has 0 bytes instead of "))
        #expect(try mtdnn("verify", "\(folder)/checkpoints/step-00000010").status == 0)
        let nothing = try mtdnn("verify", "\(folder)/nothing")
        #expect(nothing.status != 0)
        #expect(nothing.error.contains("\(folder)/nothing: is neither a checkpoint nor a run folder with one"))
    }

    /// Changes a file of a checkpoint, and the manifest so that all sums hold.
    private func falsify(_ name: String, _ change: (inout Data) -> Void) throws {
        let url = URL(fileURLWithPath: "\(last)/\(name)")
        var bytes = try Data(contentsOf: url)
        change(&bytes)
        try bytes.write(to: url)
        var manifest = try Checkpoint(path: last).manifest
        let index = try #require(manifest.files.firstIndex { $0.name == name })
        manifest.files[index] = try Manifest.describe(url.path)
        try manifest.encoded().write(to: URL(fileURLWithPath: "\(last)/\(Manifest.name)"))
    }

    @Test func `A shard that is no HDF5 file, though all sums hold, is refused by its name`() throws {
        try falsify("shard-001-of-003.h5") { $0[0] ^= 1 }
        try Checkpoint(path: last).verify()
        let verified = try mtdnn("verify", last)
        #expect(verified.status == 1)
        #expect(verified.output.hasPrefix("\(last)/shard-001-of-003.h5: open: "))
        let exported = try mtdnn("export", "--hdf5", "\(folder)/plain.h5", last)
        #expect(exported.status == 1 && exported.error.contains("\(last)/shard-001-of-003.h5: open: "))
    }

    @Test(
        .enabled(if: PreloadedLibrary.compiler != nil, "there is no C compiler `cc` for the library that crashes"),
        arguments: [("crash", "crashed (signal 11) while it read"), ("spin", "did not come to an end while it read")])
    func `A checkpoint on which HDF5 crashes or works for ever is a damaged one`(how: String, message: String) throws {
        let library = try PreloadedLibrary.compile("HostileFiles/failing_hdf5.c", into: run.suite.folder)
        let result = try runAlone(
            executable: "mtdnn", arguments: ["verify", folder],
            environment: ["LD_PRELOAD": library, "FAILING_HDF5": how, "FAILING_HDF5_UNDER": "/step-00000019/"])
        #expect(result.status == 1, "\(result.error)")
        let lines = result.output.split(separator: "\n")
        #expect(lines.count == 2 && lines[0].contains("step-00000010: is whole: "))
        #expect(lines[1] == "\(last): is damaged, though its checksums hold: HDF5 \(message)")
    }

    @Test func `export writes every tensor whole into one plain file`() throws {
        let file = "\(folder)/plain.h5"
        let result = try mtdnn("export", "--hdf5", file, folder)
        #expect(result.status == 0, "\(result.error)")
        #expect(result.output.contains("\(folder): takes step 19, the best whole checkpoint\nwrote "))
        // Alone in a folder of its own it has all it needs.
        let elsewhere = "\(run.suite.folder)/elsewhere.h5"
        try FileManager.default.moveItem(atPath: file, toPath: elsewhere)
        let plain = try HDF5File(reading: elsewhere)
        let view = try HDF5File(reading: "\(last)/model.h5")
        let parameters = try Checkpoint(path: last).manifest.origin.parameters
        #expect(parameters.count > 50)
        for (name, shape) in parameters {
            let values = try plain.read("parameters/\(name)", as: Float.self)
            #expect(try plain.shape(of: "parameters/\(name)") == shape)
            #expect(try values == view.read("parameters/\(name)", as: Float.self) && values.allSatisfy(\.isFinite))
        }
        try plain.close()
        try view.close()
        #expect(try mtdnn("export", "--hdf5", elsewhere, folder).error.contains("\(elsewhere): exists; remove it"))
    }
}
