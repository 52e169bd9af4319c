import COpenBLAS

/// OpenBLAS: what our own products are measured against.
public struct MatrixLibrary: Sendable {
    /// Its version, and the processor that it takes this one for: `OpenBLAS 0.3.21, Zen`.
    public let name: String

    /// Asks OpenBLAS for its configuration and limits it to one thread.
    public init() {
        openblas_set_num_threads(1)
        // `OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH ...`
        let version = String(cString: openblas_get_config()).split(separator: " ").prefix(2).joined(separator: " ")
        name = "\(version), \(String(cString: openblas_get_corename()))"
    }

    /// c = a·b by sgemm.
    public func multiply(_ a: Matrix, _ b: Matrix, into c: Matrix) {
        precondition(a.rows == c.rows && b.columns == c.columns && a.columns == b.rows, "sizes of the product differ")
        cblas_sgemm(
            CblasRowMajor, CblasNoTrans, CblasNoTrans, blasint(c.rows), blasint(c.columns), blasint(a.columns), 1,
            a.pointer, blasint(a.stride), b.pointer, blasint(b.stride), 0, c.pointer, blasint(c.stride))
    }
}
