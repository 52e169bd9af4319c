import Foundation

/// The contents of the file at `path`; nil where there is none.
///
/// One that is there and cannot be read is an error: it may hold what must not be lost, and would be if it passed for missing.
public func contentsIfPresent(_ path: String) throws(StorageError) -> Data? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    if descriptor < 0, errno == ENOENT || errno == ENOTDIR { return nil }
    guard descriptor >= 0 else { throw .system("open", path) }
    defer { close(descriptor) }
    var contents = Data()
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
        let count = try system("read", path) {
            buffer.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
        }
        if count == 0 { return contents }
        contents += buffer[..<count]
    }
}

/// The names of what is in the folder at `path`; none where there is no folder.
public func entriesIfPresent(_ path: String) throws(StorageError) -> [String] {
    guard FileManager.default.fileExists(atPath: path) else { return [] }
    do {
        return try FileManager.default.contentsOfDirectory(atPath: path)
    } catch {
        throw StorageError(file: path, place: "cannot be read", reason: systemReason(error))
    }
}
