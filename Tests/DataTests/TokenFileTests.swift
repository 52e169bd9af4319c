import Foundation
import Storage
import Testing

@testable import Data

@Suite final class TokenFileTests {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tokens-\(UUID().uuidString)")
    var path: String { folder.appendingPathComponent("train.h5").path }

    init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }
    deinit {
        do { try FileManager.default.removeItem(at: folder) } catch { Issue.record(error) }
    }

    @Test func `Examples come back with their sequences, labels and names`() throws {
        var builder = TokenFile.Builder()
        builder.append([([101, 7592, 102], [0, 0, 0])], label: 2, uid: "dev-0")
        builder.append([([101, 5, 102, 6, 102], [0, 0, 0, 1, 1]), ([], []), ([9], [1])], label: 1, uid: "größer")
        builder.append([], label: .nan, uid: "")
        #expect(builder.exampleCount == 3)
        let attributes = ["task": "qnli", "made by": "a test of ≥ 1 line"]
        try builder.write(to: path, attributes: attributes)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["train.h5"])

        let file = try TokenFile(path)
        #expect(file.exampleCount == 3)
        #expect(file.sequenceCount == 4)
        #expect(file.tokens.count == 9)
        #expect((0..<3).map(file.sequences(of:)) == [0..<1, 1..<4, 4..<4])
        #expect(Array(file.tokens(of: 0)) == [101, 7592, 102])
        #expect(Array(file.tokens(of: 1)) == [101, 5, 102, 6, 102])
        #expect(Array(file.segments(of: 1)) == [0, 0, 0, 1, 1])
        #expect(file.tokens(of: 2).isEmpty)
        #expect(Array(file.tokens(of: 3)) == [9])
        #expect(Array(file.labels[..<2]) == [2, 1])
        #expect(file.labels[2].isNaN)
        #expect((0..<3).map(file.uid(of:)) == ["dev-0", "größer", ""])
        #expect(file.attributes == attributes)
    }

    @Test func `Soft labels come back for each sequence, and must divide among them`() throws {
        var builder = TokenFile.Builder()
        builder.append([([1, 2], [0, 1]), ([3], [0])], label: 0, uid: "a", softLabels: [0.5, -1, 2, 3])
        builder.append([([4], [0])], label: 0, uid: "b", softLabels: [5, 6])
        try builder.write(to: path, attributes: [:])
        let file = try TokenFile(path)
        #expect((0..<3).map { Array(file.softLabels(of: $0)) } == [[0.5, -1], [2, 3], [5, 6]])
        builder.append([([4], [0])], label: 0, uid: "c", softLabels: [7])
        try builder.write(to: path, attributes: [:])
        let error = #expect(throws: StorageError.self) { try TokenFile(self.path) }
        #expect(error?.place == "soft_labels" && error?.reason == "7 entries for 4 sequences")
    }

    @Test func `A file without examples, or without tokens, works`() throws {
        try TokenFile.Builder().write(to: path, attributes: [:])
        let empty = try TokenFile(path)
        #expect(empty.exampleCount == 0)
        #expect(empty.tokens.isEmpty)
        #expect(empty.attributes.isEmpty)

        var builder = TokenFile.Builder()
        builder.append([([], [])], label: 0, uid: "")
        try builder.write(to: path, attributes: [:])
        let tokenless = try TokenFile(path)
        #expect(tokenless.exampleCount == 1)
        #expect(tokenless.tokens(of: 0).isEmpty)
        #expect(tokenless.uid(of: 0) == "")
    }

    @Test func `Many examples of many sizes come back`() throws {
        let sizes = (0..<500).map { number in (0...number % 3).map { number * 31 % 89 + $0 } }
        var builder = TokenFile.Builder()
        for (number, example) in sizes.enumerated() {
            let sequences = example.map { count in
                ([Int32](repeating: Int32(number), count: count), [UInt8](repeating: 1, count: count))
            }
            builder.append(sequences, label: Float(number), uid: "\(number)")
        }
        try builder.write(to: path, attributes: [:])
        let file = try TokenFile(path)
        for (number, example) in sizes.enumerated() {
            #expect(file.sequences(of: number).map { file.tokens(of: $0).count } == example)
            #expect(file.sequences(of: number).allSatisfy { file.tokens(of: $0).allSatisfy { $0 == number } })
            #expect(file.uid(of: number) == "\(number)")
            #expect(file.labels[number] == Float(number))
        }
    }

    /// Writes a file of one example with one sequence of two tokens, of which one dataset is replaced.
    private func writeDamaged(_ name: String, _ values: [Int64]) throws {
        let file = try HDF5File(creating: path)
        try file.write([Int32(1), 2], to: "tokens")
        try file.write(name == "segments" ? [0] : [UInt8(0), 0], to: "segments")
        try file.write(name == "labels" ? [] : [Float(0)], to: "labels")
        try file.write([UInt8](), to: "uids")
        for (dataset, good) in [("sequence_offsets", [0, 2]), ("example_offsets", [0, 1]), ("uid_offsets", [0, 0])] {
            try file.write(dataset == name ? values : good.map { Int64($0) }, to: dataset)
        }
        try file.close()
        try Seal.append(to: path)
    }

    @Test(
        arguments: [
            ("sequence_offsets", [1, 2], "does not start at 0"),
            ("sequence_offsets", [], "does not start at 0"),
            ("sequence_offsets", [0], "ends at 0, where tokens ends at 2"),
            ("sequence_offsets", [0, 3], "ends at 3, where tokens ends at 2"),
            ("sequence_offsets", [0, -1], "falls from 0 to -1 at 1"),
            ("sequence_offsets", [0, 9, 2], "falls from 9 to 2 at 2"),
            ("example_offsets", [0, 2], "ends at 2, where sequence_offsets ends at 1"),
            ("example_offsets", [0, 1, 1], "1 entries for 2 examples"),
            ("uid_offsets", [0], "0 entries for 1 examples"),
            ("uid_offsets", [0, .max], "ends at 9223372036854775807, where uids ends at 0"),
            ("segments", [], "1 entries for 2 tokens"),
            ("labels", [], "0 entries for 1 examples"),
        ] as [(String, [Int64], String)])
    func `Damaged offsets are refused`(dataset: String, values: [Int64], complaint: String) throws {
        try writeDamaged(dataset, values)
        let error = #expect(throws: StorageError.self) { try TokenFile(self.path) }
        #expect(error?.file == path)
        #expect(error?.reason == complaint)
    }

    @Test func `Every flipped bit and every cut is noticed before HDF5 sees the file`() throws {
        var builder = TokenFile.Builder()
        builder.append([([101, 7592, 102], [0, 0, 0])], label: 2, uid: "a")
        try builder.write(to: path, attributes: [:])
        let whole = try Foundation.Data(contentsOf: URL(fileURLWithPath: path))
        var damaged = stride(from: 0, to: whole.count, by: 7).map { index in
            var bytes = whole
            bytes[index] ^= 1 << (index % 8)
            return bytes
        }
        damaged += [whole.dropLast(), whole + [10], whole.dropLast(73), Foundation.Data()]
        for bytes in damaged {
            try bytes.write(to: URL(fileURLWithPath: path))
            let error = #expect(throws: StorageError.self) { try TokenFile(self.path) }
            #expect(error?.place == "last line" && error?.file == path)
        }
    }

    @Test func `Other files are refused`() throws {
        try Foundation.Data("no HDF5".utf8).write(to: URL(fileURLWithPath: path))
        #expect(throws: StorageError.self) { try TokenFile(self.path) }
        #expect(throws: StorageError.self) { try TokenFile("\(self.path)-missing") }
    }
}
