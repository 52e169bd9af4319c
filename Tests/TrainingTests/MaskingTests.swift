import Foundation
import Kernels
import TestSupport
import Testing

@testable import Data
@testable import Training

/// Which word pieces are masked, how many, and by what.
struct MaskingTests {
    private static let vocabularySize = 100
    private let vocabulary: Vocabulary

    init() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).txt").path
        let special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
        // Ids 5 to 34 go on with a word, those from 35 on begin one.
        let pieces = special + (5..<35).map { "##p\($0)" } + (35..<Self.vocabularySize).map { "p\($0)" }
        try pieces.joined(separator: "\n").write(toFile: path, atomically: true, encoding: .utf8)
        vocabulary = try Vocabulary(path: path)
        try FileManager.default.removeItem(atPath: path)
    }

    private func masking(wholeWords: Bool) -> Masking {
        Masking(vocabulary, embeddingCount: Self.vocabularySize + 3, wholeWords: wholeWords, longest: 200)
    }

    private static func tokens(_ count: Int, using random: inout TestRandom) -> [Int32] {
        [2] + (0..<count).map { _ in Int32.random(in: 0..<100, using: &random) } + [3]
    }

    private func draw(
        _ masking: Masking, _ tokens: [Int32], step: Int = 1, seed: UInt64 = 1, number: Int = 0
    ) -> [Masking.Choice] {
        tokens.withUnsafeBufferPointer { masking.draw($0, RandomStep(seed: seed, step: step), number: number) }
    }

    @Test func `As many pieces as 15 % are masked, none of them special, in rising order`() {
        let masking = masking(wholeWords: false)
        var random = TestRandom(seed: 1)
        for count in [1, 2, 3, 9, 10, 11, 40, 128, 190] {
            let tokens = Self.tokens(count, using: &random)
            let choices = draw(masking, tokens, number: count)
            let maskable = tokens.count { $0 > 4 }
            #expect(choices.count == (maskable == 0 ? 0 : max(1, Int((0.15 * Double(maskable)).rounded()))))
            #expect(choices.allSatisfy { tokens[$0.position] > 4 })
            #expect(zip(choices, choices.dropFirst()).allSatisfy { $0.position < $1.position })
            #expect(tokens.withUnsafeBufferPointer { masking.mostMasked(of: $0) } == choices.count)
        }
        #expect(draw(masking, [2, 1, 3, 0, 3]).isEmpty)
    }

    @Test func `Every piece is masked alike often, 80 % by the mask, 10 % by any piece, 10 % by itself`() {
        let masking = masking(wholeWords: false)
        let tokens = [2] + (0..<40).map { Int32(50 + $0) } + [3]
        var counts = [Int](repeating: 0, count: 42), kinds = [0, 0, 0], pieces = Set<Int32>()
        let steps = 4000
        for step in 0..<steps {
            for choice in draw(masking, tokens, step: step) {
                counts[choice.position] += 1
                let kind = choice.piece == 4 ? 0 : choice.piece == tokens[choice.position] ? 1 : 2
                kinds[kind] += 1
                if kind == 2 { pieces.insert(choice.piece) }
            }
        }
        // 6 of 40 each time: 600 ± 22.6; of 24,000 choices 80 % (± 62), 10 % (± 46) and 10 %, a hundredth of which meets mask or piece itself.
        #expect(counts[0] == 0 && counts[41] == 0)
        #expect(counts[1...40].allSatisfy { abs($0 - 600) < 100 })
        #expect(kinds.reduce(0, +) == 6 * steps)
        #expect(abs(kinds[0] - 19_224) < 250 && abs(kinds[1] - 2424) < 190 && abs(kinds[2] - 2352) < 190)
        #expect(pieces.count == 99, "any piece of the vocabulary may come, and none beyond it")
    }

    @Test func `Whole words are masked whole, and no more pieces than 15 %`() {
        let masking = masking(wholeWords: true)
        var random = TestRandom(seed: 2)
        var (total, most) = (0, 0)
        for number in 0..<300 {
            let tokens = Self.tokens(Int.random(in: 1...150, using: &random), using: &random)
            let choices = draw(masking, tokens, number: number)
            let positions = Set(choices.map(\.position))
            for position in positions {
                if (5..<35).contains(tokens[position]), tokens[position - 1] > 4 {
                    #expect(positions.contains(position - 1))
                }
                if (5..<35).contains(tokens[position + 1]) { #expect(positions.contains(position + 1)) }
            }
            let bound = tokens.withUnsafeBufferPointer { masking.mostMasked(of: $0) }
            #expect(choices.count <= bound && choices.allSatisfy { tokens[$0.position] > 4 })
            total += choices.count
            most += bound
        }
        #expect(Double(total) > 0.97 * Double(most))
        // Three words of two pieces have room for one piece.
        #expect(draw(masking, [2, 40, 10, 41, 11, 42, 12, 3]).isEmpty)
    }

    @Test(arguments: [false, true])
    func `What is masked follows from seed, step and example alone`(wholeWords: Bool) {
        var random = TestRandom(seed: 3)
        let tokens = Self.tokens(120, using: &random), other = Self.tokens(77, using: &random)
        func positions(_ masking: Masking, step: Int = 1, seed: UInt64 = 1, number: Int = 0) -> [Int] {
            draw(masking, tokens, step: step, seed: seed, number: number).map(\.position)
        }
        let used = masking(wholeWords: wholeWords)
        _ = draw(used, other, number: 5)
        let expected = positions(used)
        #expect(positions(masking(wholeWords: wholeWords)) == expected)
        #expect(positions(used, step: 2) != expected && positions(used, seed: 2) != expected)
        #expect(positions(used, number: 1) != expected)
    }

    @Test func `Scores of held-out texts count every masked piece and every pair alike`() throws {
        let outputs: [[Float]] = [[6, 3, 1, 1], [0, 0, 0, 0], [4, 2, 2, 1]]
        let predictions = Predictions.maskedWords(outputs.map { MaskedResult($0[...]) })
        #expect(predictions.score("MaskedLoss") == 2 && predictions.score("ACC") == 0.6)
        #expect(try abs(#require(predictions.score("NextACC")) - 2 / 3) < 1e-12)
        #expect(predictions.score("F1") == nil)
    }
}
