import Data
import Kernels
import Model

/// The numbers of the places where masking draws, apart from those of dropout (`DropoutSite`).
private enum MaskingSite {
    static let word = 6
    static let kind = 7
    static let piece = 8
}

/// Chooses which word pieces of a sequence are masked, and by what: a pure function of the random numbers' step and the sequence's number, so nothing
/// is stored, and a run that goes on masks what it would have masked.
///
/// As in BERT 15 % of a sequence's pieces are chosen, at least one; of these 80 % become `[MASK]`, 10 % any piece of the vocabulary, and 10 % stay.
/// Special tokens are never chosen. Whole words are taken in random order where they still fit in; it may be that none does.
final class Masking {
    /// What stands at a chosen place, in rising order of places.
    struct Choice {
        var position: Int
        var piece: Int32
    }

    private enum PieceKind { case special, begin, goesOn }

    private let kinds: [PieceKind]
    private let maskToken: Int32
    private let pieceCount: Int
    private let wholeWords: Bool
    /// Where the words begin that can be chosen, shuffled as far as they are drawn.
    private var starts: [Int] = []
    private var choices: [Choice] = []

    /// - Parameters:
    ///   - embeddingCount: the ids that tokens may have, which may be more than the vocabulary's.
    ///   - longest: most tokens of a sequence.
    init(_ vocabulary: Vocabulary, embeddingCount: Int, wholeWords: Bool, longest: Int) {
        var kinds = vocabulary.continuations.map { $0 ? PieceKind.goesOn : .begin }
        kinds += repeatElement(.begin, count: embeddingCount - kinds.count)
        for id in vocabulary.specialIDs { kinds[Int(id)] = .special }
        self.kinds = kinds
        maskToken = vocabulary.mask
        pieceCount = vocabulary.count
        self.wholeWords = wholeWords
        starts.reserveCapacity(longest)
        choices.reserveCapacity(longest)
    }

    /// Most pieces of a sequence that are masked; exactly so many where words need not be whole.
    func mostMasked(of tokens: UnsafeBufferPointer<Int32>) -> Int {
        let count = tokens.count { kind(of: $0) != .special }
        return count == 0 ? 0 : max(1, (15 * count + 50) / 100)
    }

    /// What is masked of a sequence.
    /// - Parameters:
    ///   - random: the numbers of a step.
    ///   - number: the number of the sequence in the step's batch.
    func draw(_ tokens: UnsafeBufferPointer<Int32>, _ random: RandomStep, number: Int) -> [Choice] {
        chooseWords(tokens, random, number)
        for index in choices.indices {
            let row = RowIdentity(example: UInt32(number), row: UInt32(choices[index].position))
            switch random.uniform(below: 10, site: MaskingSite.kind, row: row) {
            case 0: break
            case 1: choices[index].piece = Int32(random.uniform(below: pieceCount, site: MaskingSite.piece, row: row))
            default: choices[index].piece = maskToken
            }
        }
        return choices
    }

    /// The numbers for evaluation, in which sequences are numbered by their row in the file: held-out texts are masked alike in all runs.
    static let evaluation = RandomStep(seed: 0, step: 0xFFFF_FD00)

    private func kind(of piece: Int32) -> PieceKind { kinds[Int(piece)] }

    /// The first place after the word that begins at `start`, or after the piece.
    private func end(ofWord start: Int, in tokens: UnsafeBufferPointer<Int32>) -> Int {
        var end = start + 1
        while wholeWords, end < tokens.count, kind(of: tokens[end]) == .goesOn { end += 1 }
        return end
    }

    /// Fisher and Yates's shuffle, as far as words are needed.
    private func chooseWords(_ tokens: UnsafeBufferPointer<Int32>, _ random: RandomStep, _ number: Int) {
        starts.removeAll(keepingCapacity: true)
        choices.removeAll(keepingCapacity: true)
        var place = 0
        while place < tokens.count {
            let next = end(ofWord: place, in: tokens)
            if kind(of: tokens[place]) != .special { starts.append(place) }
            place = next
        }
        let wanted = mostMasked(of: tokens)
        var drawn = 0
        while choices.count < wanted, drawn < starts.count {
            let row = RowIdentity(example: UInt32(number), row: UInt32(drawn))
            let other = drawn + random.uniform(below: starts.count - drawn, site: MaskingSite.word, row: row)
            starts.swapAt(drawn, other)
            let word = starts[drawn]..<end(ofWord: starts[drawn], in: tokens)
            drawn += 1
            guard choices.count + word.count <= wanted else { continue }
            for position in word { insert(Choice(position: position, piece: tokens[position])) }
        }
    }

    /// Keeps the choices in rising order; there are few, and the library's sort allocates.
    private func insert(_ choice: Choice) {
        choices.append(choice)
        var index = choices.count - 1
        while index > 0, choices[index - 1].position > choice.position {
            choices.swapAt(index - 1, index)
            index -= 1
        }
    }
}
