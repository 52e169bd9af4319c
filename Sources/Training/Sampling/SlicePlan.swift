import Kernels

/// How the examples of a global batch fall into slices: whole examples, slices of about equal token counts.
///
/// Examples go, longest first, to the slice that has the fewest tokens so far. Slices are numbered so that, as far as that can be, each node of the
/// slice tree has its share of the tokens: a rank takes a run of slices, and all ranks wait for the one that has most. The plan depends on the batch
/// and the number of slices only, never on ranks. Where `reproducible` is `per_rank_count` there is one slice for each part of each rank.
struct SlicePlan {
    /// Places in the batch, slice after slice.
    private(set) var places: [Int] = []
    /// Where each slice begins in `places`, and their number [slices + 1].
    private(set) var bounds: [Int]
    private let sliceCount: Int
    private var order: [Int] = []
    /// For each place the pile of examples that it is thrown on, and the tokens of each pile; a slice is a pile with its number.
    private var pileOfPlace: [Int] = []
    private var loads: [Int]
    private var pileOfSlice: [Int]
    private var numbered: [Int]

    /// A plan for at most `capacity` examples in `sliceCount` slices.
    init(sliceCount: Int, capacity: Int) {
        self.sliceCount = sliceCount
        bounds = Array(repeating: 0, count: sliceCount + 1)
        loads = Array(repeating: 0, count: sliceCount)
        numbered = loads
        pileOfSlice = []
        pileOfSlice.reserveCapacity(sliceCount)
        places.reserveCapacity(capacity)
        order.reserveCapacity(capacity)
        pileOfPlace.reserveCapacity(capacity)
    }

    /// Plans a batch of `count` examples of which `tokenCount(place)` is the length; allocates nothing.
    mutating func arrange(count: Int, tokenCount: (Int) -> Int) {
        SlicePlan.sort(count, into: &order, tokenCount)
        for pile in 0..<sliceCount { loads[pile] = 0 }
        pileOfPlace.removeAll(keepingCapacity: true)
        for _ in 0..<count { pileOfPlace.append(0) }
        for place in order {
            var lightest = 0
            for pile in 1..<max(1, sliceCount) where loads[pile] < loads[lightest] { lightest = pile }
            pileOfPlace[place] = lightest
            loads[lightest] += tokenCount(place)
        }
        SlicePlan.sort(sliceCount, into: &pileOfSlice) { [loads] in loads[$0] }
        number(0..<sliceCount)
        places.removeAll(keepingCapacity: true)
        for slice in 0..<sliceCount {
            for place in 0..<count where pileOfPlace[place] == pileOfSlice[slice] { places.append(place) }
            bounds[slice + 1] = places.count
        }
    }

    /// The places of a slice.
    func slice(_ index: Int) -> ArraySlice<Int> { places[bounds[index]..<bounds[index + 1]] }

    /// Divides the piles of a node, heaviest first, between its children: each goes to the child that has fewer tokens for a slice so far, and a place left.
    private mutating func number(_ node: Range<Int>) {
        guard node.count > 1 else { return }
        let (left, right) = SliceTree.children(of: node)
        var (leftLoad, rightLoad) = (0, 0)
        var (leftEnd, rightEnd) = (left.lowerBound, right.lowerBound)
        for pile in pileOfSlice[node] {
            let isLeftLighter = leftLoad * right.count <= rightLoad * left.count
            if rightEnd == right.upperBound || (leftEnd < left.upperBound && isLeftLighter) {
                numbered[leftEnd] = pile
                leftEnd += 1
                leftLoad += loads[pile]
            } else {
                numbered[rightEnd] = pile
                rightEnd += 1
                rightLoad += loads[pile]
            }
        }
        for slice in node { pileOfSlice[slice] = numbered[slice] }
        number(left)
        number(right)
    }

    /// 0 ..< `count` in the order of falling weights, of equal ones the smaller first. Insertion sort: batches are small, and the library's sort allocates.
    private static func sort(_ count: Int, into order: inout [Int], _ weight: (Int) -> Int) {
        order.removeAll(keepingCapacity: true)
        for item in 0..<count {
            order.append(item)
            var index = item
            while index > 0, weight(order[index - 1]) < weight(order[index]) {
                order.swapAt(index - 1, index)
                index -= 1
            }
        }
    }
}
