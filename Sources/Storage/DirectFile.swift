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
    /// Bytes that are written at once. Their sum is taken before the next are: the disk, and the core that serves it, are not kept busy by one write after another.
    private static let portion = 1024 * block

    /// Opens an existing file for writing.
    public init(writing path: String) throws(StorageError) {
        self.path = path
        cached = try system("open", path) { open(path, O_RDWR | O_CLOEXEC) }
        direct = openDirect(path)
    }

    deinit {
        close(cached)
        if let direct { close(direct) }
    }

    /// Waits until all that was written is on the disk.
    public func synchronize() throws(StorageError) {
        try system("fsync", path) { fsync(cached) }
    }

    /// Writes each part at its offset; returns the file's size and the SHA-256 of what it is meant to hold: only what lies between the parts is read.
    ///
    /// So a disk that gives back other bytes than it was given has no sum that vouches for them. They may not be on the disk yet: `synchronize` waits for that.
    /// - Parameters:
    ///   - parts: of which none overlaps another.
    ///   - progress: is called now and then.
    public func write(
        _ parts: [(offset: Int, bytes: UnsafeRawBufferPointer)], progress: () -> Void = {}
    ) throws(StorageError) -> (size: Int, sha256: String) {
        var sum = Checksum.Running()
        var place = 0
        for (offset, bytes) in parts.sorted(by: { $0.offset < $1.offset }) where !bytes.isEmpty {
            try addStored(place..<offset, to: &sum)
            for start in stride(from: 0, to: bytes.count, by: Self.portion) {
                let end = min(start + Self.portion, bytes.count)
                let portion = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
                try write(portion, at: offset + start)
                sum.add(portion)
                progress()
            }
            place = offset + bytes.count
        }
        var status = stat()
        try system("fstat", path) { fstat(cached, &status) }
        try addStored(place..<Int(status.st_size), to: &sum)
        return (Int(status.st_size), sum.text)
    }

    private func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(StorageError) {
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

    private func addStored(_ range: Range<Int>, to sum: inout Checksum.Running) throws(StorageError) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 1)
        defer { buffer.deallocate() }
        var place = range.lowerBound
        while place < range.upperBound {
            let count = try system("read", path) {
                pread(cached, buffer.baseAddress, min(buffer.count, range.upperBound - place), off_t(place))
            }
            guard count > 0 else { throw StorageError(file: path, place: "byte \(place)", reason: "is missing") }
            sum.add(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            place += count
        }
    }
}

/// Opens a file for writing past the cache; nil where that is not to be had.
private func openDirect(_ path: String) -> Int32? {
    #if os(Linux)
        let descriptor = open(path, O_WRONLY | __O_DIRECT | O_CLOEXEC)
    #else
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        if descriptor >= 0 { _ = fcntl(descriptor, F_NOCACHE, 1) }
    #endif
    return descriptor >= 0 ? descriptor : nil
}
