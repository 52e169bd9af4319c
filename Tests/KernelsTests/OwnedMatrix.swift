import Kernels

/// A matrix with memory of its own and a margin behind every row whose values must stay as they are.
///
/// The memory is never freed, so that a `Matrix` may outlive this; a test makes few.
final class OwnedMatrix {
    let matrix: Matrix
    private static let margin = 3
    private static let untouched: Float = 777

    init(_ values: [Float], rows: Int, columns: Int) {
        precondition(values.count == rows * columns)
        let stride = columns + OwnedMatrix.margin
        let pointer = UnsafeMutablePointer<Float>.allocate(capacity: max(1, rows * stride))
        pointer.initialize(repeating: OwnedMatrix.untouched, count: rows * stride)
        for index in values.indices { pointer[index / columns * stride + index % columns] = values[index] }
        matrix = Matrix(pointer, rows: rows, columns: columns, stride: stride)
    }

    convenience init(rows: Int, columns: Int) {
        self.init([Float](repeating: -555, count: rows * columns), rows: rows, columns: columns)
    }

    /// One row.
    convenience init(_ values: [Float]) { self.init(values, rows: 1, columns: values.count) }

    var pointer: UnsafeMutablePointer<Float> { matrix.pointer }

    /// The elements, row after row.
    var values: [Float] {
        (0..<matrix.rows).flatMap { row in (0..<matrix.columns).map { matrix.row(row)[$0] } }
    }

    /// Whether nothing was written behind the rows.
    var marginIsUntouched: Bool {
        (0..<matrix.rows).allSatisfy { row in
            (0..<OwnedMatrix.margin).allSatisfy { matrix.row(row)[matrix.columns + $0] == OwnedMatrix.untouched }
        }
    }
}
