/// The header of a safetensors file: what tensors there are, and where.
///
/// The header is a JSON object of one fixed form, so it is read by a parser of just that form, without recursion: a
/// general one would hide duplicate names and could be driven into deep nesting.
struct SafeTensorsHeader {
    /// One tensor's type, sizes and place.
    struct Tensor {
        let type: ElementType
        let shape: [Int]
        let elementCount: Int
        /// Bytes of the data section, which starts behind the header.
        let bytes: Range<Int>
    }

    enum ElementType: String {
        case bool = "BOOL"
        case unsigned8 = "U8", unsigned16 = "U16", unsigned32 = "U32", unsigned64 = "U64"
        case signed8 = "I8", signed16 = "I16", signed32 = "I32", signed64 = "I64"
        case half = "F16", brainHalf = "BF16", single = "F32", double = "F64"

        var size: Int {
            switch self {
            case .bool, .unsigned8, .signed8: 1
            case .unsigned16, .signed16, .half, .brainHalf: 2
            case .unsigned32, .signed32, .single: 4
            case .unsigned64, .signed64, .double: 8
            }
        }
    }

    private(set) var tensors: [String: Tensor] = [:]

    /// Parses and checks the header's text.
    ///
    /// - Parameter dataSize: Bytes behind the header; the tensors must fill them exactly.
    init(_ text: UnsafeRawBufferPointer, dataSize: Int, file: String) throws(StorageError) {
        var json = JSONScanner(text, file: file)
        var hasMetadata = false
        try json.object { (json, name) throws(StorageError) in
            if name == "__metadata__" {
                if hasMetadata { throw json.error("__metadata__ occurs twice") }
                hasMetadata = true
                try json.object { (json, _) throws(StorageError) in _ = try json.string() }
            } else {
                if self.tensors[name] != nil { throw json.error("the tensor \(name) occurs twice") }
                self.tensors[name] = try Self.tensor(name, &json, file)
            }
        }
        try json.end()
        try checkPlaces(dataSize, file)
    }

    private static func tensor(
        _ name: String, _ json: inout JSONScanner, _ file: String
    ) throws(StorageError) -> Tensor {
        var typeName: String?
        var shape: [Int]?
        var places: [Int]?
        try json.object { (json, key) throws(StorageError) in
            switch key {
            case "dtype" where typeName == nil: typeName = try json.string()
            case "shape" where shape == nil: shape = try json.integers()
            case "data_offsets" where places == nil: places = try json.integers()
            default: throw json.error("tensor \(name): unexpected or repeated key \(key)")
            }
        }
        let error = { (reason: String) in StorageError(file: file, place: "tensor \(name)", reason: reason) }
        guard let typeName else { throw error("dtype is missing") }
        guard let shape else { throw error("shape is missing") }
        guard let places else { throw error("data_offsets are missing") }
        guard let type = ElementType(rawValue: typeName) else { throw error("the dtype \(typeName) is unknown") }
        guard places.count == 2 else { throw error("data_offsets are \(places.count) numbers instead of 2") }
        guard places[0] <= places[1] else { throw error("data_offsets end before they start") }

        var elementCount = 1
        for size in shape {
            let (product, overflow) = elementCount.multipliedReportingOverflow(by: size)
            if overflow { throw error("the shape \(shape) overflows") }
            elementCount = product
        }
        let (byteCount, overflow) = elementCount.multipliedReportingOverflow(by: type.size)
        if overflow { throw error("the shape \(shape) of \(typeName) overflows") }
        guard byteCount == places[1] - places[0] else {
            throw error("\(places[1] - places[0]) bytes of data for the shape \(shape) of \(typeName)")
        }
        return Tensor(type: type, shape: shape, elementCount: elementCount, bytes: places[0]..<places[1])
    }

    /// The tensors must follow one another without a gap, as the format says, and end with the file.
    private func checkPlaces(_ dataSize: Int, _ file: String) throws(StorageError) {
        var end = 0
        let inOrder = tensors.sorted {
            ($0.value.bytes.lowerBound, $0.value.bytes.upperBound) < (
                $1.value.bytes.lowerBound, $1.value.bytes.upperBound
            )
        }
        for (name, tensor) in inOrder {
            let error = { (reason: String) in StorageError(file: file, place: "tensor \(name)", reason: reason) }
            if tensor.bytes.upperBound > dataSize {
                throw error("bytes \(tensor.bytes) lie beyond the \(dataSize) bytes of data")
            }
            if tensor.bytes.lowerBound < end { throw error("its data overlap with another tensor's") }
            if tensor.bytes.lowerBound > end { throw error("there is a gap before its data") }
            end = tensor.bytes.upperBound
        }
        if end != dataSize {
            throw StorageError(file: file, place: "data", reason: "\(dataSize - end) bytes belong to no tensor")
        }
    }
}
