internal import CHDF5

/// A number that datasets can be made of.
public protocol HDF5Element: BitwiseCopyable, Sendable {
    /// The element type's name in HDF5.
    static var hdf5Kind: HDF5Kind { get }
}

/// The element types that the trainer stores, each in the byte order of this machine.
public enum HDF5Kind: Sendable {
    case float, double, int32, int64, uint8

    var identifier: hid_t {
        switch self {
        case .float: H5T_NATIVE_FLOAT
        case .double: H5T_NATIVE_DOUBLE
        case .int32: H5T_NATIVE_INT32
        case .int64: H5T_NATIVE_INT64
        case .uint8: H5T_NATIVE_UINT8
        }
    }
}

extension Float: HDF5Element {
    /// 32-bit IEEE floating point.
    public static var hdf5Kind: HDF5Kind { .float }
}
extension Double: HDF5Element {
    /// 64-bit IEEE floating point.
    public static var hdf5Kind: HDF5Kind { .double }
}
extension Int32: HDF5Element {
    /// 32-bit signed integer.
    public static var hdf5Kind: HDF5Kind { .int32 }
}
extension Int64: HDF5Element {
    /// 64-bit signed integer.
    public static var hdf5Kind: HDF5Kind { .int64 }
}
extension UInt8: HDF5Element {
    /// 8-bit unsigned integer.
    public static var hdf5Kind: HDF5Kind { .uint8 }
}
