internal import CMPI

/// Messages under way: a fixed number of places, made once, so that a training step allocates nothing.
public final class Requests {
    /// How many messages can be under way at once.
    public let capacity: Int
    /// How many are.
    public private(set) var count = 0
    private let handles: UnsafeMutablePointer<MPI_Request?>
    private let statuses: UnsafeMutablePointer<MPI_Status>

    /// Makes room for `capacity` messages.
    public init(capacity: Int) {
        self.capacity = capacity
        handles = .allocate(capacity: capacity)
        handles.initialize(repeating: nil, count: capacity)
        statuses = .allocate(capacity: capacity)
        statuses.initialize(repeating: MPI_Status(), count: capacity)
    }

    deinit {
        handles.deallocate()
        statuses.deallocate()
    }

    /// Waits until all messages have been sent and received; their buffers may be touched again afterwards.
    public func waitAll() throws(MPIError) {
        let code = MPIActivity.noting { MPI_Waitall(Int32(count), handles, statuses) }
        defer { count = 0 }
        if code == MPI_ERR_IN_STATUS {
            // The code says only that some message failed.
            for index in 0..<count { try check("MPI_Waitall", statuses[index].MPI_ERROR) }
        }
        try check("MPI_Waitall", code)
    }

    /// Starts a message in the next free place.
    func add(_ call: StaticString, _ start: (UnsafeMutablePointer<MPI_Request?>) -> Int32) throws(MPIError) {
        precondition(count < capacity, "more than \(capacity) messages under way")
        try check(call, start(handles + count))
        count += 1
    }
}

extension Communicator {
    /// Starts to send `values` to a rank, which must receive as many with the same tag.
    ///
    /// The buffer must stay as it is until `requests.waitAll()`.
    public func send<Element: MPIElement>(
        _ values: UnsafeBufferPointer<Element>, to destination: Int, tag: Int, _ requests: Requests
    ) throws(MPIError) {
        let count = try count32("MPI_Isend", values.count)
        try requests.add("MPI_Isend") {
            MPI_Isend(
                values.baseAddress, count, Element.mpiKind.datatype, Int32(destination), Int32(tag), handle, $0)
        }
    }

    /// Starts to receive `values.count` elements that a rank sends with the same tag.
    ///
    /// The buffer may be read after `requests.waitAll()`.
    public func receive<Element: MPIElement>(
        into values: UnsafeMutableBufferPointer<Element>, from source: Int, tag: Int, _ requests: Requests
    ) throws(MPIError) {
        let count = try count32("MPI_Irecv", values.count)
        try requests.add("MPI_Irecv") {
            MPI_Irecv(values.baseAddress, count, Element.mpiKind.datatype, Int32(source), Int32(tag), handle, $0)
        }
    }
}
