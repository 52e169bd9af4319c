import Foundation

/// A file to which large arrays are written without a copy of them in the operating system's cache.
///
/// That copy costs a processor more than all else in writing a file, and memory that others use. Linux lets a write go past it (`O_DIRECT`)
/// where address, place and length are whole blocks. What is not, and every file on a system without such writes, goes through the cache: the
/// file holds the same bytes.
public final class DirectFile {
    /// Bytes of a block: a multiple of what disks and file systems ask for.
    public static let block = 4096

    private let path: String
    private let cached: Int32
    /// The same file for writes past the cache; nil where there are none.
    private let direct: Int32?

    /// Opens an existing file for writing.
    public init(writing path: String) throws(StorageError) {
        self.path = path
        cached = try system("open", path) { open(path, O_WRONLY | O_CLOEXEC) }
        direct = openDirect(path, O_WRONLY)
    }

    deinit {
        close(cached)
        if let direct { close(direct) }
    }

    /// Waits until all that was written is on the disk.
    public func synchronize() throws(StorageError) {
        try system("fsync", path) { fsync(cached) }
    }

    /// Writes `bytes` at `offset`. They may not be on the disk yet: `synchronize` waits for that.
    public func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(StorageError) {
        let address = UInt(bitPattern: bytes.baseAddress)
        var done = 0
        if let direct, offset.isMultiple(of: Self.block), address.isMultiple(of: UInt(Self.block)) {
            let blocks = bytes.count / Self.block * Self.block
            while done < blocks {
                let count = pwrite(direct, bytes.baseAddress! + done, blocks - done, off_t(offset + done))
                if count < 0, errno == EINTR { continue }
                // What is left is tried through the cache, which also tells why, should the disk be full or broken.
                guard count > 0 else { break }
                done += count
            }
        }
        while done < bytes.count {
            let count = try system("write", path) {
                pwrite(cached, bytes.baseAddress! + done, bytes.count - done, off_t(offset + done))
            }
            guard count > 0 else { throw StorageError(file: path, place: "write", reason: "takes no more bytes") }
            done += count
        }
    }
}

/// Opens a file for reading or writing past the cache; nil where that is not to be had.
func openDirect(_ path: String, _ access: Int32) -> Int32? {
    #if os(Linux)
        let descriptor = open(path, access | __O_DIRECT | O_CLOEXEC)
    #else
        let descriptor = open(path, access | O_CLOEXEC)
        if descriptor >= 0 { _ = fcntl(descriptor, F_NOCACHE, 1) }
    #endif
    return descriptor >= 0 ? descriptor : nil
}
