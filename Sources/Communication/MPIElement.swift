internal import CMPI

/// A number that MPI can carry.
public protocol MPIElement: BitwiseCopyable, Sendable {
    /// The type's name in MPI.
    static var mpiKind: MPIKind { get }
}

/// The element types that ranks exchange.
public enum MPIKind: Sendable {
    case float, double, int32, int64, uint64, uint8

    var datatype: MPI_Datatype {
        switch self {
        case .float: MPI_FLOAT
        case .double: MPI_DOUBLE
        case .int32: MPI_INT32_T
        case .int64: MPI_INT64_T
        case .uint64: MPI_UINT64_T
        case .uint8: MPI_UINT8_T
        }
    }
}

extension Float: MPIElement {
    /// `MPI_FLOAT`.
    public static var mpiKind: MPIKind { .float }
}
extension Double: MPIElement {
    /// `MPI_DOUBLE`.
    public static var mpiKind: MPIKind { .double }
}
extension Int32: MPIElement {
    /// `MPI_INT32_T`.
    public static var mpiKind: MPIKind { .int32 }
}
extension Int64: MPIElement {
    /// `MPI_INT64_T`.
    public static var mpiKind: MPIKind { .int64 }
}
extension UInt64: MPIElement {
    /// `MPI_UINT64_T`.
    public static var mpiKind: MPIKind { .uint64 }
}
extension UInt8: MPIElement {
    /// `MPI_UINT8_T`.
    public static var mpiKind: MPIKind { .uint8 }
}
