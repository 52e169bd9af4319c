import Foundation

/// A last line of a file with the SHA-256 of all bytes before it, so that damage is noticed before anything is made of them.
///
/// HDF5 ends a file where its own header says, so what follows does not disturb it.
public enum Seal {
    private static let beginning = "\nsha256 "
    private static let byteCount = beginning.utf8.count + 64 + 1

    /// Appends the line to a file that has been written without an error.
    public static func append(to path: String) throws(StorageError) {
        let line = Self.line(try Checksum.sha256(ofFile: path))
        let descriptor = try system("open", path) { open(path, O_WRONLY | O_APPEND | O_CLOEXEC) }
        defer { close(descriptor) }
        guard line.withUnsafeBytes({ write($0, to: descriptor) }) == line.count else { throw .system("write", path) }
    }

    /// Throws unless the file ends in a line that fits all bytes before it.
    public static func check(_ file: MappedFile) throws(StorageError) {
        let size = file.bytes.count - byteCount
        guard size >= 0 else {
            throw StorageError(file: file.path, place: "last line", reason: "is damaged: its SHA-256 is missing")
        }
        let expected = line(Checksum.sha256(of: UnsafeRawBufferPointer(rebasing: file.bytes[..<size])))
        guard file.bytes[size...].elementsEqual(expected) else {
            throw StorageError(
                file: file.path, place: "last line", reason: "is damaged: its bytes do not fit its SHA-256")
        }
    }

    private static func line(_ sum: String) -> [UInt8] { Array("\(beginning)\(sum)\n".utf8) }
}
