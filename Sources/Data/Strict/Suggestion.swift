/// `; did you mean "NAME"?` with the name nearest to `word`, or nothing where none is near.
public func suggestion(for word: String, among names: some Sequence<String>) -> String {
    nearest(to: word, among: names).map { "; did you mean \"\($0)\"?" } ?? ""
}

/// The name with the fewest edits to `word`, at most a third of its letters (but always one), the first among equals.
func nearest(to word: String, among names: some Sequence<String>) -> String? {
    names.map { (name: $0, edits: editDistance(word.lowercased(), $0.lowercased())) }
        .filter { $0.edits <= max(1, $0.name.count / 3) }
        .min { $0.edits < $1.edits }?.name
}

/// The number of letters to insert, delete, replace or swap with their neighbour to turn `first` into `second`.
func editDistance(_ first: String, _ second: String) -> Int {
    let a = Array(first.unicodeScalars), b = Array(second.unicodeScalars)
    // A hostile megabyte of a key must not cost a quadratic table; it is near to nothing anyway.
    guard a.count <= 100, b.count <= 100 else { return max(a.count, b.count) }
    var table = [[Int]](repeating: Array(0...b.count), count: a.count + 1)
    for i in a.indices {
        table[i + 1][0] = i + 1
        for j in b.indices {
            let replaced = table[i][j] + (a[i] == b[j] ? 0 : 1)
            table[i + 1][j + 1] = min(replaced, table[i][j + 1] + 1, table[i + 1][j] + 1)
            if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
                table[i + 1][j + 1] = min(table[i + 1][j + 1], table[i - 1][j - 1] + 1)
            }
        }
    }
    return table[a.count][b.count]
}
