/// A file of named tensors in the safetensors format, the one of published encoders.
///
/// The file is mapped; opening checks the whole header, so that a damaged or hostile file is refused with the place of
/// the damage before anything is read.
public final class SafeTensors {
    private let file: MappedFile
    private let header: SafeTensorsHeader
    /// The bytes behind the header.
    private let data: UnsafeRawBufferPointer

    /// Opens the file at `path`.
    public init(_ path: String) throws(StorageError) {
        file = try MappedFile(path)
        let bytes = file.bytes
        guard bytes.count >= 8 else {
            throw StorageError(file: path, place: "header", reason: "the file has only \(bytes.count) bytes")
        }
        let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        guard length <= UInt64(bytes.count - 8) else {
            throw StorageError(
                file: path, place: "header", reason: "its \(length) bytes reach beyond the file's \(bytes.count)")
        }
        let start = 8 + Int(length)
        data = UnsafeRawBufferPointer(rebasing: bytes[start...])
        header = try SafeTensorsHeader(
            UnsafeRawBufferPointer(rebasing: bytes[8..<start]), dataSize: data.count, file: path)
    }

    /// The names of all tensors, sorted.
    public var names: [String] { header.tensors.keys.sorted() }

    /// Whether there is a tensor of this name.
    public func contains(_ name: String) -> Bool { header.tensors[name] != nil }

    /// The sizes of a tensor's dimensions, outermost first; empty for a single number.
    public func shape(of name: String) throws(StorageError) -> [Int] { try tensor(name).shape }

    /// Reads a tensor of floating-point numbers of any width, rounding 64-bit ones to the nearest Float.
    ///
    /// - Parameter values: Row after row; must hold exactly the tensor's elements.
    public func read(_ name: String, into values: UnsafeMutableBufferPointer<Float>) throws(StorageError) {
        let tensor = try tensor(name)
        guard tensor.elementCount == values.count else {
            throw error(name, "its shape is \(tensor.shape), where \(values.count) elements were expected")
        }
        let source = UnsafeRawBufferPointer(rebasing: data[tensor.bytes])
        switch tensor.type {
        case .single: copy(source, as: UInt32.self, into: values) { Float(bitPattern: $0) }
        case .double: copy(source, as: UInt64.self, into: values) { Float(Double(bitPattern: $0)) }
        case .half: copy(source, as: UInt16.self, into: values, float(half:))
        // The upper half of a Float.
        case .brainHalf: copy(source, as: UInt16.self, into: values) { Float(bitPattern: UInt32($0) << 16) }
        default: throw error(name, "its dtype \(tensor.type.rawValue) is not a floating-point one")
        }
    }

    /// Reads a tensor of floating-point numbers of any width, row after row.
    public func read(_ name: String) throws(StorageError) -> [Float] {
        let values = UnsafeMutableBufferPointer<Float>.allocate(capacity: try tensor(name).elementCount)
        defer { values.deallocate() }
        try read(name, into: values)
        return Array(values)
    }

    /// Reads a tensor of 32-bit or 64-bit signed integers, row after row.
    public func readIntegers(_ name: String) throws(StorageError) -> [Int64] {
        let tensor = try tensor(name)
        let source = UnsafeRawBufferPointer(rebasing: data[tensor.bytes])
        let values = UnsafeMutableBufferPointer<Int64>.allocate(capacity: tensor.elementCount)
        defer { values.deallocate() }
        switch tensor.type {
        case .signed32: copy(source, as: UInt32.self, into: values) { Int64(Int32(bitPattern: $0)) }
        case .signed64: copy(source, as: UInt64.self, into: values) { Int64(bitPattern: $0) }
        default: throw error(name, "its dtype \(tensor.type.rawValue) is not I32 or I64")
        }
        return Array(values)
    }

    private func tensor(_ name: String) throws(StorageError) -> SafeTensorsHeader.Tensor {
        guard let tensor = header.tensors[name] else { throw error(name, "there is no such tensor") }
        return tensor
    }

    private func error(_ name: String, _ reason: String) -> StorageError {
        StorageError(file: file.path, place: "tensor \(name)", reason: reason)
    }
}

/// Converts little-endian numbers, which may lie at any address.
private func copy<Bits: FixedWidthInteger & BitwiseCopyable, Element>(
    _ source: UnsafeRawBufferPointer, as type: Bits.Type, into values: UnsafeMutableBufferPointer<Element>,
    _ convert: (Bits) -> Element
) {
    for index in values.indices {
        let bits = source.loadUnaligned(fromByteOffset: index * MemoryLayout<Bits>.size, as: type)
        values.initializeElement(at: index, to: convert(Bits(littleEndian: bits)))
    }
}

/// The value of a 16-bit IEEE number; not every platform has `Float16`.
private func float(half bits: UInt16) -> Float {
    let sign = UInt32(bits & 0x8000) << 16
    let magnitude = UInt32(bits & 0x7FFF) << 13
    // The exponent's largest value stands for infinity and "not a number" in both formats.
    if bits & 0x7C00 == 0x7C00 { return Float(bitPattern: sign | magnitude | 0x7F80_0000) }
    // The exponents' zero points differ by 112; multiplying also makes numbers below the smallest normal one right.
    let value = Float(bitPattern: magnitude) * 0x1p112
    return Float(bitPattern: sign | value.bitPattern)
}
