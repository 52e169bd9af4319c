import Foundation

/// Waits until the contents of the file, or the entries of the folder, at `path` are on the disk.
///
/// The corresponding C function is `fsync`. A new or renamed file survives a power cut only when its folder has been
/// synchronized too.
public func synchronize(_ path: String) throws(StorageError) {
    let descriptor = try system("open", path) { open(path, O_RDONLY | O_CLOEXEC) }
    defer { close(descriptor) }
    try system("fsync", path) { fsync(descriptor) }
}

/// Makes the file at `path` in one step: afterwards it is either the whole new one, on the disk, or what it was before.
///
/// - Parameter write: Creates a file at the temporary path that it is given, in the same folder. Whatever it throws
///   leaves nothing behind.
public func replaceFile(at path: String, _ write: (_ temporaryPath: String) throws -> Void) throws {
    let temporaryPath = "\(path).\(hostName).\(ProcessInfo.processInfo.processIdentifier).partial"
    // A process of the same number may have died here before.
    unlink(temporaryPath)
    do {
        try write(temporaryPath)
        try synchronize(temporaryPath)
        try system("rename", path) { rename(temporaryPath, path) }
    } catch let error as CocoaError {
        unlink(temporaryPath)
        // Foundation's own description is a page of domains and keys.
        throw StorageError(file: path, place: "writing", reason: systemReason(error))
    } catch {
        unlink(temporaryPath)
        throw error
    }
    let folder = (path as NSString).deletingLastPathComponent
    try synchronize(folder.isEmpty ? "." : folder)
}

/// Removes what a process that died here had begun to make for the file at `path`. For files that one job alone makes.
public func removeUnfinished(_ path: String) throws(StorageError) {
    let (folder, name) = ((path as NSString).deletingLastPathComponent, (path as NSString).lastPathComponent)
    for entry in try entriesIfPresent(folder.isEmpty ? "." : folder)
    where entry.hasPrefix("\(name).") && entry.hasSuffix(".partial") {
        let unfinished = (folder as NSString).appendingPathComponent(entry)
        try system("unlink", unfinished) { unlink(unfinished) }
    }
}

/// Processes of several hosts, or containers, may have the same number and share a folder.
private let hostName: String = {
    var name = [UInt8](repeating: 0, count: 256)
    let result = name.withUnsafeMutableBytes {
        gethostname($0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count - 1)
    }
    return result == 0 ? String(decoding: name.prefix { $0 != 0 }, as: UTF8.self) : ""
}()

/// Makes a folder and those above it, where they are not there yet.
public func createFolder(_ path: String) throws(StorageError) {
    do {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
        throw StorageError(file: path, place: "cannot be created", reason: systemReason(error))
    }
}
