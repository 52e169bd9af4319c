/// The sum over slices 0 ..< `sliceCount` along the fixed tree, put together from the sums of some of its nodes.
///
/// Written from the definition alone (a node's left child has the largest power of two below its number of slices), so that the
/// program's own tree is checked against it. A node that is neither given nor has children that are is an error of the test.
public func sumAlongTree(_ parts: [Range<Int>: [Float]], sliceCount: Int) -> [Float] {
    func value(_ node: Range<Int>) -> [Float] {
        if let part = parts[node] { return part }
        precondition(node.count > 1, "no part holds slice \(node.lowerBound)")
        var half = 1
        while half * 2 < node.count { half *= 2 }
        let middle = node.lowerBound + half
        return zip(value(node.lowerBound..<middle), value(middle..<node.upperBound)).map { $0 + $1 }
    }
    return value(0..<sliceCount)
}
