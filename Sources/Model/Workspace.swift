import Kernels

/// Owns the memory of activations. Made once, before training: a step allocates nothing.
public final class Workspace {
    private var blocks: [UnsafeMutableRawPointer] = []
    /// Bytes handed out so far. Memory is only touched when it is used.
    public private(set) var byteCount = 0

    /// An empty workspace.
    public init() {}

    deinit {
        for block in blocks { block.deallocate() }
    }

    /// `count` elements of a trivial type, on a 64-byte boundary, uninitialised.
    public func array<Element: BitwiseCopyable>(_ type: Element.Type, _ count: Int) -> UnsafeMutablePointer<Element> {
        let bytes = max(64, count * MemoryLayout<Element>.stride)
        let block = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
        blocks.append(block)
        byteCount += bytes
        return block.bindMemory(to: Element.self, capacity: count)
    }

    /// A matrix for at most `rows` rows.
    public func matrix(rows: Int, columns: Int) -> Matrix {
        Matrix(array(Float.self, rows * columns), rows: rows, columns: columns)
    }
}
