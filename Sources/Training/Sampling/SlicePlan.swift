/// How the examples of a global batch fall into slices: whole examples, slices of about equal token counts.
///
/// Examples go, longest first, to the slice that has the fewest tokens so far. The plan depends on the batch and the number of slices only,
/// never on ranks. Where `reproducible` is `per_rank_count` there is one slice for each part of each rank.
struct SlicePlan {
    /// Places in the batch, slice after slice.
    private(set) var places: [Int] = []
    /// Where each slice begins in `places`, and their number [slices + 1].
    private(set) var bounds: [Int]
    private let sliceCount: Int
    private var order: [Int] = []
    private var sliceOfPlace: [Int] = []
    private var loads: [Int]

    /// A plan for at most `capacity` examples in `sliceCount` slices.
    init(sliceCount: Int, capacity: Int) {
        self.sliceCount = sliceCount
        bounds = Array(repeating: 0, count: sliceCount + 1)
        loads = Array(repeating: 0, count: sliceCount)
        places.reserveCapacity(capacity)
        order.reserveCapacity(capacity)
        sliceOfPlace.reserveCapacity(capacity)
    }

    /// Plans a batch of `count` examples of which `tokenCount(place)` is the length; allocates nothing.
    mutating func arrange(count: Int, tokenCount: (Int) -> Int) {
        sortByLength(count, tokenCount)
        for slice in 0..<sliceCount { loads[slice] = 0 }
        sliceOfPlace.removeAll(keepingCapacity: true)
        for _ in 0..<count { sliceOfPlace.append(0) }
        for place in order {
            var lightest = 0
            for slice in 1..<max(1, sliceCount) where loads[slice] < loads[lightest] { lightest = slice }
            sliceOfPlace[place] = lightest
            loads[lightest] += tokenCount(place)
        }
        places.removeAll(keepingCapacity: true)
        for slice in 0..<sliceCount {
            for place in 0..<count where sliceOfPlace[place] == slice { places.append(place) }
            bounds[slice + 1] = places.count
        }
    }

    /// The places of a slice.
    func slice(_ index: Int) -> ArraySlice<Int> { places[bounds[index]..<bounds[index + 1]] }

    /// Insertion sort: batches are small, and the library's sort allocates.
    private mutating func sortByLength(_ count: Int, _ tokenCount: (Int) -> Int) {
        order.removeAll(keepingCapacity: true)
        for place in 0..<count {
            order.append(place)
            var index = place
            while index > 0, tokenCount(order[index - 1]) < tokenCount(order[index]) {
                order.swapAt(index - 1, index)
                index -= 1
            }
        }
    }
}
