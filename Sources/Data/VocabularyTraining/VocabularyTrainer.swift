/// Learns a WordPiece vocabulary from the words of a corpus: characters first, then the pair of pieces that occurs most often as one more piece, and so on.
///
/// These are the pieces that Hugging Face's `BertWordPieceTokenizer.train` finds, but that its choice among equally frequent pairs changes from run to run. Here
/// it is the one whose first piece has the lower number in the vocabulary, then the one whose second has.
/// The vocabulary has `[PAD]`, `[UNK]`, `[CLS]`, `[SEP]`, `[MASK]`, the characters, the characters that go on with a word (`##a`), both by their
/// scalars, and then the pieces in the order in which they were found.
public struct VocabularyTrainer {
    /// What stands before every other piece.
    public static let specialTokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    /// What every piece has before it that goes on with a word.
    private static let prefix = Array("##".utf8)
    /// Characters at most, the most frequent ones; words lose the others. As Hugging Face's default.
    static let characterLimit = 1000
    /// Pairs that occur less often become no pieces. As Hugging Face's default.
    static let leastCount = 2

    // By their bytes: Swift's String takes é and e + ´ for equal, and counts ## with a combining mark as two characters.
    private var pieces: [[UInt8]]
    private var numbers: [[UInt8]: Int32] = [:]
    private var words: [[Int32]] = []
    private var wordCounts: [Int] = []
    private var pairCounts: [PiecePair: Int] = [:]
    private var queue = PairQueue()

    /// The pieces of a vocabulary.
    /// - Parameter size: pieces at most, special tokens and characters among them; there are fewer where no pair occurs twice any more.
    public static func pieces(of counts: WordCounts, size: Int) throws(VocabularyTrainingError) -> [String] {
        let entries = counts.sorted
        guard !entries.isEmpty else { throw VocabularyTrainingError("the corpus has no words") }
        var trainer = VocabularyTrainer(entries)
        guard trainer.pieces.count <= size else {
            throw VocabularyTrainingError(
                "--size \(size): the special tokens and the characters of the corpus alone are \(trainer.pieces.count) pieces"
            )
        }
        trainer.countPairs()
        trainer.merge(upTo: size)
        return trainer.pieces.map { String(decoding: $0, as: UTF8.self) }
    }

    /// Words as their characters.
    private init(_ entries: [WordCounts.Entry]) {
        pieces = Self.specialTokens.map { Array($0.utf8) }
        let scalars = entries.map { Array(String(decoding: $0.word, as: UTF8.self).unicodeScalars) }
        var counts: [Unicode.Scalar: Int] = [:]
        for (word, entry) in zip(scalars, entries) { for scalar in word { counts[scalar, default: 0] += entry.count } }
        let known = Set(
            counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(Self.characterLimit).map(\.key))
        for scalar in known.sorted() { _ = add(Array(String(scalar).utf8)) }
        let later = Set(scalars.flatMap { $0.dropFirst() })
        for scalar in known.intersection(later).sorted() { _ = add(Self.prefix + String(scalar).utf8) }
        for (word, entry) in zip(scalars, entries) {
            words.append(
                word.enumerated().compactMap { place, scalar in
                    known.contains(scalar) ? numbers[(place == 0 ? [] : Self.prefix) + String(scalar).utf8] : nil
                })
            wordCounts.append(entry.count)
        }
    }

    /// The number of a piece, which is new or not.
    private mutating func add(_ piece: [UInt8]) -> Int32 {
        if let number = numbers[piece] { return number }
        let number = Int32(pieces.count)
        numbers[piece] = number
        pieces.append(piece)
        return number
    }

    private mutating func countPairs() {
        var wordsOfPair: [PiecePair: [Int32]] = [:]
        for (index, word) in words.enumerated() {
            for (first, second) in zip(word, word.dropFirst()) {
                let pair = PiecePair(first: first, second: second)
                pairCounts[pair, default: 0] += wordCounts[index]
                wordsOfPair[pair, default: []].append(Int32(index))
            }
        }
        for (pair, words) in wordsOfPair { queue.push(.init(pair: pair, count: pairCounts[pair]!, words: words)) }
    }

    private mutating func merge(upTo size: Int) {
        while pieces.count < size, var top = queue.pop() {
            // Counts fall while an entry waits: it waits again at its place.
            let count = pairCounts[top.pair]!
            if count != top.count {
                top.count = count
                queue.push(top)
                continue
            }
            guard top.count >= Self.leastCount else { return }
            let second = pieces[Int(top.pair.second)]
            let piece = add(pieces[Int(top.pair.first)] + second.dropFirst(Self.prefix.count))
            merge(top, into: piece)
        }
    }

    /// Puts a piece in place of a pair wherever it stands, and counts the new neighbours.
    ///
    /// The count of the pair itself stays, as in Hugging Face's trainer; it tells where a piece that is found twice in different ways brings the pair
    /// about once more.
    private mutating func merge(_ entry: PairQueue.Entry, into piece: Int32) {
        var found: [PiecePair: [Int32]] = [:]
        var last: Int32 = -1
        // A word is listed once for each place.
        for index in entry.words.sorted() where index != last {
            last = index
            for (pair, change) in mergeWord(Int(index), entry.pair, into: piece) {
                pairCounts[pair, default: 0] += change * wordCounts[Int(index)]
                if change > 0 { found[pair, default: []].append(index) }
            }
        }
        for (pair, words) in found {
            let count = pairCounts[pair]!
            if count > 0 { queue.push(.init(pair: pair, count: count, words: words)) }
        }
    }

    /// Merges a pair in a word, from its beginning; returns the pairs that came and went.
    private mutating func mergeWord(
        _ index: Int, _ pair: PiecePair, into piece: Int32
    ) -> [(pair: PiecePair, change: Int)] {
        let old = words[index]
        var new: [Int32] = []
        new.reserveCapacity(old.count)
        var changes: [(PiecePair, Int)] = []
        var place = 0
        while place < old.count {
            guard place + 1 < old.count, old[place] == pair.first, old[place + 1] == pair.second else {
                new.append(old[place])
                place += 1
                continue
            }
            if let before = new.last {
                changes.append((PiecePair(first: before, second: pair.first), -1))
                changes.append((PiecePair(first: before, second: piece), 1))
            }
            if place + 2 < old.count {
                changes.append((PiecePair(first: pair.second, second: old[place + 2]), -1))
                changes.append((PiecePair(first: piece, second: old[place + 2]), 1))
            }
            new.append(piece)
            place += 2
        }
        words[index] = new
        return changes
    }
}

/// Why no vocabulary can be learnt, in a sentence.
public struct VocabularyTrainingError: Error, Equatable, CustomStringConvertible {
    /// The sentence.
    public let description: String

    init(_ description: String) { self.description = description }
}
