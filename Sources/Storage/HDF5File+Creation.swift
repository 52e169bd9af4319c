internal import CHDF5

// What all kinds of datasets share when they are made.
extension HDF5File {
    /// Makes a dataset and the groups above it.
    func create(_ dataset: String, _ kind: HDF5Kind, _ space: hid_t, _ properties: hid_t) throws(StorageError) {
        let place = "create dataset \(dataset)"
        try with(place, open: { _ in H5Pcreate(H5P_LINK_CREATE) }, close: H5Pclose) {
            (linkProperties) throws(StorageError) in
            _ = try self.call(place) { _ in H5Pset_create_intermediate_group(linkProperties, 1) }
            try self.with(
                place,
                open: {
                    H5Dcreate2(
                        $0, dataset, kind.identifier, space, linkProperties, properties, hid_t(H5P_DEFAULT))
                }, close: H5Dclose, { (_) throws(StorageError) in })
        }
    }

    /// Properties of a new dataset: no time stamps, so that equal contents make equal files.
    func withCreation(_ place: String, _ body: (hid_t) throws(StorageError) -> Void) throws(StorageError) {
        try with(place, open: { _ in H5Pcreate(H5P_DATASET_CREATE) }, close: H5Pclose) {
            (properties) throws(StorageError) in
            _ = try self.call(place) { _ in H5Pset_obj_track_times(properties, false) }
            try body(properties)
        }
    }

    /// The space of all elements of an array.
    func withSpace(
        _ place: String, _ shape: [Int], _ body: (hid_t) throws(StorageError) -> Void
    ) throws(StorageError) {
        let sizes = shape.map { hsize_t($0) }
        try with(place, open: { _ in H5Screate_simple(Int32(sizes.count), sizes, nil) }, close: H5Sclose, body)
    }

    /// Narrows a space to some of its rows.
    func select(_ rows: Range<Int>, of space: hid_t, _ shape: [Int], _ place: String) throws(StorageError) {
        let start = [hsize_t(rows.lowerBound)] + shape.dropFirst().map { _ in 0 }
        let count = [hsize_t(rows.count)] + shape.dropFirst().map { hsize_t($0) }
        _ = try call(place) { _ in H5Sselect_hyperslab(space, H5S_SELECT_SET, start, nil, count, nil) }
    }
}
