import Foundation
import Storage
import Testing

@testable import Training

/// Shards must together be the whole of every parameter, whatever their checksums say.
@Suite final class ShardTests {
    private let path = FileManager.default.temporaryDirectory.appendingPathComponent("shards-\(UUID().uuidString)").path

    deinit {
        do { try FileManager.default.removeItem(atPath: path) } catch { Issue.record(error) }
    }

    private struct Rows {
        var start: Int64
        var shape: [Int]
        var whole: [Int64] = [3, 2]
    }

    /// A checkpoint of two shards, with its manifest made to fit, so that only the reader stands between them and the model.
    private func write(_ first: Rows, _ second: Rows, secondStep: Int64 = 7) throws -> Checkpoint {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        for (rank, rows) in [first, second].enumerated() {
            let file = try HDF5File(creating: "\(path)/\(Shard.name(rank: rank, of: 2))")
            try file.setAttribute("step", of: "/", to: rank == 0 ? 7 : secondStep)
            let values = (0..<rows.shape.reduce(1, *)).map { Float(10 * rank + $0) }
            try values.withUnsafeBufferPointer { try file.write($0, shape: rows.shape, to: "parameters/w") }
            try file.setAttribute("rowStart", of: "parameters/w", to: rows.start)
            try file.setAttribute("shape", of: "parameters/w", to: rows.whole)
            try file.close()
        }
        try Data().write(to: URL(fileURLWithPath: "\(path)/\(ShardView.fileName)"))
        let origin = Manifest.Origin(
            seed: 1, settings: "", tasks: [], taskFile: "", encoder: [:], encoderFiles: "", tokenizer: "", program: "",
            parameters: ["w": [3, 2]])
        let names = [Shard.name(rank: 0, of: 2), Shard.name(rank: 1, of: 2), ShardView.fileName]
        let manifest = Manifest(
            step: 7, rankCount: 2, origin: origin, files: try names.map { try Manifest.describe("\(path)/\($0)") })
        try manifest.encoded().write(to: URL(fileURLWithPath: "\(path)/\(Manifest.name)"))
        return try Checkpoint(path: path)
    }

    private func read(_ checkpoint: Checkpoint) throws -> [Float] {
        var values: [Float] = []
        try checkpoint.forEachPart { file, part in
            #expect(part.elements.lowerBound == values.count && part.rows.count * 2 == part.elements.count)
            values += try file.read("parameters/\(part.name)", as: Float.self)
        }
        return values
    }

    @Test func `Parts come in order and are exported whole`() throws {
        let checkpoint = try write(Rows(start: 0, shape: [1, 2]), Rows(start: 1, shape: [2, 2]))
        #expect(try read(checkpoint) == [0, 1, 10, 11, 12, 13])
        var notes: [String] = []
        try CheckpointExport.writeHDF5(to: "\(path)/plain.h5", from: path) { notes.append($0) }
        #expect(notes == ["wrote 1 tensors of step 7 to \(path)/plain.h5"])
        let file = try HDF5File(reading: "\(path)/plain.h5")
        #expect(try file.read("parameters/w", as: Float.self) == [0, 1, 10, 11, 12, 13])
        #expect(try file.shape(of: "parameters/w") == [3, 2])
        #expect(try file.integer(attribute: "step", of: "/") == 7)
        try file.close()
        #expect(throws: TrainingError("\(path)/plain.h5: exists; remove it, or give another name")) {
            try CheckpointExport.writeHDF5(to: "\(path)/plain.h5", from: path) { _ in }
        }
    }

    @Test(arguments: [0, 1, 2, 3, 4, 5])
    func `Rows that overlap, lack, reach beyond or have another shape are refused`(kind: Int) throws {
        let second = [
            Rows(start: 0, shape: [2, 2]), Rows(start: 2, shape: [1, 2]), Rows(start: 1, shape: [3, 2]),
            Rows(start: 1, shape: [2, 3]), Rows(start: 1, shape: [4]), Rows(start: 1, shape: [2, 2], whole: [4, 2]),
        ][kind]
        let checkpoint = try write(Rows(start: 0, shape: [1, 2]), second)
        let message = "\(path)/shard-001-of-002.h5: parameters/w does not continue what the shards before it hold"
        #expect(throws: TrainingError(message)) { try self.read(checkpoint) }
    }

    @Test func `Missing last rows are refused`() throws {
        let checkpoint = try write(Rows(start: 0, shape: [1, 2]), Rows(start: 1, shape: [1, 2]))
        #expect(throws: TrainingError("\(path): its shards lack rows of w")) { try self.read(checkpoint) }
    }

    @Test func `A shard of another step is refused though its checksum fits`() throws {
        let checkpoint = try write(
            Rows(start: 0, shape: [1, 2]), Rows(start: 1, shape: [2, 2]), secondStep: 14)
        try checkpoint.verify()
        let message =
            "\(path)/shard-001-of-002.h5: is a shard of step 14 in a checkpoint of step 7; move \(path) away, and take an earlier checkpoint"
        #expect(throws: TrainingError(message)) { try self.read(checkpoint) }
    }
}
