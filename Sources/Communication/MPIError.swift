internal import CMPI

/// A failed MPI call, with MPI's own text.
public struct MPIError: Error, Equatable, CustomStringConvertible {
    /// The MPI function, or ours, that failed.
    public let call: String
    /// Why.
    public let reason: String

    /// One sentence: `CALL: REASON`.
    public var description: String { "\(call): \(reason)" }

    init(call: String, reason: String) {
        self.call = call
        self.reason = reason
    }

    init(call: String, code: Int32) {
        var text = [CChar](repeating: 0, count: Int(MPI_MAX_ERROR_STRING))
        var length: Int32 = 0
        MPI_Error_string(code, &text, &length)
        self.init(
            call: call, reason: String(decoding: text.prefix(Int(length)).map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }
}

/// Makes an MPI call; throws unless the MPI function `call` returned success. The one place where return codes become errors.
func check(_ call: StaticString, _ code: @autoclosure () -> Int32) throws(MPIError) {
    let code = MPIActivity.noting(code)
    if code != MPI_SUCCESS { throw MPIError(call: "\(call)", code: code) }
}

/// MPI 3 counts in 32 bits; throws for a count beyond.
func count32(_ call: StaticString, _ count: Int) throws(MPIError) -> Int32 {
    guard let count32 = Int32(exactly: count) else {
        throw MPIError(call: "\(call)", reason: "\(count) elements in one message, where MPI allows \(Int32.max)")
    }
    return count32
}
