internal import CHDF5

// Datasets are contiguous: no chunks, no compression, so that they can be mapped and read by plain offsets.
extension HDF5File {
    /// Makes a dataset of zeros, and the groups above it; its rows are written later.
    ///
    /// - Parameter shape: Empty for a single number.
    public func create<Element: HDF5Element>(
        _ dataset: String, shape: [Int], of type: Element.Type
    ) throws(StorageError) {
        let place = "create dataset \(dataset)"
        try withSpace(place, shape) { (space) throws(StorageError) in
            try self.withCreation(place) { (properties) throws(StorageError) in
                try self.create(dataset, type.hdf5Kind, space, properties)
            }
        }
    }

    /// Makes a dataset of `values`, and the groups above it.
    ///
    /// - Parameter shape: Its product must be `values.count`.
    public func write<Element: HDF5Element>(
        _ values: UnsafeBufferPointer<Element>, shape: [Int], to dataset: String
    ) throws(StorageError) {
        precondition(shape.reduce(1, *) == values.count, "\(dataset): \(values.count) values for shape \(shape)")
        try create(dataset, shape: shape, of: Element.self)
        // An empty dataset has no bytes to write.
        guard values.count > 0 else { return }
        let place = "write dataset \(dataset)"
        try withDataset(place, dataset) { (identifier, _) throws(StorageError) in
            _ = try self.call(place) { _ in
                H5Dwrite(
                    identifier, Element.hdf5Kind.identifier, hid_t(H5S_ALL), hid_t(H5S_ALL), hid_t(H5P_DEFAULT),
                    values.baseAddress)
            }
        }
    }

    /// Makes a dataset whose elements somebody else writes to the file after it is closed, and the groups above it.
    ///
    /// - Returns: where they start in the file, in bytes; nil if there are none.
    public func reserve<Element: HDF5Element>(
        _ dataset: String, shape: [Int], of type: Element.Type
    ) throws(StorageError) -> Int? {
        let place = "reserve dataset \(dataset)"
        try withSpace(place, shape) { (space) throws(StorageError) in
            try self.withCreation(place) { (properties) throws(StorageError) in
                _ = try self.call(place) { _ in H5Pset_alloc_time(properties, H5D_ALLOC_TIME_EARLY) }
                _ = try self.call(place) { _ in H5Pset_fill_time(properties, H5D_FILL_TIME_NEVER) }
                try self.create(dataset, type.hdf5Kind, space, properties)
            }
        }
        return try offset(of: dataset, as: type)
    }

    /// Makes a dataset of one dimension.
    public func write<Element: HDF5Element>(_ values: [Element], to dataset: String) throws(StorageError) {
        try values.withUnsafeBufferPointer { (buffer) throws(StorageError) in
            try self.write(buffer, shape: [values.count], to: dataset)
        }
    }

    /// Writes `values`, whole rows, over the given rows of a dataset.
    public func write<Element: HDF5Element>(
        _ values: UnsafeBufferPointer<Element>, rows: Range<Int>, of dataset: String
    ) throws(StorageError) {
        try transfer("write rows \(rows) of dataset \(dataset)", dataset, rows, values.count, Element.self) {
            H5Dwrite($0, Element.hdf5Kind.identifier, $1, $2, hid_t(H5P_DEFAULT), values.baseAddress)
        }
    }

    /// Reads a whole dataset; its number of elements must be `buffer.count`, and its type `Element`.
    public func read<Element: HDF5Element>(
        _ dataset: String, into buffer: UnsafeMutableBufferPointer<Element>
    ) throws(StorageError) {
        let place = "read dataset \(dataset)"
        try withDataset(place, dataset) { (identifier, shape) throws(StorageError) in
            try self.requireType(Element.self, of: identifier, place)
            guard shape.reduce(1, *) == buffer.count else {
                throw self.failure(place, "its shape is \(shape), where \(buffer.count) elements were expected")
            }
            guard buffer.count > 0 else { return }
            _ = try self.call(place) { _ in
                H5Dread(
                    identifier, Element.hdf5Kind.identifier, hid_t(H5S_ALL), hid_t(H5S_ALL), hid_t(H5P_DEFAULT),
                    buffer.baseAddress)
            }
        }
    }

    /// Reads a whole dataset of `Element`.
    public func read<Element: HDF5Element>(
        _ dataset: String, as type: Element.Type
    ) throws(StorageError) -> [Element] {
        let count = try shape(of: dataset).reduce(1, *)
        let buffer = UnsafeMutableBufferPointer<Element>.allocate(capacity: count)
        defer { buffer.deallocate() }
        try read(dataset, into: buffer)
        return Array(buffer)
    }

    /// Reads the given rows of a dataset of `Element`; `buffer` must hold exactly them.
    public func read<Element: HDF5Element>(
        _ dataset: String, rows: Range<Int>, into buffer: UnsafeMutableBufferPointer<Element>
    ) throws(StorageError) {
        try transfer("read rows \(rows) of dataset \(dataset)", dataset, rows, buffer.count, Element.self) {
            H5Dread($0, Element.hdf5Kind.identifier, $1, $2, hid_t(H5P_DEFAULT), buffer.baseAddress)
        }
    }

    /// The sizes of a dataset's dimensions, outermost first; empty for a single number.
    public func shape(of dataset: String) throws(StorageError) -> [Int] {
        try withDataset("open dataset \(dataset)", dataset) { (_, shape) throws(StorageError) in shape }
    }

    /// Where the elements of a contiguous dataset of `Element` start in the file, in bytes; nil if there are none.
    ///
    /// Throws unless all of them lie in this file, so whoever asked may make room for as many.
    public func offset<Element: HDF5Element>(
        of dataset: String, as type: Element.Type
    ) throws(StorageError) -> Int? {
        let place = "locate dataset \(dataset)"
        return try withDataset(place, dataset) { (identifier, shape) throws(StorageError) -> Int? in
            try self.requireType(type, of: identifier, place)
            guard !shape.contains(0) else { return nil }
            let layout = try self.with(
                place, open: { _ in H5Dget_create_plist(identifier) }, close: H5Pclose,
                { (properties) throws(StorageError) in
                    try self.call(place) { _ in H5Pget_layout(properties).rawValue }
                })
            var offset = HADDR_UNDEF
            _ = try self.call(place) { _ -> herr_t in
                offset = H5Dget_offset(identifier)
                return 0
            }
            guard layout == H5D_CONTIGUOUS.rawValue, offset != HADDR_UNDEF, let offset = Int(exactly: offset) else {
                throw self.failure(place, "not stored in one piece in this file")
            }
            var fileSize = hsize_t()
            _ = try self.call(place) { H5Fget_filesize($0, &fileSize) }
            let room = (Int(clamping: fileSize) - offset) / MemoryLayout<Element>.stride
            guard shape.reduce(1, *) <= room else {
                throw self.failure(place, "its shape \(shape) reaches beyond the file's \(fileSize) bytes")
            }
            return offset
        }
    }
}

extension HDF5File {
    /// Moves whole rows between memory and a dataset by `body(dataset, memory space, file space)`.
    private func transfer<Element: HDF5Element>(
        _ place: String, _ dataset: String, _ rows: Range<Int>, _ count: Int, _ type: Element.Type,
        _ body: (hid_t, hid_t, hid_t) -> herr_t
    ) throws(StorageError) {
        try withDataset(place, dataset) { (identifier, shape) throws(StorageError) in
            try self.requireType(type, of: identifier, place)
            guard let rowCount = shape.first, rows.lowerBound >= 0, rows.upperBound <= rowCount else {
                throw self.failure(place, "its shape is \(shape)")
            }
            let block = [rows.count] + shape.dropFirst()
            guard block.reduce(1, *) == count else {
                throw self.failure(place, "its shape is \(shape), where \(count) elements were expected")
            }
            guard count > 0 else { return }
            try self.withSpace(place, shape) { (fileSpace) throws(StorageError) in
                try self.select(rows, of: fileSpace, shape, place)
                try self.withSpace(place, block) { (memorySpace) throws(StorageError) in
                    _ = try self.call(place) { _ in body(identifier, memorySpace, fileSpace) }
                }
            }
        }
    }

    /// HDF5 would convert any number to any other, clamping what does not fit; a wrong type is a wrong file.
    private func requireType<Element: HDF5Element>(
        _ type: Element.Type, of dataset: hid_t, _ place: String
    ) throws(StorageError) {
        let isEqual = try with(place, open: { _ in H5Dget_type(dataset) }, close: H5Tclose) {
            (stored) throws(StorageError) in
            try self.call(place) { _ in H5Tequal(stored, type.hdf5Kind.identifier) }
        }
        if isEqual == 0 { throw failure(place, "its elements are not \(type)") }
    }

    private func withDataset<Value>(
        _ place: String, _ dataset: String, _ body: (hid_t, [Int]) throws(StorageError) -> Value
    ) throws(StorageError) -> Value {
        try with(place, open: { H5Dopen2($0, dataset, hid_t(H5P_DEFAULT)) }, close: H5Dclose) {
            (identifier) throws(StorageError) in
            let shape = try self.with(place, open: { _ in H5Dget_space(identifier) }, close: H5Sclose) {
                (space) throws(StorageError) in
                let rank = try self.call(place) { _ in H5Sget_simple_extent_ndims(space) }
                var sizes = [hsize_t](repeating: 0, count: Int(rank))
                _ = try self.call(place) { _ in H5Sget_simple_extent_dims(space, &sizes, nil) }
                return sizes.map { Int(clamping: $0) }
            }
            // A damaged file may claim any size; counts are multiplied freely from here on.
            guard shape.reduce((1, false), Self.multiply).1 == false else {
                throw self.failure(place, "its shape \(shape) is impossible")
            }
            return try body(identifier, shape)
        }
    }

    private static func multiply(_ product: (Int, Bool), _ size: Int) -> (Int, Bool) {
        let (value, overflow) = product.0.multipliedReportingOverflow(by: size)
        return (value, overflow || product.1)
    }
}
