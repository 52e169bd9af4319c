/// A pair of neighbouring pieces.
struct PiecePair: Hashable, Comparable {
    var first, second: Int32

    static func < (a: PiecePair, b: PiecePair) -> Bool { (a.first, a.second) < (b.first, b.second) }
}

/// Pairs by how often they occur: the most frequent one first, of equals the one with the lower numbers (a binary heap).
struct PairQueue {
    struct Entry {
        var pair: PiecePair
        var count: Int
        /// The words in which the pair was found.
        var words: [Int32]

        func comes(before other: Entry) -> Bool {
            count == other.count ? pair < other.pair : count > other.count
        }
    }

    private var heap: [Entry] = []

    mutating func push(_ entry: Entry) {
        heap.append(entry)
        var index = heap.count - 1
        while index > 0, heap[index].comes(before: heap[(index - 1) / 2]) {
            heap.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    mutating func pop() -> Entry? {
        guard let last = heap.popLast() else { return nil }
        guard let first = heap.first else { return last }
        heap[0] = last
        var index = 0
        while true {
            var best = index
            for child in [2 * index + 1, 2 * index + 2]
            where child < heap.count && heap[child].comes(before: heap[best]) {
                best = child
            }
            guard best != index else { return first }
            heap.swapAt(index, best)
            index = best
        }
    }
}
