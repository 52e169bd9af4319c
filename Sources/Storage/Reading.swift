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

/// Why a file cannot be read as a whole: a phrase that follows its name.
public struct UnreadableFile: Error {
    /// The phrase.
    public let reason: String
}

/// Throws where a person named anything but a regular file that can be read. A pipe or a device may have no end, and what one rank reads of it the
/// others do not get.
public func requireRegularFile(_ path: String) throws(UnreadableFile) {
    var status = stat()
    guard stat(path, &status) == 0, access(path, R_OK) == 0 else {
        let isMissing = errno == ENOENT || errno == ENOTDIR
        throw UnreadableFile(reason: isMissing ? "no such file" : "cannot be read: \(String(cString: strerror(errno)))")
    }
    guard status.st_mode & S_IFMT != S_IFDIR else { throw UnreadableFile(reason: "is a folder, not a file") }
    guard status.st_mode & S_IFMT == S_IFREG else {
        throw UnreadableFile(reason: "is a pipe or a device; write what comes from it to a file, and name that")
    }
}

/// The contents of the regular file at `path`, which a person named.
/// - Parameter options: whether it is mapped.
public func contents(ofFile path: String, options: Data.ReadingOptions = []) throws(UnreadableFile) -> Data {
    try requireRegularFile(path)
    do {
        return try Data(contentsOf: URL(fileURLWithPath: path), options: options)
    } catch {
        throw UnreadableFile(reason: "cannot be read: \(systemReason(error))")
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
