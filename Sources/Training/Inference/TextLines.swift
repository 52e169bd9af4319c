import Data
import Foundation

/// The lines of a file or of standard input as they come, for a program that answers each.
public struct TextLines {
    /// What messages call it.
    public let name: String
    private let handle: FileHandle

    /// Opens the file at `path`; `-` is standard input.
    public init(_ path: String) throws {
        guard path != "-" else {
            (name, handle) = ("standard input", .standardInput)
            return
        }
        guard let file = FileHandle(forReadingAtPath: path) else { throw TrainingError("\(path): cannot be read") }
        (name, handle) = (path, file)
    }

    /// Calls `body` with the lines that are there, and the number of the first from 1, until there are no more. Waits for lines, but never for
    /// more than one: who writes a line and waits for the answer gets it.
    public func forEachBlock(_ body: ([Foundation.Data], Int) throws -> Void) throws {
        var rest = Foundation.Data(), next = 1
        while true {
            let bytes = try readSome()
            var lines: [Foundation.Data] = []
            rest += bytes
            while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                lines.append(TextLines.withoutReturn(rest[..<end]))
                rest = rest[(end + 1)...]
            }
            rest = Foundation.Data(rest)
            if bytes.isEmpty, !rest.isEmpty { lines.append(TextLines.withoutReturn(rest)) }
            if !lines.isEmpty { try body(lines, next) }
            next += lines.count
            if bytes.isEmpty { return }
        }
    }

    /// What is there, up to a bound; empty at the end.
    private func readSome() throws -> Foundation.Data {
        var buffer = Foundation.Data(count: 1 << 16)
        let count = buffer.withUnsafeMutableBytes { bytes in
            var count = -1
            repeat {
                count = read(handle.fileDescriptor, bytes.baseAddress, bytes.count)
            } while count < 0 && errno == EINTR
            return count
        }
        guard count >= 0 else { throw TrainingError("\(name): \(String(cString: strerror(errno)))") }
        return buffer.prefix(count)
    }

    private static func withoutReturn(_ line: Foundation.Data) -> Foundation.Data {
        line.last == UInt8(ascii: "\r") ? line.dropLast() : line
    }
}
