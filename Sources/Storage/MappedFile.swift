import Foundation

/// A file whose contents appear in memory as they are touched, read-only and shared by all processes of the machine.
///
/// The file must not be shortened while it is mapped: touching what is gone ends the process.
public final class MappedFile: @unchecked Sendable {  // the bytes never change, nor does where they lie
    /// The file's path.
    public let path: String
    /// The whole contents.
    public let bytes: UnsafeRawBufferPointer

    /// Maps the file at `path`; an empty file maps to no bytes.
    public init(_ path: String) throws(StorageError) {
        self.path = path
        let descriptor = try system("open", path) { open(path, O_RDONLY | O_CLOEXEC) }
        // The mapping outlives the descriptor.
        defer { close(descriptor) }
        var status = stat()
        try system("fstat", path) { fstat(descriptor, &status) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw StorageError(file: path, place: "open", reason: "not a regular file")
        }
        let size = Int(status.st_size)
        guard size > 0 else {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        guard let address = mmap(nil, size, PROT_READ, MAP_SHARED, descriptor, 0), address != MAP_FAILED else {
            throw .system("mmap", path)
        }
        bytes = UnsafeRawBufferPointer(start: address, count: size)
    }

    deinit {
        if let address = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: address), bytes.count) }
    }

    /// The `count` elements that start `offset` bytes into the file; they are valid as long as this object lives.
    ///
    /// Throws if they reach beyond the file or do not lie at a multiple of their alignment.
    public func pointer<Element: BitwiseCopyable>(
        at offset: Int, count: Int, as type: Element.Type
    ) throws(StorageError) -> UnsafeBufferPointer<Element> {
        guard offset >= 0, count >= 0 else {
            throw error(offset, "\(count) elements is no range of the file")
        }
        let (byteCount, overflow) = count.multipliedReportingOverflow(by: MemoryLayout<Element>.stride)
        guard !overflow, offset <= bytes.count, byteCount <= bytes.count - offset else {
            throw error(offset, "\(count) elements of \(type) reach beyond the file's \(bytes.count) bytes")
        }
        guard count > 0, let address = bytes.baseAddress else { return UnsafeBufferPointer(start: nil, count: 0) }
        guard offset.isMultiple(of: MemoryLayout<Element>.alignment) else {
            throw error(offset, "not a multiple of \(MemoryLayout<Element>.alignment), the alignment of \(type)")
        }
        let start = (address + offset).bindMemory(to: Element.self, capacity: count)
        return UnsafeBufferPointer(start: start, count: count)
    }

    private func error(_ offset: Int, _ reason: String) -> StorageError {
        StorageError(file: path, place: "byte \(offset)", reason: reason)
    }
}
