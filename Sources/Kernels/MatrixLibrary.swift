import COpenBLAS

/// OpenBLAS: what our own products are measured against.
public struct MatrixLibrary: Sendable, Equatable {
    /// Version and build options, for example `OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH ...`.
    public let configuration: String
    /// Name of the kernel set that it chose for this processor, for example `Zen`.
    public let coreName: String

    /// Asks OpenBLAS for its configuration and limits it to one thread.
    public static func prepare() -> MatrixLibrary {
        openblas_set_num_threads(1)
        return MatrixLibrary(
            configuration: String(cString: openblas_get_config()), coreName: String(cString: openblas_get_corename()))
    }

    /// c = a·b by sgemm, for matrices without gaps between their rows.
    public func multiply(_ a: Matrix, _ b: Matrix, into c: Matrix) {
        precondition(a.rows == c.rows && b.columns == c.columns && a.columns == b.rows, "sizes of the product differ")
        cblas_sgemm(
            CblasRowMajor, CblasNoTrans, CblasNoTrans, blasint(c.rows), blasint(c.columns), blasint(a.columns), 1,
            a.pointer, blasint(a.stride), b.pointer, blasint(b.stride), 0, c.pointer, blasint(c.stride))
    }
}
