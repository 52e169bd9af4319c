/// All WordPieces by their bytes, for the longest piece that begins a given string of bytes.
///
/// A double-array trie: the child of node n under byte b is node `base[n] + b`, if that node names n as its parent. A
/// step is one addition and one comparison, and a node's fields share a cache line. Pieces that begin a word and pieces
/// that continue one (`##`) hang under two roots.
struct WordPieceTrie: Sendable {
    /// One place of the double array.
    struct Node {
        static let free = Int32(-1)
        static let none = Int32(-1)

        var base = Int32(0)
        var parent = free
        var token = none  // the id of the piece that ends here
    }

    static let wordStart = Int32(0)
    static let continuation = Int32(1)

    private(set) var nodes: [Node]

    init(_ ids: [ArraySlice<UInt8>: Int32]) {
        var builder = Builder()
        let keys = ids.map { token, id in Key(token: token, id: id) }
        builder.place(keys.filter { !$0.isContinuation }, under: Self.wordStart)
        builder.place(keys.filter(\.isContinuation), under: Self.continuation)
        nodes = builder.nodes
    }

    /// The id of a whole token, `##` included.
    func id(of token: [UInt8]) -> Int32? {
        let key = Key(token: token[...], id: Node.none)
        var index = key.isContinuation ? Self.continuation : Self.wordStart
        for byte in key.spelling {
            let child = nodes[Int(index)].base + Int32(byte)
            guard nodes[Int(child)].parent == index else { return nil }
            index = child
        }
        let id = nodes[Int(index)].token
        return id == Node.none ? nil : id
    }

    /// The longest piece under `root` that begins `text`; the length is zero where there is none.
    @inline(__always)
    static func longestMatch(
        in nodes: UnsafePointer<Node>, root: Int32, _ text: UnsafeBufferPointer<UInt8>
    ) -> (id: Int32, length: Int) {
        var match = (id: Node.none, length: 0)
        var index = root
        var base = nodes[Int(root)].base
        for position in text.indices {
            let child = base + Int32(text[position])
            let node = nodes[Int(child)]
            if node.parent != index { break }
            if node.token != Node.none { match = (node.token, position + 1) }
            index = child
            base = node.base
        }
        return match
    }
}

/// A token as the trie spells it: without the `##`.
private struct Key {
    let spelling: ArraySlice<UInt8>
    let isContinuation: Bool
    let id: Int32

    init(token: ArraySlice<UInt8>, id: Int32) {
        isContinuation = token.count > 2 && token.starts(with: "##".utf8)
        spelling = isContinuation ? token.dropFirst(2) : token
        self.id = id
    }

    /// The byte at `depth`, which the key must be long enough to have.
    func byte(_ depth: Int) -> UInt8 { spelling[spelling.startIndex + depth] }
}

/// Lays the nodes out, each set of siblings at the first place where all of them are free.
private struct Builder {
    private(set) var nodes = [WordPieceTrie.Node](repeating: .init(), count: 512)
    private var firstFree: Int

    init() {
        // The roots are taken; no byte leads to them.
        nodes[Int(WordPieceTrie.wordStart)].parent = .max
        nodes[Int(WordPieceTrie.continuation)].parent = .max
        firstFree = 2
    }

    /// Places all keys, in the order of their bytes so that equal beginnings are neighbours.
    mutating func place(_ keys: [Key], under root: Int32) {
        place(keys.sorted { $0.spelling.lexicographicallyPrecedes($1.spelling) }[...], depth: 0, under: root)
    }

    private mutating func place(_ keys: ArraySlice<Key>, depth: Int, under parent: Int32) {
        var keys = keys
        if let first = keys.first, first.spelling.count == depth {
            nodes[Int(parent)].token = first.id
            keys.removeFirst()
        }
        var groups: [ArraySlice<Key>] = []
        while let first = keys.first {
            let byte = first.byte(depth)
            let group = keys.prefix { $0.byte(depth) == byte }
            groups.append(group)
            keys = keys[group.endIndex...]
        }
        if groups.isEmpty { return }

        let bytes = groups.map { Int($0.first!.byte(depth)) }
        let base = freeBase(for: bytes)
        nodes[Int(parent)].base = Int32(base)
        for byte in bytes { nodes[base + byte].parent = parent }
        for (byte, group) in zip(bytes, groups) { place(group, depth: depth + 1, under: Int32(base + byte)) }
    }

    /// A base that leads every one of `bytes` (ascending) to a free place: the smallest from `firstFree` on.
    ///
    /// Scattered gaps that hardly any siblings fit would be looked through for every node, so those that are all but full are left behind.
    private mutating func freeBase(for bytes: [Int]) -> Int {
        while nodes[firstFree].parent != WordPieceTrie.Node.free { firstFree += 1 }
        let first = max(0, firstFree - bytes[0])
        var base = first
        var taken = 0
        while true {
            // Any byte after any base stays inside the array, so a walk needs no bounds.
            if base + 512 > nodes.count { nodes.append(contentsOf: repeatElement(.init(), count: nodes.count)) }
            if bytes.allSatisfy({ nodes[base + $0].parent == WordPieceTrie.Node.free }) { break }
            if nodes[base + bytes[0]].parent != WordPieceTrie.Node.free { taken += 1 }
            base += 1
        }
        let looked = base - first
        if looked > 256, taken * 20 > looked * 19 { firstFree = base + bytes[0] }
        return base
    }
}
