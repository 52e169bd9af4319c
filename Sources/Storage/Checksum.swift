import Crypto
import Foundation

/// SHA-256 sums, as 64 hexadecimal digits in lower case.
public enum Checksum {
    /// The sum of bytes in memory.
    public static func sha256(of bytes: UnsafeRawBufferPointer) -> String {
        var hash = SHA256()
        hash.update(bufferPointer: bytes)
        return hexadecimal(hash.finalize())
    }

    /// The sum of bytes in memory.
    public static func sha256(of bytes: some ContiguousBytes) -> String {
        bytes.withUnsafeBytes { sha256(of: $0) }
    }

    /// The sum of a file's contents, read a megabyte at a time.
    /// - Parameter look: is shown each piece.
    public static func sha256(
        ofFile path: String, look: (_ bytes: UnsafeRawBufferPointer) -> Void = { _ in }
    ) throws(StorageError) -> String {
        let descriptor = try system("open", path) { open(path, O_RDONLY | O_CLOEXEC) }
        defer { close(descriptor) }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
        defer { buffer.deallocate() }
        var hash = SHA256()
        while true {
            let count = try system("read", path) { read(descriptor, buffer.baseAddress, buffer.count) }
            if count == 0 { return hexadecimal(hash.finalize()) }
            let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            look(bytes)
            hash.update(bufferPointer: bytes)
        }
    }

    /// A sum over bytes that come in parts.
    public struct Running {
        private var hash = SHA256()

        /// The sum of no bytes.
        public init() {}

        /// Adds bytes.
        public mutating func add(_ bytes: UnsafeRawBufferPointer) { hash.update(bufferPointer: bytes) }

        /// The sum of all bytes so far.
        public var text: String { Checksum.hexadecimal(hash.finalize()) }
    }

    private static func hexadecimal(_ digest: SHA256.Digest) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
