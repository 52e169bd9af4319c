import Foundation
import TestSupport
import Testing

@testable import Storage

@Suite struct FileTests {
    let folder = TemporaryFolder()

    @Test func `The operating system's reason is told where Foundation has none`() throws {
        let file = try folder.write("file", [1])
        do {
            try FileManager.default.createDirectory(atPath: "\(file)/inside", withIntermediateDirectories: true)
            Issue.record("a folder inside a file")
        } catch {
            #expect(systemReason(error) == "Not a directory", "\(error)")
        }
        do {
            _ = try FileManager.default.contentsOfDirectory(atPath: file)
            Issue.record("a file's entries")
        } catch {
            #expect(systemReason(error) == "Not a directory", "\(error)")
        }
    }

    @Test func `A mapped file gives elements inside of it and refuses all others`() throws {
        let file = try MappedFile(try folder.write("bytes", Array(0..<20)))
        #expect(try Array(file.pointer(at: 4, count: 2, as: UInt32.self)) == [0x0706_0504, 0x0B0A_0908])
        #expect(try file.pointer(at: 20, count: 0, as: UInt64.self).isEmpty)
        for (offset, count) in [(16, 2), (20, 1), (21, 0), (-4, 1), (0, -1), (0, Int.max), (Int.max, 1), (4, 1 << 62)] {
            #expect(throws: StorageError.self) { try file.pointer(at: offset, count: count, as: UInt32.self) }
        }
        let error = #expect(throws: StorageError.self) { try file.pointer(at: 2, count: 1, as: UInt32.self) }
        #expect(error?.place == "byte 2")
    }

    @Test func `A sealed file ends in the sum of its bytes`() throws {
        let path = try folder.write("sealed", Array("abc".utf8))
        try Seal.append(to: path)
        // The published sum of "abc".
        let sum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "abc\nsha256 \(sum)\n")
        try Seal.check(MappedFile(path))
        let empty = try folder.write("empty", [])
        #expect(throws: StorageError.self) { try Seal.check(MappedFile(empty)) }
        try Seal.append(to: empty)
        try Seal.check(MappedFile(empty))
    }

    @Test func `Empty files map, folders and missing files do not`() throws {
        #expect(try MappedFile(try folder.write("empty", [])).bytes.isEmpty)
        #expect(throws: StorageError.self) { try MappedFile(folder.path("missing")) }
        #expect(throws: StorageError.self) { try MappedFile(folder.path(".")) }
    }

    @Test func `Checksums are those of the standard, in memory and of files`() throws {
        // Examples of FIPS 180-2.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        let million = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        #expect(Checksum.sha256(of: Array("abc".utf8)) == abc)
        #expect(try Checksum.sha256(ofFile: try folder.write("abc", Array("abc".utf8))) == abc)
        let letters = [UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000)
        #expect(try Checksum.sha256(ofFile: try folder.write("million", letters)) == million)
        // More than one piece.
        let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 * 7) }
        #expect(try Checksum.sha256(ofFile: try folder.write("long", bytes)) == Checksum.sha256(of: bytes))
        #expect(throws: StorageError.self) { try Checksum.sha256(ofFile: folder.path("missing")) }
    }

    @Test func `Bytes that go past the cache come to lie where they belong, whatever their number, address and place`()
        throws
    {
        let block = DirectFile.block
        let source = UnsafeMutableRawBufferPointer.allocate(byteCount: 6 * block, alignment: block)
        defer { source.deallocate() }
        for index in source.indices { source[index] = UInt8(truncatingIfNeeded: index &* 31 >> 3) }
        for (first, count, offset) in [
            (0, 4 * block, block), (0, block, 0), (0, 2 * block + 100, 3 * block), (0, 7, block), (4, 3 * block, block),
            (0, 3 * block, 12), (5, 3 * block + 1, 13), (0, 0, block),
        ] {
            var expected = [UInt8](repeating: 9, count: 5 * block + 50)
            let path = try folder.write("direct", expected)
            let bytes = UnsafeRawBufferPointer(rebasing: source[first..<(first + count)])
            let file = try DirectFile(writing: path)
            let sum = try file.write([(offset, bytes)])
            if offset + count > expected.count {
                expected += Array(repeating: 0, count: offset + count - expected.count)
            }
            expected.replaceSubrange(offset..<(offset + count), with: bytes)
            #expect(try Array(Data(contentsOf: URL(fileURLWithPath: path))) == expected, "\((first, count, offset))")
            #expect(sum == (expected.count, Checksum.sha256(of: expected)))
        }
        #expect(throws: StorageError.self) { try DirectFile(writing: folder.path("missing")) }
    }

    @Test func `The sum of a written file is that of the bytes that were meant, in the order of their places`() throws {
        let path = try folder.write("meant", [UInt8](repeating: 7, count: 10_000_000))
        let numbers: [UInt8] = (0..<9_000_000).map { UInt8(truncatingIfNeeded: $0 * 13) }
        try numbers.withUnsafeBytes { bytes in
            let file = try DirectFile(writing: path)
            let parts = [
                (offset: 6_500_000, bytes: UnsafeRawBufferPointer(rebasing: bytes[6_000_000...])),
                (offset: 4096, bytes: UnsafeRawBufferPointer(rebasing: bytes[..<6_000_000])),
            ]
            let sum = try file.write(parts)
            try file.synchronize()
            #expect(sum == (10_000_000, Checksum.sha256(of: try Data(contentsOf: URL(fileURLWithPath: path)))))
            // A disk that at once holds another byte than it was given does not get the sum of what it holds.
            let disk = try #require(FileHandle(forUpdatingAtPath: path))
            #expect(try file.write(parts) { pwrite(disk.fileDescriptor, [bytes[904] ^ 1], 1, 5000) } == sum)
            #expect(try Checksum.sha256(ofFile: path) != sum.sha256)
        }
    }

    @Test func `What is not there has no contents, and what cannot be read is an error`() throws {
        #expect(try contentsIfPresent(folder.path("missing")) == nil)
        #expect(try contentsIfPresent(try folder.write("file", [1]) + "/below") == nil)
        #expect(try contentsIfPresent(try folder.write("empty", [])) == Data())
        let long = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 * 3) }
        #expect(try contentsIfPresent(try folder.write("long", long)) == Data(long))
        let error = #expect(throws: StorageError.self) { try contentsIfPresent(folder.path(".")) }
        #expect(error?.place == "read")
    }

    @Test func `A file that a person names is read whole, and neither a pipe nor a device is waited for`() throws {
        #expect(try contents(ofFile: try folder.write("file", [1, 2])) == Data([1, 2]))
        let pipe = folder.path("pipe")
        #expect(mkfifo(pipe, 0o600) == 0)
        for (path, reason) in [
            (folder.path("missing"), "no such file"), (folder.path("file/below"), "no such file"),
            (folder.path("."), "is a folder, not a file"),
            (pipe, "is a pipe or a device; write what comes from it to a file, and name that"),
            ("/dev/zero", "is a pipe or a device; write what comes from it to a file, and name that"),
        ] {
            let error = #expect(throws: UnreadableFile.self) { try contents(ofFile: path) }
            #expect(error?.reason == reason, "\(path)")
        }
    }

    @Test func `A folder is made with those above it, and where that cannot be the reason is said`() throws {
        for _ in 1...2 { try createFolder(folder.path("a/b")) }
        #expect(try folder.names == ["a"])
        let file = try folder.write("file", [])
        let error = #expect(throws: StorageError.self) { try createFolder("\(file)/below") }
        #expect(error?.description == "\(file)/below: cannot be created: Not a directory")
    }

    @Test func `A replaced file is the new one, or the old one if writing failed`() throws {
        struct Failure: Error {}
        let path = try folder.write("file", [1])
        try replaceFile(at: path) { try Data([2]).write(to: URL(fileURLWithPath: $0)) }
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data([2]))
        #expect(throws: Failure.self) {
            try replaceFile(at: path) {
                try Data([3]).write(to: URL(fileURLWithPath: $0))
                throw Failure()
            }
        }
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data([2]))
        #expect(try folder.names == ["file"])
        #expect(throws: StorageError.self) { try synchronize(folder.path("missing")) }
    }
}
