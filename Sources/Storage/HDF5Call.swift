internal import CHDF5
import Foundation

/// The one place where HDF5's return codes become errors.
///
/// A build of HDF5 without thread safety corrupts its own state when two threads call it, so one lock, which costs
/// nothing beside a call, surrounds them all.
enum HDF5 {
    private static let lock = NSLock()

    /// Returns what `call` returned, or throws with HDF5's own most specific message if it returned a negative number.
    ///
    /// - Parameters:
    ///   - file: The file's path, for the message.
    ///   - place: What was done to which object, for the message.
    static func check<Result: SignedInteger>(
        _ file: String, _ place: @autoclosure () -> String, _ call: () -> Result
    ) throws(StorageError) -> Result {
        lock.lock()
        defer { lock.unlock() }
        prepare()
        let result = call()
        if result < 0 { throw StorageError(file: file, place: place(), reason: topMessage()) }
        return result
    }

    /// Opens an HDF5 object for the length of `body`.
    ///
    /// Closing writes what HDF5 still buffers, so its return code counts as much as any other.
    static func with<Value>(
        _ file: String, _ place: @autoclosure () -> String,
        open: () -> hid_t, close: (hid_t) -> herr_t, _ body: (hid_t) throws(StorageError) -> Value
    ) throws(StorageError) -> Value {
        let identifier = try check(file, place(), open)
        let value: Value
        do {
            value = try body(identifier)
        } catch {
            release { close(identifier) }
            throw error
        }
        _ = try check(file, place()) { close(identifier) }
        return value
    }

    /// Closes an object that failed already, or that nobody closed, where a second failure has no one to go to.
    static func release(_ close: () -> herr_t) {
        lock.withLock {
            prepare()
            _ = close()
        }
    }

    /// HDF5 closes what is open when the process ends, and crashes there on a file whose closing failed before.
    private static let withoutExitHandler = H5dont_atexit()

    /// No file leads to another one: what was checked is what is read.
    private static let withoutExternalLinks = H5Lunregister(H5L_TYPE_EXTERNAL)

    private static func prepare() {
        _ = withoutExitHandler
        _ = withoutExternalLinks
        // Every thread has an error stack of its own, which prints to standard error unless told otherwise.
        H5Eset_auto2(hid_t(H5E_DEFAULT), nil, nil)
    }

    /// The system's own words, such as "No space left on device", where HDF5 quotes them among addresses and offsets.
    private static func systemReason(in text: String) -> String? {
        guard let start = text.range(of: "error message = '"),
            let end = text[start.upperBound...].firstIndex(of: "'")
        else { return nil }
        return String(text[start.upperBound..<end])
    }

    /// What HDF5 noted last in the innermost function, such as "object 'tokens' doesn't exist".
    private static func topMessage() -> String {
        var message: UnsafePointer<CChar>?
        var text = "HDF5 gives no reason"
        H5Ewalk2(
            hid_t(H5E_DEFAULT), H5E_WALK_UPWARD,
            { depth, entry, result in
                if depth == 0, let description = entry?.pointee.desc {
                    result?.assumingMemoryBound(to: UnsafePointer<CChar>?.self).pointee = description
                }
                return 0
            }, &message)
        if let message { text = String(cString: message) }
        return systemReason(in: text) ?? text
    }
}
