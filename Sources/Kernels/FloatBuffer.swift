import Foundation

/// Owns zeros in memory of its own pages: nothing is in use until it is written to, and what was never written reads as zero.
public final class FloatBuffer {
    /// The first element, at the beginning of a page.
    public let pointer: UnsafeMutablePointer<Float>
    /// Number of elements.
    public let count: Int
    /// Number of bytes.
    public var byteCount: Int { max(1, count) * MemoryLayout<Float>.stride }

    /// `count` zeros. Ends the program where the address space has no room.
    public init(count: Int) {
        self.count = count
        let bytes = max(1, count) * MemoryLayout<Float>.stride
        let memory = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0)
        guard let memory, memory != MAP_FAILED else {
            fatalError("no room for \(bytes) bytes: \(String(cString: strerror(errno)))")
        }
        pointer = memory.bindMemory(to: Float.self, capacity: count)
    }

    deinit { munmap(pointer, byteCount) }
}
