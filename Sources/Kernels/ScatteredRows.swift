/// Rows of a tall matrix that are added to rows of a weight's gradient, slice by slice: those of embeddings that were looked up, where the same
/// weight is the factor of a product too.
public struct ScatteredRows {
    private let rows: Matrix
    private let slices: RowSlices
    private let starts: UnsafePointer<Int>
    private let sources: UnsafePointer<Int32>

    /// - Parameters:
    ///   - rows: what is added [rows, columns].
    ///   - slices: the slices of its rows, along the tree of the product's.
    ///   - starts: where the sources of each row of the weight begin in `sources`, and where the last one's end.
    ///   - sources: for each row of the weight the rows that are added to it, in rising order.
    public init(_ rows: Matrix, _ slices: RowSlices, starts: UnsafePointer<Int>, sources: UnsafePointer<Int32>) {
        self.rows = rows
        self.slices = slices
        self.starts = starts
        self.sources = sources
    }

    /// Whether anything is added to these rows of the weight.
    func concerns(_ outputs: Range<Int>) -> Bool { starts[outputs.lowerBound] < starts[outputs.upperBound] }

    /// tile += what a slice adds to some rows and columns of the weight, in the order of rows.
    func add(
        slice: Int, outputs: Range<Int>, inputs: Range<Int>, to tile: UnsafeMutablePointer<Float>
    ) {
        let range = slices.range(slice)
        for output in outputs {
            let target = tile + (output - outputs.lowerBound) * ProductTile.columns
            for index in starts[output]..<starts[output + 1] {
                let source = Int(sources[index])
                guard source >= range.lowerBound else { continue }
                guard source < range.upperBound else { break }
                addVector(rows.row(source) + inputs.lowerBound, to: target, count: inputs.count)
            }
        }
    }
}
