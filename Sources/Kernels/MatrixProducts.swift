import COpenBLAS

/// c = a·b, a·bᵀ or aᵀ·b, or that added to c.
///
/// One call of OpenBLAS's sgemm. The bits of a product depend on the shape of the call, so what must not depend on the number
/// of ranks is always called with shapes that do not depend on it either.
public func multiply(
    _ a: Matrix, _ b: Matrix, transposed: (a: Bool, b: Bool) = (false, false), into c: Matrix,
    accumulating: Bool = false
) {
    let (aTransposed, bTransposed) = transposed
    let inner = aTransposed ? a.rows : a.columns
    precondition((aTransposed ? a.columns : a.rows) == c.rows, "rows of the product differ")
    precondition((bTransposed ? b.rows : b.columns) == c.columns, "columns of the product differ")
    precondition((bTransposed ? b.columns : b.rows) == inner, "inner sizes of the product differ")
    guard c.rows > 0, c.columns > 0 else { return }
    guard inner > 0 else {
        if !accumulating { c.fill(0) }
        return
    }
    cblas_sgemm(
        CblasRowMajor, aTransposed ? CblasTrans : CblasNoTrans, bTransposed ? CblasTrans : CblasNoTrans,
        blasint(c.rows), blasint(c.columns), blasint(inner), 1, a.pointer, blasint(a.stride), b.pointer,
        blasint(b.stride), accumulating ? 1 : 0, c.pointer, blasint(c.stride))
}

/// OpenBLAS as it was found: its version and build options, and the name of the kernel set it chose for this processor.
public struct MatrixLibrary: Sendable, Equatable {
    /// Version and build options, for example `OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH ...`.
    public let configuration: String
    /// Name of the kernel set, for example `Zen`. Other names may give other bits.
    public let coreName: String

    /// Asks OpenBLAS for its configuration and limits it to one thread: the bits of its products depend on its thread count.
    public static func prepare() -> MatrixLibrary {
        openblas_set_num_threads(1)
        return MatrixLibrary(
            configuration: String(cString: openblas_get_config()), coreName: String(cString: openblas_get_corename()))
    }
}
