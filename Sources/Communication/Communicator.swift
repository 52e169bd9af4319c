internal import CMPI

/// A group of ranks that speak with each other, in Swift's terms.
///
/// Every function but `send` and `receive` is collective: all ranks of the group must call it, in the same order, with
/// sizes that agree. A rank waits in it until the others come. Communicators live until MPI ends.
///
/// Not sendable: only the thread that started MPI may call it.
public final class Communicator {
    /// This process's number in the group, from 0.
    public let rank: Int
    /// The number of ranks in the group.
    public let size: Int
    /// The name of the machine that this rank runs on.
    public let hostName: String
    let handle: MPI_Comm

    init(_ handle: MPI_Comm) throws(MPIError) {
        var rank: Int32 = 0
        var size: Int32 = 0
        try check("MPI_Comm_rank", MPI_Comm_rank(handle, &rank))
        try check("MPI_Comm_size", MPI_Comm_size(handle, &size))
        self.handle = handle
        self.rank = Int(rank)
        self.size = Int(size)
        hostName = try Self.hostName()
    }

    /// The ranks of this group that share memory with this one, in the same order.
    ///
    /// The corresponding C function is `MPI_Comm_split_type`. Make it once: what MPI keeps for it is freed at the end.
    public func hostCommunicator() throws(MPIError) -> Communicator {
        var host: MPI_Comm?
        try check(
            "MPI_Comm_split_type",
            MPI_Comm_split_type(handle, Int32(MPI_COMM_TYPE_SHARED), Int32(rank), MPI_INFO_NULL, &host))
        guard let host else { throw MPIError(call: "MPI_Comm_split_type", reason: "gave no communicator") }
        return try Communicator(host)
    }

    /// The ranks of this group that give the same number, in the same order. Make it once, as `hostCommunicator`.
    ///
    /// The corresponding C function is `MPI_Comm_split`.
    public func split(by number: Int) throws(MPIError) -> Communicator {
        var part: MPI_Comm?
        try check("MPI_Comm_split", MPI_Comm_split(handle, Int32(number), Int32(rank), &part))
        guard let part else { throw MPIError(call: "MPI_Comm_split", reason: "gave no communicator") }
        return try Communicator(part)
    }

    static func hostName() throws(MPIError) -> String {
        var text = [CChar](repeating: 0, count: Int(MPI_MAX_PROCESSOR_NAME))
        var length: Int32 = 0
        try check("MPI_Get_processor_name", MPI_Get_processor_name(&text, &length))
        return String(decoding: text.prefix(Int(length)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
