internal import CMPI

// Bytes and texts whose sizes differ from rank to rank: reports, names, settings. These allocate.
extension Communicator {
    /// Replaces `bytes` with those of rank `root`, whatever their number.
    public func broadcast(_ bytes: inout [UInt8], from root: Int) throws(MPIError) {
        var count = [Int64(bytes.count)]
        try broadcastElements(&count, from: root)
        if rank != root { bytes = [UInt8](repeating: 0, count: Int(count[0])) }
        try broadcastElements(&bytes, from: root)
    }

    /// Collects the bytes of all ranks on all ranks, in the order of ranks.
    public func allGather(_ bytes: [UInt8]) throws(MPIError) -> [[UInt8]] {
        let layout = try layout(of: bytes, "MPI_Allgatherv")
        var all = [UInt8](repeating: 0, count: layout.total)
        try check(
            "MPI_Allgatherv",
            MPI_Allgatherv(
                bytes, Int32(bytes.count), MPI_UINT8_T, &all, layout.counts, layout.displacements, MPI_UINT8_T, handle))
        return layout.parts(of: all)
    }

    /// Collects a text of each rank on all ranks, in the order of ranks.
    public func allGather(_ text: String) throws(MPIError) -> [String] {
        try allGather(Array(text.utf8)).map { String(decoding: $0, as: UTF8.self) }
    }

    /// How parts of unequal sizes lie one after another.
    private struct Layout {
        var counts: [Int32] = []
        var displacements: [Int32] = []
        var total = 0

        func parts(of all: [UInt8]) -> [[UInt8]] {
            zip(counts, displacements).map { count, start in Array(all[Int(start)..<Int(start) + Int(count)]) }
        }
    }

    /// All ranks see all sizes, so that sums beyond 32 bits are an error of all ranks and none is left waiting.
    private func layout(of bytes: [UInt8], _ call: StaticString) throws(MPIError) -> Layout {
        var sizes = [Int64](repeating: 0, count: size)
        var count = Int64(bytes.count)
        try check("MPI_Allgather", MPI_Allgather(&count, 1, MPI_INT64_T, &sizes, 1, MPI_INT64_T, handle))
        var layout = Layout()
        for size in sizes {
            layout.displacements.append(try count32(call, layout.total))
            layout.counts.append(try count32(call, Int(size)))
            layout.total += Int(size)
        }
        return layout
    }

    private func broadcastElements<Element: MPIElement>(
        _ elements: inout [Element], from root: Int
    ) throws(MPIError) {
        try elements.withUnsafeMutableBufferPointer { (buffer) throws(MPIError) in
            try self.broadcast(buffer, from: root)
        }
    }
}
