internal import CMPI

// Collectives of numbers. None allocates, so they may stand in a training step.
extension Communicator {
    /// Waits until all ranks are here.
    public func barrier() throws(MPIError) {
        try check("MPI_Barrier", MPI_Barrier(handle))
    }

    /// Copies the buffer of rank `root` over those of all ranks; it may be of any size, the same everywhere.
    public func broadcast<Element: MPIElement>(
        _ buffer: UnsafeMutableBufferPointer<Element>, from root: Int
    ) throws(MPIError) {
        // MPI counts in 32 bits; larger buffers go in pieces.
        let pieceSize = 1 << 30
        var start = 0
        while start < buffer.count {
            let count = min(pieceSize, buffer.count - start)
            try check(
                "MPI_Bcast",
                MPI_Bcast(
                    buffer.baseAddress! + start, Int32(count), Element.mpiKind.datatype, Int32(root), handle))
            start += count
        }
    }

    /// Collects equally many values of each rank on all ranks, in the order of ranks.
    ///
    /// - Parameter result: `size` times as many elements as `values`.
    public func allGather<Element: MPIElement>(
        _ values: UnsafeBufferPointer<Element>, into result: UnsafeMutableBufferPointer<Element>
    ) throws(MPIError) {
        precondition(result.count == size * values.count, "\(result.count) places for \(size) times \(values.count)")
        let count = try count32("MPI_Allgather", values.count)
        let datatype = Element.mpiKind.datatype
        try check(
            "MPI_Allgather",
            MPI_Allgather(values.baseAddress, count, datatype, result.baseAddress, count, datatype, handle))
    }

    /// Fills a buffer of which each rank has filled its own part, on all ranks.
    ///
    /// - Parameters:
    ///   - buffer: The whole buffer, of the same size on all ranks, below 2^31 elements beyond the last part's start.
    ///   - counts: Elements of each rank's part. // [size]
    ///   - displacements: Where each rank's part starts, in elements. // [size]
    public func allGatherInPlace<Element: MPIElement>(
        _ buffer: UnsafeMutableBufferPointer<Element>, counts: UnsafePointer<Int32>,
        displacements: UnsafePointer<Int32>
    ) throws(MPIError) {
        for rank in 0..<size {
            precondition(
                counts[rank] >= 0 && displacements[rank] >= 0
                    && Int(counts[rank]) + Int(displacements[rank]) <= buffer.count,
                "the part of rank \(rank) lies outside of the buffer")
        }
        let datatype = Element.mpiKind.datatype
        // The count and type of what is sent are ignored: it lies in the buffer already.
        try check(
            "MPI_Allgatherv",
            MPI_Allgatherv(
                MPI_IN_PLACE, 0, datatype, buffer.baseAddress, counts, displacements, datatype, handle))
    }
}
