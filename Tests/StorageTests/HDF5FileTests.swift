import Foundation
import TestSupport
import Testing

@testable import Storage

@Suite struct HDF5FileTests {
    let folder = TemporaryFolder()

    @Test func `Every element type comes back as it was written`() throws {
        let path = folder.path("types.h5")
        let file = try HDF5File(creating: path)
        try file.write([Float.greatestFiniteMagnitude, -0.0, .infinity], to: "/a/b/float")
        try file.write([Double.pi, -.leastNonzeroMagnitude], to: "a/b/double")
        try file.write([Int32.min, 0, .max], to: "int32")
        try file.write([Int64.min, 0, .max], to: "int64")
        try file.write([UInt8.min, 7, .max], to: "uint8")
        try file.close()

        let copy = try HDF5File(reading: path)
        #expect(try copy.read("a/b/float", as: Float.self) == [.greatestFiniteMagnitude, -0.0, .infinity])
        #expect(try copy.read("/a/b/double", as: Double.self) == [.pi, -.leastNonzeroMagnitude])
        #expect(try copy.read("int32", as: Int32.self) == [.min, 0, .max])
        #expect(try copy.read("int64", as: Int64.self) == [.min, 0, .max])
        #expect(try copy.read("uint8", as: UInt8.self) == [.min, 7, .max])
        #expect(try copy.exists("/a/b/float"))
        #expect(try copy.exists("/"))
        #expect(try !copy.exists("a/c/float"))
        try copy.close()
    }

    @Test func `Rows are written and read in parts`() throws {
        let path = folder.path("rows.h5")
        let file = try HDF5File(creating: path)
        try file.create("matrix", shape: [5, 3], of: Float.self)
        let upper: [Float] = [10, 11, 12, 20, 21, 22]
        try upper.withUnsafeBufferPointer { try file.write($0, rows: 1..<3, of: "matrix") }
        try [Float]().withUnsafeBufferPointer { try file.write($0, rows: 4..<4, of: "matrix") }
        try file.create("vector", shape: [4], of: Int64.self)
        try [Int64(7)].withUnsafeBufferPointer { try file.write($0, rows: 3..<4, of: "vector") }
        try file.close()

        let copy = try HDF5File(reading: path)
        #expect(try copy.shape(of: "matrix") == [5, 3])
        #expect(try copy.read("matrix", as: Float.self) == [0, 0, 0] + upper + [0, 0, 0, 0, 0, 0])
        #expect(try copy.read("vector", as: Int64.self) == [0, 0, 0, 7])
        var row = [Float](repeating: -1, count: 3)
        try row.withUnsafeMutableBufferPointer { try copy.read("matrix", rows: 2..<3, into: $0) }
        #expect(row == [20, 21, 22])
    }

    @Test func `Single numbers and empty arrays have their shapes`() throws {
        let path = folder.path("shapes.h5")
        let file = try HDF5File(creating: path)
        try [Float(3)].withUnsafeBufferPointer { try file.write($0, shape: [], to: "number") }
        try [Float]().withUnsafeBufferPointer { try file.write($0, shape: [0, 4], to: "empty") }
        try file.close()
        let copy = try HDF5File(reading: path)
        #expect(try copy.shape(of: "number") == [])
        #expect(try copy.read("number", as: Float.self) == [3])
        #expect(try copy.shape(of: "empty") == [0, 4])
        #expect(try copy.read("empty", as: Float.self) == [])
        #expect(try copy.offset(of: "empty", as: Float.self) == nil)
    }

    @Test func `Datasets can be mapped where HDF5 says they lie`() throws {
        let path = folder.path("mapped.h5")
        let file = try HDF5File(creating: path)
        // An odd number of bytes before, so that only alignment makes the next array readable.
        try file.write([UInt8](repeating: 1, count: 4099), to: "bytes")
        let numbers = (0..<1000).map { Int64($0 * $0) }
        try file.write(numbers, to: "numbers")
        try file.close()
        let copy = try HDF5File(reading: path)
        let offset = try #require(try copy.offset(of: "numbers", as: Int64.self))
        let mapped = try MappedFile(path)
        #expect(try Array(mapped.pointer(at: offset, count: 1000, as: Int64.self)) == numbers)
        #expect(throws: StorageError.self) { try copy.offset(of: "numbers", as: Int32.self) }
    }

    @Test func `A reserved dataset is what is written where it lies, large ones at the beginning of a block`() throws {
        let path = folder.path("reserved.h5")
        let file = try HDF5File(creating: path, block: 4096)
        let arrays = [3, 2000, 1, 1024, 5000].map { count in (0..<count).map { Float($0) + 1 / Float(count) } }
        let offsets = try arrays.enumerated().map { index, array in
            let offset = try #require(try file.reserve("all/array \(index)", shape: [array.count], of: Float.self))
            try file.setAttribute("rowStart", of: "all/array \(index)", to: Int64(index))
            return offset
        }
        #expect(try file.reserve("none", shape: [0, 3], of: Float.self) == nil)
        try file.close()
        let direct = try DirectFile(writing: path)
        for (array, offset) in zip(arrays, offsets) {
            if array.count >= 1024 { #expect(offset.isMultiple(of: 4096)) }
            _ = try array.withUnsafeBytes { try direct.write([(offset, $0)]) }
        }
        let copy = try HDF5File(reading: path)
        for (index, array) in arrays.enumerated() {
            #expect(try copy.read("all/array \(index)", as: Float.self) == array)
            #expect(try copy.integer(attribute: "rowStart", of: "all/array \(index)") == Int64(index))
        }
        #expect(try copy.read("none", as: Float.self) == [])
    }

    @Test func `Attributes come back, on the file and on datasets`() throws {
        let path = folder.path("attributes.h5")
        let file = try HDF5File(creating: path)
        try file.write([Float(1)], to: "weights/first")
        try file.setAttribute("rowStart", of: "weights/first", to: 42)
        try file.setAttribute("shape", of: "weights/first", to: [30522, -768])
        try file.setAttribute("none", of: "weights/first", to: [])
        try file.setAttribute("made by", of: "/", to: "größer ≥ 1")
        try file.setAttribute("nothing", of: "/", to: "")
        try file.close()
        let copy = try HDF5File(reading: path)
        #expect(try copy.integer(attribute: "rowStart", of: "weights/first") == 42)
        #expect(try copy.integers(attribute: "shape", of: "weights/first") == [30522, -768])
        #expect(try copy.integers(attribute: "none", of: "weights/first") == [])
        #expect(try copy.string(attribute: "made by", of: "/") == "größer ≥ 1")
        #expect(try copy.string(attribute: "nothing", of: "/") == "")
        #expect(try copy.attributeNames() == ["made by", "nothing"])
        #expect(try copy.attributeNames(of: "weights") == [])
        #expect(throws: StorageError.self) { try copy.string(attribute: "rowStart", of: "weights/first") }
        #expect(throws: StorageError.self) { try copy.integer(attribute: "shape", of: "weights/first") }
        #expect(throws: StorageError.self) { try copy.integer(attribute: "made by", of: "/") }
    }

    @Test func `A virtual dataset shows other files, and a missing one as NaN`() throws {
        let shards = [(name: "part 100%.h5", rows: 2), (name: "part-1.h5", rows: 0), (name: "part-2.h5", rows: 1)]
        var firstRow = 0
        var sources: [VirtualSource] = []
        for shard in shards {
            let file = try HDF5File(creating: folder.path(shard.name))
            let values = (0..<shard.rows * 3).map { Float(firstRow * 3 + $0) }
            try values.withUnsafeBufferPointer { try file.write($0, shape: [shard.rows, 3], to: "parameters/w") }
            try file.close()
            sources.append(
                VirtualSource(file: shard.name, dataset: "/parameters/w", rowCount: shard.rows, firstRow: firstRow))
            firstRow += shard.rows
        }
        let path = folder.path("model.h5")
        let file = try HDF5File(creating: path)
        try file.createVirtual("parameters/w", shape: [4, 3], sources: sources)
        try file.createVirtual("nothing", shape: [2], sources: [])
        try file.close()

        func read() throws -> [Float] {
            let copy = try HDF5File(reading: path)
            #expect(try copy.read("nothing", as: Float.self).allSatisfy { $0.isNaN })
            return try copy.read("parameters/w", as: Float.self)
        }
        let whole = try read()
        #expect(whole[..<9] == [0, 1, 2, 3, 4, 5, 6, 7, 8])
        #expect(whole[9...].allSatisfy { $0.isNaN })

        try FileManager.default.removeItem(atPath: folder.path("part 100%.h5"))
        let damaged = try read()
        #expect(damaged[..<6].allSatisfy { $0.isNaN })
        #expect(damaged[6..<9] == [6, 7, 8])
    }

    @Test func `Equal contents make equal files`() throws {
        let sums = try (0..<2).map { number in
            let path = folder.path("equal-\(number).h5")
            let file = try HDF5File(creating: path)
            try file.write([Float](repeating: 1, count: 100), to: "a/b")
            try file.setAttribute("text", of: "/", to: "same")
            try file.close()
            if number == 0 { Thread.sleep(forTimeInterval: 1.1) }
            return try Checksum.sha256(ofFile: path)
        }
        #expect(sums[0] == sums[1])
    }

    @Test func `Errors name the file, the object and HDF5's reason`() throws {
        let missing = folder.path("missing.h5")
        let error = #expect(throws: StorageError.self) { try HDF5File(reading: missing) }
        #expect(error?.file == missing)
        #expect(error?.description.contains("No such file or directory") == true)

        let path = folder.path("errors.h5")
        let file = try HDF5File(creating: path)
        try file.write([Float(1), 2], to: "present")
        try file.close()
        #expect(throws: StorageError.self) { try file.shape(of: "present") }
        #expect(throws: StorageError.self) { try HDF5File(creating: path) }
        let copy = try HDF5File(reading: path)
        let absent = #expect(throws: StorageError.self) { try copy.read("absent", as: Float.self) }
        #expect(absent?.description == "\(path): open dataset absent: object 'absent' doesn't exist")
        let wrongType = #expect(throws: StorageError.self) { try copy.read("present", as: Int32.self) }
        #expect(wrongType?.reason == "its elements are not Int32")
        var three = [Float](repeating: 0, count: 3)
        let wrongSize = #expect(throws: StorageError.self) {
            try three.withUnsafeMutableBufferPointer { try copy.read("present", into: $0) }
        }
        #expect(wrongSize?.reason == "its shape is [2], where 3 elements were expected")
        #expect(throws: StorageError.self) {
            try three.withUnsafeMutableBufferPointer { try copy.read("present", rows: 0..<3, into: $0) }
        }
        // A file that is being read and had an error is still good.
        try copy.close()
    }

    @Test func `A lock on a file, as a child process inherits it, keeps nobody from reading`() throws {
        let path = folder.path("locked.h5")
        let file = try HDF5File(creating: path)
        try file.write([Float(1), 2], to: "present")
        try file.close()
        let descriptor = open(path, O_RDONLY)
        defer { close(descriptor) }
        try #require(flock(descriptor, LOCK_EX | LOCK_NB) == 0)
        #expect(try HDF5File(reading: path).read("present", as: Float.self) == [1, 2])
    }

    @Test func `A file that failed to be written cannot be closed as good`() throws {
        let file = try HDF5File(creating: folder.path("failed.h5"))
        try file.write([Float(1)], to: "twice")
        let first = #expect(throws: StorageError.self) { try file.write([Float(1)], to: "twice") }
        try file.write([Float(1)], to: "fine")
        let atClose = #expect(throws: StorageError.self) { try file.close() }
        #expect(atClose == first)
    }

    @Test func `A full disk is an error of writing and of closing`() async {
        // A process of its own, because the limit that stands for the full disk is the whole process's.
        await #expect(processExitsWith: .exitCode(42)) {
            signal(SIGXFSZ, SIG_IGN)
            var limit = rlimit(rlim_cur: 1 << 20, rlim_max: 1 << 20)
            guard setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0 else { exit(1) }
            let folder = TemporaryFolder()
            var failures: [StorageError] = []
            do {
                try replaceFile(at: folder.path("full.h5")) { temporaryPath in
                    let file = try HDF5File(creating: temporaryPath)
                    do throws(StorageError) {
                        try file.write([Float](repeating: 1, count: 1 << 20), to: "large")
                    } catch {
                        failures.append(error)
                    }
                    try file.close()
                }
            } catch let error as StorageError {
                failures.append(error)
            }
            guard failures.count == 2, failures[0] == failures[1], failures[0].place == "write dataset large",
                failures[0].reason.contains("File too large"), try folder.names.isEmpty
            else { exit(1) }
            exit(42)
        }
    }

    @Test func `A file leads to no other file, and nothing is believed that its bytes cannot hold`() throws {
        // References/hdf5_links.py made it.
        let path = References.path("hdf5_links.h5")
        let file = try HDF5File(reading: path)
        let link = #expect(throws: StorageError.self) { try file.shape(of: "link") }
        #expect(link?.place == "open dataset link")
        let target = try HDF5File(reading: References.path("hdf5_links_target.h5"))
        #expect(try target.read("secret", as: Float.self) == [1, 1, 1, 1])
        try target.close()
        for (dataset, shape) in [("raw", [4]), ("huge", [1 << 40])] {
            #expect(try file.shape(of: dataset) == shape)
            let error = #expect(throws: StorageError.self) { try file.offset(of: dataset, as: Float.self) }
            #expect(error?.description == "\(path): locate dataset \(dataset): not stored in one piece in this file")
        }
        try file.close()
    }

    @Test func `Any thread may use a file of its own`() async throws {
        try await withThrowingTaskGroup(of: [Float].self) { group in
            for number in 0..<8 {
                let path = folder.path("thread-\(number).h5")
                group.addTask {
                    for _ in 0..<20 {
                        try replaceFile(at: path) {
                            let file = try HDF5File(creating: $0)
                            try file.write([Float](repeating: Float(number), count: 100), to: "a/b/c")
                            try file.close()
                        }
                    }
                    return try HDF5File(reading: path).read("a/b/c", as: Float.self)
                }
            }
            for try await values in group { #expect(Set(values).count == 1) }
        }
    }
}
