import Foundation

/// What went wrong with a file: which file, where in it, and why.
public struct StorageError: Error, Equatable, CustomStringConvertible {
    /// The path of the file or folder.
    public let file: String
    /// The dataset, tensor, bytes or call at fault.
    public let place: String
    /// Why, as far as the library or the operating system says.
    public let reason: String

    /// Names what failed and why.
    public init(file: String, place: String, reason: String) {
        self.file = file
        self.place = place
        self.reason = reason
    }

    /// One sentence: `FILE: PLACE: REASON`.
    public var description: String { "\(file): \(place): \(reason)" }

    /// The failure of a call of the operating system, read from `errno` right after the call.
    static func system(_ call: String, _ file: String) -> StorageError {
        StorageError(file: file, place: call, reason: String(cString: strerror(errno)))
    }
}

/// Returns what `call` returned, or throws the error that it left in `errno`, for calls that return -1 on failure.
///
/// A call that a signal interrupted is made again.
@discardableResult
func system<Result: SignedInteger>(
    _ name: String, _ file: String, _ call: () -> Result
) throws(StorageError) -> Result {
    while true {
        let result = call()
        if result != -1 { return result }
        if errno != EINTR { throw .system(name, file) }
    }
}
