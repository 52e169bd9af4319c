extension FileContents<[[Int32]]> {
    /// Pairs of texts for pre-training, of documents whose sentences are given in word pieces: label 0 where the second text follows the first in its
    /// document, 1 where it comes from elsewhere.
    ///
    /// They are made as BERT's were (Devlin et al. 2019, `create_pretraining_data.py`). Sentences are packed up to `maximumLength` tokens,
    /// one time in ten up to fewer; the first text ends after one of them at random; half of the second texts are what follows, the others begin
    /// at a random place of another document, or, where there is only one, elsewhere in it. Every sentence is in one first or following text, but
    /// for what is cut where sentences do not fit.
    /// - Parameters:
    ///   - maximumLength: tokens of a pair at most, special ones among them.
    ///   - limit: as many pairs at most.
    public func pairs(
        _ vocabulary: Vocabulary, maximumLength: Int, limit: Int = .max
    ) -> FileContents<TokenizedExample> {
        let documents = rows.map { $0.filter { !$0.isEmpty } }.filter { !$0.isEmpty }
        var maker = PairMaker(documents: documents, vocabulary: vocabulary, room: maximumLength - 3)
        for index in documents.indices where maker.examples.count < limit { maker.addPairs(of: index) }
        return FileContents<TokenizedExample>(rows: Array(maker.examples.prefix(limit)), leftOut: leftOut)
    }
}

/// Makes pairs of one document after another. Its random numbers are the same in every run, so that a file has one set of pairs.
private struct PairMaker {
    let documents: [[[Int32]]]
    let vocabulary: Vocabulary
    /// Tokens of both texts at most.
    let room: Int
    private(set) var examples: [TokenizedExample] = []
    private var random = SplitMix64(seed: 0x70_61_69_72_73)

    init(documents: [[[Int32]]], vocabulary: Vocabulary, room: Int) {
        self.documents = documents
        self.vocabulary = vocabulary
        self.room = room
    }

    /// Packs a document's sentences into pairs.
    mutating func addPairs(of index: Int) {
        let document = documents[index]
        var first = 0
        while first < document.count {
            let target = random.chance(0.1) ? 2 + random.next(below: room - 1) : room
            var (end, length) = (first, 0)
            while end < document.count, length < target {
                length += document[end].count
                end += 1
            }
            first = addPair(of: index, chunk: first..<end, target: target)
        }
    }

    /// Makes one pair whose first text begins a run of sentences; returns the first sentence that is in neither text as what it is.
    private mutating func addPair(of index: Int, chunk: Range<Int>, target: Int) -> Int {
        let document = documents[index]
        let firstEnd = chunk.lowerBound + (chunk.count >= 2 ? 1 + random.next(below: chunk.count - 1) : 1)
        let first = document[chunk.lowerBound..<firstEnd].flatMap { $0 }
        let isOther = chunk.count == 1 || random.chance(0.5)
        guard isOther else {
            append(first, document[firstEnd..<chunk.upperBound].flatMap { $0 }, isOther: false)
            return chunk.upperBound
        }
        // Of one sentence alone no pair can be made.
        guard let place = otherPlace(than: index, next: firstEnd) else { return firstEnd }
        var second: [Int32] = []
        for sentence in documents[place.document][place.sentence...] {
            second += sentence
            if second.count >= target - first.count { break }
        }
        append(first, second, isOther: true)
        return firstEnd
    }

    /// A random sentence of another document, or, of the only one, a random one that is not the `next`; nil where there is none.
    private mutating func otherPlace(than index: Int, next: Int) -> (document: Int, sentence: Int)? {
        guard documents.count == 1 else {
            var other = random.next(below: documents.count - 1)
            if other >= index { other += 1 }
            return (other, random.next(below: documents[other].count))
        }
        let count = documents[0].count - (next < documents[0].count ? 1 : 0)
        guard documents[0].count > 1 else { return nil }
        let sentence = random.next(below: count)
        return (0, sentence >= next ? sentence + 1 : sentence)
    }

    private mutating func append(_ first: [Int32], _ second: [Int32], isOther: Bool) {
        var (first, second) = (first[...], second[...])
        // From either end, so that sentences' beginnings are no likelier than their ends.
        while first.count + second.count > room {
            let fromFront = random.chance(0.5)
            func cut(_ text: inout ArraySlice<Int32>) { text = fromFront ? text.dropFirst() : text.dropLast() }
            if first.count > second.count { cut(&first) } else { cut(&second) }
        }
        let tokens =
            [vocabulary.classification] + first + [vocabulary.separator] + second + [vocabulary.separator]
        let segments =
            [UInt8](repeating: 0, count: first.count + 2) + [UInt8](repeating: 1, count: second.count + 1)
        examples.append(
            TokenizedExample(
                uid: "\(examples.count)", sequences: [EncodedText(tokens: tokens, segments: segments)],
                label: isOther ? 1 : 0))
    }
}
