import Foundation

extension SafeTensors {
    /// A tensor to write: its name, the sizes of its dimensions and its elements, row after row.
    public typealias NamedTensor = (name: String, shape: [Int], values: [Float])

    /// Writes tensors as F32 in the given order; the file appears whole or not at all.
    ///
    /// Names must differ, and each shape's product must be the number of values.
    public static func write(_ tensors: [NamedTensor], to path: String) throws {
        let header = header(of: tensors)
        try replaceFile(at: path) { temporaryPath in
            let descriptor = try system("open", temporaryPath) {
                open(temporaryPath, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
            }
            defer { close(descriptor) }
            func append(_ bytes: UnsafeRawBufferPointer) throws(StorageError) {
                guard Storage.write(bytes, to: descriptor) == bytes.count else { throw .system("write", temporaryPath) }
            }
            try header.withUnsafeBytes(append)
            for tensor in tensors { try tensor.values.withUnsafeBytes(append) }
        }
    }

    /// The header's length and text, padded so that the data are aligned.
    private static func header(of tensors: [NamedTensor]) -> [UInt8] {
        var names: Set<String> = []
        var offset = 0
        let entries = tensors.map { tensor in
            precondition(names.insert(tensor.name).inserted, "two tensors are named \(tensor.name)")
            precondition(
                tensor.shape.reduce(1, *) == tensor.values.count,
                "\(tensor.name): \(tensor.values.count) values for shape \(tensor.shape)")
            let end = offset + tensor.values.count * MemoryLayout<Float>.size
            defer { offset = end }
            let shape = tensor.shape.map(String.init).joined(separator: ",")
            return "\(quoted(tensor.name)):{\"dtype\":\"F32\",\"shape\":[\(shape)],\"data_offsets\":[\(offset),\(end)]}"
        }
        var text = Array("{\(entries.joined(separator: ","))}".utf8)
        text += [UInt8](repeating: UInt8(ascii: " "), count: (8 - text.count % 8) % 8)
        return withUnsafeBytes(of: UInt64(text.count).littleEndian, Array.init) + text
    }

    private static func quoted(_ name: String) -> String {
        var text = "\""
        for scalar in name.unicodeScalars {
            switch scalar {
            case "\"", "\\": text += "\\\(scalar)"
            case ..<" ": text += "\\u" + String(format: "%04x", scalar.value)
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text + "\""
    }
}
