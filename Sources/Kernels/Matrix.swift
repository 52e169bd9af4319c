/// A borrowed view of floats in row order. It owns nothing: its memory belongs to a `Workspace` or to `Parameters`.
public struct Matrix {
    /// The first element of the first row.
    public let pointer: UnsafeMutablePointer<Float>
    /// Number of rows.
    public let rows: Int
    /// Number of columns.
    public let columns: Int
    /// Distance in elements from one row to the next: `columns`, or more where this is a range of columns of a wider one.
    public let stride: Int

    /// A view of `rows` × `columns` floats at `pointer`.
    public init(_ pointer: UnsafeMutablePointer<Float>, rows: Int, columns: Int, stride: Int? = nil) {
        self.pointer = pointer
        self.rows = rows
        self.columns = columns
        self.stride = stride ?? columns
    }

    /// The first element of row `index`.
    @inline(__always)
    public func row(_ index: Int) -> UnsafeMutablePointer<Float> { pointer + index * stride }

    /// The first `count` rows.
    public func prefix(_ count: Int) -> Matrix {
        precondition(count <= rows, "a view of \(count) rows was asked of a matrix of \(rows)")
        return Matrix(pointer, rows: count, columns: columns, stride: stride)
    }

    /// The rows of `range`.
    public func rows(_ range: Range<Int>) -> Matrix {
        precondition(range.lowerBound >= 0 && range.upperBound <= rows)
        return Matrix(row(range.lowerBound), rows: range.count, columns: columns, stride: stride)
    }

    /// The columns of `range`.
    public func columns(_ range: Range<Int>) -> Matrix {
        precondition(range.lowerBound >= 0 && range.upperBound <= columns)
        return Matrix(pointer + range.lowerBound, rows: rows, columns: range.count, stride: stride)
    }

    /// Sets every element to `value`.
    public func fill(_ value: Float) {
        for index in 0..<rows {
            row(index).update(repeating: value, count: columns)
        }
    }

    /// Adds `other`, element by element.
    public func add(_ other: Matrix) {
        precondition(rows == other.rows && columns == other.columns)
        forEachRow(of: self, (self, other)) { work, index in
            let (sum, other) = work
            addVector(other.row(index), to: sum.row(index), count: sum.columns)
        }
    }
}
