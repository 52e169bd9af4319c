import Foundation
import TestSupport
import Testing

@testable import Storage

@Suite struct SafeTensorsTests {
    let folder = TemporaryFolder()

    @Test(arguments: ["f16", "bf16", "f32", "f64"])
    func `Files of the Python package read as the numbers that it wrote`(type: String) throws {
        let file = try SafeTensors(References.path("safetensors_\(type).safetensors"))
        #expect(try file.shape(of: "encoder.weight") == [3, 4])
        #expect(try file.shape(of: "scalar") == [])
        #expect(try file.shape(of: "empty") == [0, 4])
        #expect(try file.read("scalar") == [-7])
        #expect(try file.read("empty") == [])
        #expect(file.contains("empty"))
        #expect(!file.contains("__metadata__"))

        // What the fixture's program wrote, rounded as its type rounds.
        let isShort = type == "bf16"
        let numbers: [Float] = [
            0, -0.0, 1, -2.5, isShort ? 0.333984375 : 0.333251953125, 6.103515625e-05, 5.9604644775390625e-08,
            isShort ? 65536 : 65504, .infinity, -.infinity, .nan, 3.140625,
        ]
        let values = try file.read("encoder.weight")
        for (value, number) in zip(values, numbers) {
            #expect(value == number && value.sign == number.sign || value.isNaN && number.isNaN)
        }
    }

    @Test func `Integers are read as such and nothing else is`() throws {
        let file = try SafeTensors(References.path("safetensors_f64.safetensors"))
        #expect(file.names == ["empty", "encoder.weight", "flags", "integers.32", "integers.64", "scalar"])
        #expect(try file.readIntegers("integers.32") == [Int64(Int32.min), 0, Int64(Int32.max)])
        #expect(try file.readIntegers("integers.64") == [.min, -1, 0, .max])
        #expect(throws: StorageError.self) { try file.readIntegers("scalar") }
        #expect(throws: StorageError.self) { try file.read("flags") }
        #expect(throws: StorageError.self) { try file.read("missing") }
        var one: [Float] = [0]
        #expect(throws: StorageError.self) {
            try one.withUnsafeMutableBufferPointer { try file.read("encoder.weight", into: $0) }
        }
    }

    @Test func `What is written is read again`() throws {
        let path = folder.path("written.safetensors")
        let name = "quote \" backslash \\ tab \t é 😀"
        try SafeTensors.write(
            [("b", [2, 2], [1, -0.0, .infinity, .leastNonzeroMagnitude]), (name, [], [5]), ("none", [3, 0], [])],
            to: path)
        let file = try SafeTensors(path)
        #expect(file.names == ["b", "none", name])
        #expect(try file.shape(of: "b") == [2, 2])
        #expect(try file.read("b") == [1, -0.0, .infinity, .leastNonzeroMagnitude])
        #expect(try file.read(name) == [5])
        #expect(try folder.names == ["written.safetensors"])

        try SafeTensors.write([], to: path)
        #expect(try SafeTensors(path).names == [])
    }

    /// A header, the size of the data behind it, and what must be said about it.
    static let hostile: [(header: String, dataSize: Int, complaint: String)] = [
        ("", 0, "header byte 0: expected an object"),
        ("[]", 0, "header byte 0: expected an object"),
        ("not JSON", 0, "header byte 0: expected an object"),
        ("{", 0, "header byte 1: expected a string"),
        ("{\"a", 0, "header byte 3: the string does not end"),
        ("{\"a\" {}}", 0, "header byte 5: expected a colon"),
        ("{\"a\":[[[[", 0, "header byte 5: expected an object"),
        (String(repeating: "{\"a\":", count: 100_000), 0, "tensor a: unexpected or repeated key a"),
        ("{\"\\x\":{}}", 0, "header byte 4: an unknown escape in a string"),
        ("{\"\\ud800\":{}}", 0, "half a character"),
        ("{\"\\u12g4\":{}}", 0, "header byte 7: not a hexadecimal digit"),
        ("{\"a\u{1}\":{}}", 0, "header byte 4: a control character in a string"),
        ("{} {}", 0, "header byte 3: something follows the header's object"),
        ("{\"__metadata__\":{\"a\":1}}", 0, "header byte 21: expected a string"),
        ("{\"__metadata__\":{},\"__metadata__\":{}}", 0, "__metadata__ occurs twice"),
        ("{\"a\":{}}", 0, "tensor a: dtype is missing"),
        ("{\"a\":{\"dtype\":\"F32\"}}", 0, "tensor a: shape is missing"),
        ("{\"a\":{\"dtype\":\"F32\",\"shape\":[]}}", 0, "tensor a: data_offsets are missing"),
        ("{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}}", 4, "tensor a: unexpected or repeated key dtype"),
        (tensor("a", "F33", "1", "0,4"), 4, "tensor a: the dtype F33 is unknown"),
        (tensor("a", "F32", "-1", "0,4"), 4, "expected a whole number from 0 up"),
        (tensor("a", "F32", "1.0", "0,4"), 4, "expected a comma or the end of the list"),
        (tensor("a", "F32", "99999999999999999999", "0,4"), 4, "the number is too large"),
        (tensor("a", "F32", "4294967296,4294967296", "0,0"), 0, "the shape [4294967296, 4294967296] overflows"),
        (tensor("a", "F32", "4611686018427387904", "0,0"), 0, "the shape [4611686018427387904] of F32 overflows"),
        (tensor("a", "F32", "1", "0"), 4, "tensor a: data_offsets are 1 numbers instead of 2"),
        (tensor("a", "F32", "1", "4,0"), 4, "tensor a: data_offsets end before they start"),
        (tensor("a", "F32", "2", "0,4"), 4, "tensor a: 4 bytes of data for the shape [2] of F32"),
        (tensor("a", "F32", "2", "0,8"), 4, "tensor a: bytes 0..<8 lie beyond the 4 bytes of data"),
        (tensor("a", "F32", "1", "4,8"), 8, "tensor a: there is a gap before its data"),
        (tensor("a", "F32", "1", "0,4"), 8, "data: 4 bytes belong to no tensor"),
        (pair("a", "0,4", "a", "4,8"), 8, "the tensor a occurs twice"),
        (pair("a", "0,4", "\\u0061", "4,8"), 8, "the tensor a occurs twice"),
        (pair("a", "0,4", "b", "0,4"), 4, "its data overlap with another tensor's"),
    ]

    static func tensor(_ name: String, _ type: String, _ shape: String, _ places: String) -> String {
        "{\"\(name)\":{\"dtype\":\"\(type)\",\"shape\":[\(shape)],\"data_offsets\":[\(places)]}}"
    }

    static func pair(_ first: String, _ firstPlaces: String, _ second: String, _ secondPlaces: String) -> String {
        tensor(first, "F32", "1", firstPlaces).dropLast() + "," + tensor(second, "F32", "1", secondPlaces).dropFirst()
    }

    static func bytes(_ header: [UInt8], dataSize: Int) -> [UInt8] {
        withUnsafeBytes(of: UInt64(header.count).littleEndian, Array.init) + header
            + [UInt8](repeating: 0, count: dataSize)
    }

    @Test func `Hostile headers are refused, each with its own reason`() throws {
        for (header, dataSize, complaint) in Self.hostile {
            let path = try folder.write("hostile", Self.bytes(Array(header.utf8), dataSize: dataSize))
            let error = #expect(throws: StorageError.self) { try SafeTensors(path) }
            #expect(error?.description.contains(complaint) == true, "\(header.prefix(60)): \(error?.description ?? "")")
        }
        for (bytes, complaint) in [
            ([UInt8](repeating: 0, count: 7), "the file has only 7 bytes"),
            ([255, 255, 255, 255, 255, 255, 255, 255, 0], "its 18446744073709551615 bytes reach beyond"),
            ([2, 0, 0, 0, 0, 0, 0, 0, 0x7B], "its 2 bytes reach beyond the file's 9"),
            (Self.bytes([0x7B, 0x22, 0xFF, 0x22], dataSize: 0), "the string is not UTF-8"),
        ] {
            let error = try #require(throws: StorageError.self) {
                try SafeTensors(try folder.write("hostile", bytes))
            }
            #expect(error.description.contains(complaint), "\(error)")
        }
    }

    @Test func `Damaged files never crash the reader`() throws {
        let original = try [UInt8](
            Data(contentsOf: URL(fileURLWithPath: References.path("safetensors_f64.safetensors"))))
        let punctuation = Array("0123456789[]{},:\"\\".utf8)
        var random = SplitMix(state: 1)
        var refused = 0
        for _ in 0..<2000 {
            var bytes = original
            for _ in 0...Int.random(in: 0..<4, using: &random) {
                // Mostly in the header, where damage matters.
                let place = Int.random(in: 0..<(Bool.random(using: &random) ? 16 : bytes.count), using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[place] = .random(in: 0...255, using: &random)
                case 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                case 2: bytes.remove(at: place)
                default: bytes.insert(punctuation[Int.random(in: punctuation.indices, using: &random)], at: place)
                }
            }
            let path = try folder.write("mutated", bytes)
            do {
                let file = try SafeTensors(path)
                for name in file.names where try file.shape(of: name).count == 2 {
                    do { _ = try file.read(name) } catch {}
                }
            } catch {
                refused += 1
            }
        }
        #expect(refused > 1000)
    }
}

/// A small seeded generator, so that a failure can be repeated.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
