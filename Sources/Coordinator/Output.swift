import Foundation
import Storage

/// Where a command's answers go.
struct Output {
    private let name: String
    private let descriptor: Int32

    /// What everybody reads who asks for nothing else.
    static let standard = Output(name: "standard output", descriptor: STDOUT_FILENO)

    /// Calls `body` with the file at `path`: a regular one appears whole or not at all, with the permissions of one that was there; a device or a pipe receives
    /// the answers as they come.
    /// - Parameters:
    ///   - option: what named the file, for messages.
    ///   - inputs: files that the answers are made of, which they must not replace.
    static func with(
        _ path: String, option: String = "--output", inputs: [String] = [], _ body: (Output) throws -> Void
    ) throws {
        guard !path.isEmpty else { throw LaunchError("\(option) is empty; it must name a file") }
        let target = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        var status = stat()
        let exists = stat(target, &status) == 0
        let kind = status.st_mode & S_IFMT
        guard !exists || kind != S_IFDIR else { throw LaunchError("\(option) \(path): is a folder") }
        guard !exists || kind == S_IFREG else {
            return try open(target, named: "\(option) \(path)", O_WRONLY, body)
        }
        let isInput = inputs.contains { input in
            var other = stat()
            return stat(input, &other) == 0 && other.st_dev == status.st_dev && other.st_ino == status.st_ino
        }
        guard !exists || !isInput else { throw LaunchError("\(option) \(path): is what is read; name another file") }
        try replaceFile(at: target) { temporary in
            try open(temporary, named: "\(option) \(path)", O_WRONLY | O_CREAT | O_EXCL, body)
            if exists { chmod(temporary, status.st_mode & 0o7777) }
        }
    }

    private static func open(
        _ path: String, named name: String, _ flags: Int32, _ body: (Output) throws -> Void
    ) throws {
        let descriptor = Foundation.open(path, flags | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else {
            throw LaunchError("\(name): cannot be written: \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        try body(Output(name: name, descriptor: descriptor))
    }

    /// Writes a text and a line's end.
    func say(_ text: String) throws { try write(text + "\n") }

    /// Writes a text; throws a sentence where there is no room for it.
    func write(_ text: String) throws {
        let bytes = Array(text.utf8)
        guard bytes.withUnsafeBytes({ Storage.write($0, to: descriptor) }) == bytes.count else {
            throw LaunchError("\(name): cannot be written: \(String(cString: strerror(errno)))")
        }
    }
}
