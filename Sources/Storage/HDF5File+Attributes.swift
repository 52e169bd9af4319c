internal import CHDF5

// Attributes sit on a group or dataset; "/" is the file itself.
extension HDF5File {
    /// Sets a number on an object.
    public func setAttribute(_ name: String, of object: String, to value: Int64) throws(StorageError) {
        try writeIntegers([value], shape: [], name, object)
    }

    /// Sets a list of numbers on an object.
    public func setAttribute(_ name: String, of object: String, to values: [Int64]) throws(StorageError) {
        try writeIntegers(values, shape: [values.count], name, object)
    }

    /// Sets a text on an object; it may not contain a zero character.
    public func setAttribute(_ name: String, of object: String, to text: String) throws(StorageError) {
        let place = "write attribute \(name) of \(object)"
        guard !text.utf8.contains(0) else { throw failure(place, "a text with a zero character cannot be stored") }
        try withStringType(place) { (type) throws(StorageError) in
            try self.createAttribute(place, name, object, type, shape: []) { (attribute) throws(StorageError) in
                // The memory of a string of variable length is a pointer to its characters.
                let characters = text.utf8CString
                _ = try self.call(place) { _ in
                    characters.withUnsafeBufferPointer { buffer in
                        var address = buffer.baseAddress
                        return H5Awrite(attribute, type, &address)
                    }
                }
            }
        }
    }

    /// The number or numbers set on an object.
    public func integers(attribute name: String, of object: String) throws(StorageError) -> [Int64] {
        let place = "read attribute \(name) of \(object)"
        return try withAttribute(place, name, object) { (attribute) throws(StorageError) in
            try self.requireClass(H5T_INTEGER, of: attribute, place, "not an integer")
            let count = try self.elementCount(of: attribute, place)
            // A damaged file may claim any number; the trainer's own attributes have a few.
            guard count <= 1 << 16 else { throw self.failure(place, "\(count) numbers are too many") }
            var values = [Int64](repeating: 0, count: count)
            guard !values.isEmpty else { return [] }
            _ = try self.call(place) { _ in H5Aread(attribute, H5T_NATIVE_INT64, &values) }
            return values
        }
    }

    /// The one number set on an object.
    public func integer(attribute name: String, of object: String) throws(StorageError) -> Int64 {
        let values = try integers(attribute: name, of: object)
        guard values.count == 1 else {
            throw failure("read attribute \(name) of \(object)", "\(values.count) numbers, where one was expected")
        }
        return values[0]
    }

    /// The text set on an object.
    public func string(attribute name: String, of object: String) throws(StorageError) -> String {
        let place = "read attribute \(name) of \(object)"
        return try withAttribute(place, name, object) { (attribute) throws(StorageError) in
            try self.requireClass(H5T_STRING, of: attribute, place, "not a text")
            guard try self.elementCount(of: attribute, place) == 1 else {
                throw self.failure(place, "not a single text")
            }
            return try self.withStringType(place) { (type) throws(StorageError) in
                var characters: UnsafeMutablePointer<CChar>?
                _ = try self.call(place) { _ in H5Aread(attribute, type, &characters) }
                guard let characters else { return "" }
                let text = String(cString: characters)
                _ = try self.call(place) { _ in H5free_memory(characters) }
                return text
            }
        }
    }

    /// The names of an object's attributes, sorted.
    public func attributeNames(of object: String = "/") throws(StorageError) -> [String] {
        final class Names { var all: [String] = [] }
        let names = Names()
        _ = try call("list attributes of \(object)") { file in
            H5Aiterate_by_name(
                file, object, H5_INDEX_NAME, H5_ITER_INC, nil,
                { _, name, _, context in
                    guard let name, let context else { return -1 }
                    Unmanaged<Names>.fromOpaque(context).takeUnretainedValue().all.append(String(cString: name))
                    return 0
                }, Unmanaged.passUnretained(names).toOpaque(), hid_t(H5P_DEFAULT))
        }
        return names.all
    }
}

extension HDF5File {
    private func writeIntegers(
        _ values: [Int64], shape: [Int], _ name: String, _ object: String
    ) throws(StorageError) {
        let place = "write attribute \(name) of \(object)"
        try createAttribute(place, name, object, H5T_NATIVE_INT64, shape: shape) { (attribute) throws(StorageError) in
            guard !values.isEmpty else { return }
            _ = try self.call(place) { _ in H5Awrite(attribute, H5T_NATIVE_INT64, values) }
        }
    }

    /// - Parameter type: asked for under the lock, as every call of the library is.
    private func createAttribute(
        _ place: String, _ name: String, _ object: String, _ type: @autoclosure () -> hid_t, shape: [Int],
        _ body: (hid_t) throws(StorageError) -> Void
    ) throws(StorageError) {
        let noProperties = hid_t(H5P_DEFAULT)
        try withSpace(place, shape) { (space) throws(StorageError) in
            try self.with(
                place,
                open: {
                    H5Acreate_by_name($0, object, name, type(), space, noProperties, noProperties, noProperties)
                }, close: H5Aclose, body)
        }
    }

    private func withAttribute<Value>(
        _ place: String, _ name: String, _ object: String, _ body: (hid_t) throws(StorageError) -> Value
    ) throws(StorageError) -> Value {
        try with(
            place, open: { H5Aopen_by_name($0, object, name, hid_t(H5P_DEFAULT), hid_t(H5P_DEFAULT)) },
            close: H5Aclose, body)
    }

    /// The type of texts of any length in UTF-8, which h5py shows as `str`.
    private func withStringType<Value>(
        _ place: String, _ body: (hid_t) throws(StorageError) -> Value
    ) throws(StorageError) -> Value {
        try with(place, open: { _ in H5Tcopy(H5T_C_S1) }, close: H5Tclose) { (type) throws(StorageError) in
            _ = try self.call(place) { _ in H5Tset_size(type, H5T_VARIABLE) }
            _ = try self.call(place) { _ in H5Tset_cset(type, H5T_CSET_UTF8) }
            return try body(type)
        }
    }

    private func requireClass(
        _ expected: H5T_class_t, of attribute: hid_t, _ place: String, _ complaint: String
    ) throws(StorageError) {
        let found = try with(place, open: { _ in H5Aget_type(attribute) }, close: H5Tclose) {
            (type) throws(StorageError) in try self.call(place) { _ in H5Tget_class(type).rawValue }
        }
        guard found == expected.rawValue else { throw failure(place, complaint) }
    }

    private func elementCount(of attribute: hid_t, _ place: String) throws(StorageError) -> Int {
        try with(place, open: { _ in H5Aget_space(attribute) }, close: H5Sclose) { (space) throws(StorageError) in
            Int(try self.call(place) { _ in H5Sget_simple_extent_npoints(space) })
        }
    }
}
