internal import CHDF5

/// Rows of a virtual dataset that lie in another file.
public struct VirtualSource: Equatable, Sendable {
    /// The other file's name, relative to the folder of the file with the virtual dataset.
    public let file: String
    /// The dataset in the other file, all of which is shown.
    public let dataset: String
    /// How many rows it has.
    public let rowCount: Int
    /// The row of the virtual dataset where they start.
    public let firstRow: Int

    /// Names a dataset of another file and where it appears.
    public init(file: String, dataset: String, rowCount: Int, firstRow: Int) {
        self.file = file
        self.dataset = dataset
        self.rowCount = rowCount
        self.firstRow = firstRow
    }
}

extension HDF5File {
    /// Makes a dataset of floats that shows rows of other files' datasets.
    ///
    /// Rows without a source, and rows whose file is missing when they are read, are NaN: zeros would pass for weights.
    ///
    /// - Parameter shape: At least one dimension; all sources have the same inner dimensions.
    public func createVirtual(
        _ dataset: String, shape: [Int], sources: [VirtualSource]
    ) throws(StorageError) {
        let place = "create virtual dataset \(dataset)"
        guard let rowCount = shape.first else { throw failure(place, "a single number has no rows") }
        try withSpace(place, shape) { (space) throws(StorageError) in
            try self.withCreation(place) { (properties) throws(StorageError) in
                var missing = Float.nan
                _ = try self.call(place) { _ in H5Pset_fill_value(properties, H5T_NATIVE_FLOAT, &missing) }
                // A dataset without any source must be told that it is virtual.
                _ = try self.call(place) { _ in H5Pset_layout(properties, H5D_VIRTUAL) }
                for source in sources where source.rowCount > 0 {
                    let rows = source.firstRow..<(source.firstRow + source.rowCount)
                    guard rows.lowerBound >= 0, rows.upperBound <= rowCount else {
                        throw self.failure(place, "rows \(rows) of \(source.file) lie outside of shape \(shape)")
                    }
                    try self.select(rows, of: space, shape, place)
                    try self.withSpace(place, [source.rowCount] + shape.dropFirst()) {
                        (sourceSpace) throws(StorageError) in
                        // HDF5 reads a single '%' in a name as the start of a pattern.
                        _ = try self.call(place) { _ in
                            H5Pset_virtual(
                                properties, space, source.file.replacing("%", with: "%%"),
                                source.dataset.replacing("%", with: "%%"), sourceSpace)
                        }
                    }
                }
                _ = try self.call(place) { _ in H5Sselect_all(space) }
                try self.create(dataset, .float, space, properties)
            }
        }
    }
}
