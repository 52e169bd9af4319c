import Foundation
import Storage

/// The lines of a text file.
///
/// Works on bytes, because CR LF is a single `Character` in Swift and would hide from a search for the line's end.
/// Takes a byte-order mark, CR LF, and a last line without its end.
struct LineFile {
    let path: String
    /// All of it.
    let data: Data

    /// Maps the file at `path`; `origin` tells where the path was set, for the message when it cannot be read.
    init(path: String, origin: String) throws(ExampleError) {
        self.path = path
        do {
            data = try contents(ofFile: path, options: .mappedIfSafe)
        } catch {
            throw ExampleError(file: path, line: nil, message: "\(error.reason); the path comes from \(origin)")
        }
    }

    /// Calls `body` with each line until it returns false.
    func forEachLine(_ body: (Line) throws(ExampleError) -> Bool) throws(ExampleError) {
        let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]
        var rest = data.starts(with: byteOrderMark) ? data.dropFirst(byteOrderMark.count) : data
        var number = 0
        while !rest.isEmpty {
            let end = rest.position(of: UInt8(ascii: "\n")) ?? rest.endIndex
            var bytes = rest[..<end]
            if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
            rest = rest[end...].dropFirst()
            number += 1
            guard try body(Line(file: path, number: number, bytes: bytes)) else { return }
        }
    }
}

extension Data {
    /// The same as `firstIndex(of:)` and twenty times as fast, which tells in files of hundreds of megabytes.
    func position(of byte: UInt8) -> Index? {
        withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress, let found = memchr(start, Int32(byte), bytes.count) else { return nil }
            return startIndex + (UnsafeRawPointer(found) - start)
        }
    }
}
