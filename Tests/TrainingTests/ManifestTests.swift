import Foundation
import Storage
import Testing

@testable import Training

/// Checkpoints on disk as the program that reads them sees them: whole, damaged, foreign, or made to mislead it.
@Suite final class ManifestTests {
    private let run = FileManager.default.temporaryDirectory.appendingPathComponent("manifest-\(UUID().uuidString)")
        .path
    private var folder: CheckpointFolder { CheckpointFolder(run: run) }

    deinit {
        do { try FileManager.default.removeItem(atPath: run) } catch { Issue.record(error) }
    }

    private static let origin = Manifest.Origin(
        seed: 7, settings: "seed: 7\n", tasks: ["a"], taskFile: "", encoder: ["hidden_size": "8"], encoderFiles: "e",
        tokenizer: "t",
        program: "m",
        parameters: ["pooler.dense.bias": [4]])

    /// Writes a checkpoint of two ranks whose files hold a few bytes, with a manifest that `change` may falsify before it is hashed.
    @discardableResult
    private func write(step: Int, score: Double? = nil, _ change: (inout Manifest) -> Void = { _ in }) throws -> String
    {
        let path = folder.path(step: step)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        let names = (0..<2).map { Shard.name(rank: $0, of: 2) } + [ShardView.fileName]
        let files = try names.map { name in
            try Data("\(name) of step \(step)".utf8).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
            return try Manifest.describe("\(path)/\(name)")
        }
        var manifest = Manifest(step: step, score: score, rankCount: 2, origin: Self.origin, files: files)
        change(&manifest)
        try manifest.encoded().write(to: URL(fileURLWithPath: "\(path)/\(Manifest.name)"))
        return path
    }

    /// What the reader says of the checkpoint.
    private func refusal(_ path: String) -> String {
        do {
            try Checkpoint(path: path).verify()
            return "whole"
        } catch {
            return "\(error)".replacing(path, with: "CHECKPOINT")
        }
    }

    @Test func `A manifest comes back as it was written, to the last digit of the score`() throws {
        let path = try write(step: 14, score: 0.1 + 0.2)
        let manifest = try Checkpoint(path: path).manifest
        #expect(manifest.score == 0.1 + 0.2 && manifest.step == 14 && manifest.rankCount == 2)
        #expect(manifest.origin == Self.origin)
        #expect(manifest.files.map(\.name) == ["shard-000-of-002.h5", "shard-001-of-002.h5", "model.h5"])
        #expect(refusal(path) == "whole")
    }

    @Test(arguments: [
        "../shard-000-of-002.h5", "/etc/passwd", "", ".", "..", "shard-000-of-002.h5/", "shard-001-of-002.h5",
        "shard-000-of-003.h5", "other.h5", "manifest.json", "./shard-000-of-002.h5", "shard-000-of-002.h5\0",
        "shard-000-of-002.h5\0.txt", "shard-001-of-002.h5/../shard-000-of-002.h5", "Shard-000-of-002.h5",
    ])
    func `A manifest that names any other file than those of its checkpoint is refused`(name: String) throws {
        let path = try write(step: 3) { $0.files[0].name = name }
        #expect(
            refusal(path)
                == "CHECKPOINT/manifest.json: names \"\(name)\" among its files, which is none of a checkpoint of "
                + "2 ranks or is named twice")
    }

    @Test func `A manifest that leaves files out is refused`() throws {
        let path = try write(step: 3) { $0.files.removeFirst() }
        #expect(refusal(path) == "CHECKPOINT/manifest.json: lacks shard-000-of-002.h5")
    }

    @Test(arguments: [-1, 0, 1025, Int.max])
    func `An impossible number of ranks is refused`(count: Int) throws {
        let path = try write(step: 3) { $0.rankCount = count }
        #expect(refusal(path) == "CHECKPOINT/manifest.json: speaks of \(count) ranks and step 3")
    }

    @Test(arguments: [[], [0], [-1, 4], [1 << 30, 1 << 30], [Int.max, 2]])
    func `Impossible shapes and sizes are refused`(shape: [Int]) throws {
        let path = try write(step: 3) { $0.origin.parameters["w"] = shape }
        #expect(refusal(path) == "CHECKPOINT/manifest.json: gives w the impossible shape \(shape)")
        let other = try write(step: 6) { $0.files[1].size = .max }
        #expect(
            refusal(other) == "CHECKPOINT/manifest.json: gives shard-001-of-002.h5 the impossible size \(Int.max)")
    }

    @Test(arguments: ["", "a/b", "../w", "w\0", "w w", "w\n", "é"])
    func `A parameter whose name leads elsewhere is refused`(name: String) throws {
        let path = try write(step: 3) { $0.origin.parameters[name] = [4] }
        #expect(refusal(path) == "CHECKPOINT/manifest.json: names a parameter \(name.debugDescription)")
    }

    @Test func `Settings of any form are described`() throws {
        let path = try write(step: 3) { $0.origin.settings = ":\n::\n\nseed\nseed: 8\ntrain: [a: b]\nepochs:3" }
        let lines = try CheckpointInspection(path: path).text.split(separator: "\n")
        #expect(lines.contains { $0.hasPrefix("  tasks ") && $0.hasSuffix(" [a: b]") })
        #expect(lines.contains { $0.hasPrefix("  settings ") && $0.hasSuffix(" seed , epochs 3") })
    }

    @Test func `A pipe or a folder in the place of a file is refused`() throws {
        let path = try write(step: 3)
        try FileManager.default.removeItem(atPath: "\(path)/model.h5")
        try #require(mkfifo("\(path)/model.h5", 0o600) == 0)
        #expect(refusal(path) == "CHECKPOINT/model.h5: is no regular file")
        try FileManager.default.removeItem(atPath: "\(path)/manifest.json")
        try FileManager.default.createDirectory(atPath: "\(path)/manifest.json", withIntermediateDirectories: false)
        #expect(refusal(path) == "CHECKPOINT/manifest.json: is no regular file")
    }

    @Test(arguments: ["shard-000-of-002.h5", "model.h5", "manifest.json"])
    func `A link in the place of a file is refused, whatever it leads to`(name: String) throws {
        let path = try write(step: 3)
        try FileManager.default.moveItem(atPath: "\(path)/\(name)", toPath: "\(run)/elsewhere")
        try FileManager.default.createSymbolicLink(atPath: "\(path)/\(name)", withDestinationPath: "\(run)/elsewhere")
        #expect(refusal(path) == "CHECKPOINT/\(name): is no regular file")
    }

    @Test(arguments: [4: "a newer one", 2: "the older one that wrote it"])
    func `A checkpoint of another format is no reason to fall back`(version: Int, cure: String) throws {
        try write(step: 3)
        let path = try write(step: 6) { $0.formatVersion = version }
        #expect(
            refusal(path)
                == "CHECKPOINT/manifest.json: has format version \(version), and this program reads 3: use \(cure)")
        #expect(throws: Manifest.OtherFormat.self) { try folder.newestWhole { _ in } }
        #expect(throws: Manifest.OtherFormat.self) { try folder.bestWhole { _ in } }
    }

    @Test func `Every flipped bit, cut and exchange is noticed, and the checkpoint before taken`() throws {
        let old = try write(step: 3)
        let names = try FileManager.default.contentsOfDirectory(atPath: old)
        try #require(names.count == 4)
        for name in names {
            let whole = try Data(contentsOf: URL(fileURLWithPath: "\(try write(step: 6))/\(name)"))
            var damaged = (0..<whole.count).map { index in
                var bytes = whole
                bytes[index] ^= UInt8(1 << (index % 8))
                return bytes
            }
            damaged += [
                whole.dropLast(), Data(), whole + [0], try Data(contentsOf: URL(fileURLWithPath: "\(old)/\(name)")),
            ]
            for bytes in damaged {
                try bytes.write(to: URL(fileURLWithPath: "\(folder.path(step: 6))/\(name)"))
                var notes: [String] = []
                let newest = try folder.newestWhole { notes.append($0) }
                #expect(newest?.step == 3)
                #expect(notes.count == 1 && notes[0].hasPrefix("passed over a checkpoint: \(folder.path(step: 6))"))
                if name != Manifest.name { #expect(notes[0].contains("/\(name): is damaged: ")) }
            }
        }
    }

    @Test func `A checkpoint under the name of another step is damaged`() throws {
        try write(step: 3)
        try FileManager.default.moveItem(atPath: folder.path(step: 3), toPath: folder.path(step: 9))
        #expect(refusal(folder.path(step: 9)) == "CHECKPOINT/manifest.json: is damaged: it is that of step 3")
    }

    @Test func `All damaged files are named at once`() throws {
        let path = try write(step: 3)
        try Data().write(to: URL(fileURLWithPath: "\(path)/model.h5"))
        try FileManager.default.removeItem(atPath: "\(path)/shard-001-of-002.h5")
        #expect(
            refusal(path) == "CHECKPOINT/shard-001-of-002.h5: is missing; "
                + "CHECKPOINT/model.h5: is damaged: it has 0 bytes instead of 18")
        let verification = try CheckpointVerification(path: run)
        #expect(!verification.isWhole && verification.lines.count == 2)
    }

    @Test func `Only the newest checkpoints and the best one stay, the earlier of two equal ones`() throws {
        for (step, score) in [(3, 0.5), (6, 0.7), (9, nil), (12, 0.7), (15, 0.1), (18, nil)] as [(Int, Double?)] {
            try write(step: step, score: score)
        }
        #expect(try folder.bestWhole { _ in }?.step == 6)
        try folder.prune(keepLast: 2, keepBest: true)
        #expect(try folder.entries().map(\.step) == [18, 15, 6])
        try folder.prune(keepLast: 2, keepBest: false)
        #expect(try folder.entries().map(\.step) == [18, 15])
        try folder.prune(keepLast: 1, keepBest: true)
        #expect(try folder.entries().map(\.step) == [18, 15])
    }

    @Test func `A damaged checkpoint neither counts as kept nor is removed`() throws {
        for step in [3, 6, 9] { try write(step: step) }
        try Data().write(to: URL(fileURLWithPath: "\(folder.path(step: 9))/\(Manifest.name)"))
        try folder.prune(keepLast: 1, keepBest: true)
        #expect(try folder.entries().map(\.step) == [9, 6])
        try folder.setAside(after: 6)
        #expect(try folder.entries().map(\.step) == [6])
        #expect(FileManager.default.fileExists(atPath: "\(folder.path(step: 9)).damaged"))
    }

    @Test func `Where the best checkpoint is damaged the next best is taken, and where none has a score the newest`()
        throws
    {
        for (step, score) in [(3, 0.5), (6, 0.7)] as [(Int, Double?)] { try write(step: step, score: score) }
        try Data().write(to: URL(fileURLWithPath: "\(folder.path(step: 6))/model.h5"))
        var notes: [String] = []
        #expect(try Checkpoint.find(run) { notes.append($0) }.step == 3)
        #expect(notes.count == 2 && notes[1] == "\(run): takes step 3, the best whole checkpoint")
        try write(step: 3)
        try write(step: 9)
        notes = []
        try FileManager.default.removeItem(atPath: folder.path(step: 6))
        #expect(try Checkpoint.find(run) { notes.append($0) }.step == 9)
        #expect(notes == ["\(run): takes step 9, the newest whole checkpoint"])
        #expect(throws: TrainingError("\(run)/none: is neither a checkpoint nor a run folder with a whole one")) {
            try Checkpoint.find("\(run)/none") { _ in }
        }
    }

    @Test func `Other names than those of checkpoints are passed by`() throws {
        try write(step: 3)
        for name in [
            "step-3", "step-00000004.partial", "step-00000005.damaged", "step--0000001", "step-+0000001", "notes",
        ] {
            try FileManager.default.createDirectory(atPath: "\(folder.path)/\(name)", withIntermediateDirectories: true)
        }
        #expect(try folder.entries().map(\.step) == [3])
        try folder.removePartial()
        #expect(!FileManager.default.fileExists(atPath: "\(folder.path)/step-00000004.partial"))
        #expect(FileManager.default.fileExists(atPath: "\(folder.path)/step-00000005.damaged"))
    }
}
