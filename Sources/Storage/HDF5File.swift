internal import CHDF5
import Foundation

/// An HDF5 file, open for reading or being made.
///
/// Objects are named by '/'-separated paths from the root, with or without a leading '/'. Every function throws a
/// `StorageError` that names file, object and HDF5's reason.
///
/// A file being made must be ended by `close()`. HDF5 forgets failed writes: after one on a full disk, closing succeeds
/// and the file opens with zeros in it. So the first failure is kept here, and `close()` throws it again.
public final class HDF5File {
    /// The file's path.
    public let path: String
    /// HDF5's number of the open file; nil once closed.
    private var identifier: hid_t?
    private let isWritable: Bool
    private var firstFailure: StorageError?

    /// Opens an existing file for reading.
    public init(reading path: String) throws(StorageError) {
        self.path = path
        isWritable = false
        identifier = try Self.open(path) { H5Fopen(path, H5F_ACC_RDONLY, $0) }
    }

    /// Makes a new file; one that exists is an error.
    /// - Parameter block: Datasets of as many bytes or more begin at a multiple of it. By default all begin where their elements can be
    ///   read in a mapped file.
    public init(creating path: String, block: Int = 1) throws(StorageError) {
        self.path = path
        isWritable = true
        identifier = try Self.open(path, block: block) { H5Fcreate(path, H5F_ACC_EXCL, hid_t(H5P_DEFAULT), $0) }
    }

    deinit {
        // Nobody is left to tell of a failure; whoever wants to know calls `close`.
        if let identifier { HDF5.release { H5Fclose(identifier) } }
    }

    /// Writes what is buffered and closes the file; throws if this or any earlier call on a file being made failed.
    ///
    /// The bytes have then been given to the operating system; `synchronize(path)` waits for the disk.
    public func close() throws(StorageError) {
        guard let identifier else { return }
        if isWritable, firstFailure == nil {
            // A failure is remembered, and the file closed all the same.
            do { _ = try call("flush") { H5Fflush($0, H5F_SCOPE_GLOBAL) } } catch {}
        }
        self.identifier = nil
        if let firstFailure {
            HDF5.release { H5Fclose(identifier) }
            throw firstFailure
        }
        _ = try HDF5.check(path, "close") { H5Fclose(identifier) }
    }

    /// Whether there is a group or dataset at a path.
    public func exists(_ object: String) throws(StorageError) -> Bool {
        var prefix = ""
        // HDF5 answers only for the last name of a path and fails when an earlier one is missing.
        for name in object.split(separator: "/") {
            prefix += "/\(name)"
            let found = try call("look for \(prefix)") { H5Lexists($0, prefix, hid_t(H5P_DEFAULT)) }
            if found == 0 { return false }
        }
        return true
    }

    private static func open(
        _ path: String, block: Int = 1, _ body: (hid_t) -> hid_t
    ) throws(StorageError) -> hid_t {
        try HDF5.with(
            path, "file access properties", open: { H5Pcreate(H5P_FILE_ACCESS) }, close: H5Pclose
        ) { (properties) throws(StorageError) in
            // Mapped datasets must lie where their elements may be read.
            _ = try HDF5.check(path, "set alignment") {
                H5Pset_alignment(properties, hsize_t(block), hsize_t(max(block, MemoryLayout<Double>.alignment)))
            }
            // HDF5's locks refuse files on network file systems that have none, and outlive a closed file in any child
            // process that was started meanwhile. Files are made under names of their own and never changed after.
            _ = try HDF5.check(path, "set no locks") { H5Pset_file_locking(properties, false, true) }
            return try HDF5.check(path, "open") { body(properties) }
        }
    }
}

// The way from the other parts of this class to HDF5.
extension HDF5File {
    /// Makes one call on the open file, and remembers its failure.
    func call<Result: SignedInteger>(
        _ place: @autoclosure () -> String, _ body: (_ file: hid_t) -> Result
    ) throws(StorageError) -> Result {
        guard let identifier else { throw StorageError(file: path, place: place(), reason: "the file is closed") }
        do {
            return try HDF5.check(path, place()) { body(identifier) }
        } catch {
            throw remember(error)
        }
    }

    /// Opens an object in the file for the length of `body`.
    func with<Value>(
        _ place: @autoclosure () -> String, open: (_ file: hid_t) -> hid_t, close: (hid_t) -> herr_t,
        _ body: (hid_t) throws(StorageError) -> Value
    ) throws(StorageError) -> Value {
        guard let identifier else { throw StorageError(file: path, place: place(), reason: "the file is closed") }
        do {
            return try HDF5.with(path, place(), open: { open(identifier) }, close: close, body)
        } catch {
            throw remember(error)
        }
    }

    /// Keeps the first failure, so that closing cannot make the file look good.
    func remember(_ error: StorageError) -> StorageError {
        if isWritable, firstFailure == nil { firstFailure = error }
        return error
    }

    func failure(_ place: String, _ reason: String) -> StorageError {
        remember(StorageError(file: path, place: place, reason: reason))
    }
}
