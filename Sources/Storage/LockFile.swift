import Foundation

/// A file that processes lock, with a text that says who did.
///
/// The system gives a process's lock back at its end, however that comes, so a lock never outlives its holder. Other hosts see it where
/// the file system shares locks among hosts.
public final class LockFile {
    /// What a lock excludes.
    public enum Kind: Sendable {
        /// Any other lock.
        case exclusive
        /// Exclusive locks.
        case shared
    }

    /// Whether the file system has locks, as far as seen yet: where it has none, `tryLock` always succeeds.
    public private(set) var hasLocks = true
    private let path: String
    private let descriptor: Int32

    /// Opens the file at `path`, which is made where there is none.
    public init(_ path: String) throws(StorageError) {
        self.path = path
        descriptor = try system("open", path) { open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644) }
    }

    deinit { close(descriptor) }

    /// Takes the lock, in place of one that this object holds; returns false at once where another's excludes it.
    ///
    /// The corresponding C function is `flock`. The lock belongs to the open file: one of the process, as `fcntl` gives it, would be lost
    /// whenever any part of the program closes the same file.
    public func tryLock(_ kind: Kind) throws(StorageError) -> Bool {
        while flock(descriptor, (kind == .exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB) == -1 {
            switch errno {
            case EINTR: continue
            case EWOULDBLOCK: return false
            case ENOLCK, EOPNOTSUPP, ENOSYS, EINVAL:
                hasLocks = false
                return true
            default: throw .system("flock", path)
            }
        }
        return true
    }

    /// Whether the path leads to another file by now: this one was removed, and somebody made one anew.
    public var isReplaced: Bool {
        var own = stat()
        var present = stat()
        guard fstat(descriptor, &own) == 0, stat(path, &present) == 0 else { return false }
        return (own.st_dev, own.st_ino) != (present.st_dev, present.st_ino)
    }

    /// Gives the lock back.
    public func unlock() { flock(descriptor, LOCK_UN) }

    /// The text of the file, as it is on the disk and not as this host may remember it.
    public func read() throws(StorageError) -> [UInt8] {
        // Network file systems look for others' changes when a file is opened.
        let fresh = try system("open", path) { open(path, O_RDONLY | O_CLOEXEC) }
        defer { close(fresh) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = try system("read", path) { pread(fresh, &bytes, bytes.count, 0) }
        return Array(bytes.prefix(count))
    }

    /// Replaces the text of the file.
    public func write(_ bytes: [UInt8]) throws(StorageError) {
        let count = try system("write", path) { pwrite(descriptor, bytes, bytes.count, 0) }
        guard count == bytes.count else { throw StorageError(file: path, place: "write", reason: "was cut off") }
        _ = try system("ftruncate", path) { ftruncate(descriptor, off_t(bytes.count)) }
    }
}
