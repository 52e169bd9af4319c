import Kernels
import Model
import Storage
import TestSupport

/// One sequence of a global batch.
struct TestSequence {
    var tokens: [Int32]
    var segments: [UInt8]
    /// Classes of tokens, for the head that labels them, or the marks of a span.
    var labels: [Int32] = []
    /// Which tokens are masked, in rising order, and what stands in their place then.
    var masked: [(position: Int, piece: Int32)] = []
    /// Scores by a teacher.
    var softLabels: [Float] = []
}

/// What a loss is computed for: one sequence, or the candidates of a query.
struct TestUnit {
    var sequences: [TestSequence]
    var label: Float
}

/// A global batch in slices, of which a rank takes a run.
struct TestBatch {
    var slices: [[TestUnit]]

    var sequences: [TestSequence] { slices.joined().flatMap(\.sequences) }
    var unitCount: Int { slices.joined().count }
    var maskedCount: Int { sequences.reduce(0) { $0 + $1.masked.count } }

    /// Room for the whole batch.
    var capacity: BatchCapacity {
        let lengths = sequences.map(\.tokens.count)
        var capacity = BatchCapacity(
            tokens: lengths.reduce(0, +), sequences: lengths.count, longest: lengths.reduce(0, max),
            softLabels: sequences.reduce(0) { max($0, $1.softLabels.count) })
        capacity.maskedTokens = capacity.tokens
        capacity.trainedMaskedTokens = capacity.tokens
        return capacity
    }

    init(slices: [[TestUnit]]) { self.slices = slices }

    /// The units in slices that end before unit `ends[0]`, `ends[1]` ... and at the last.
    init(_ units: [TestUnit], slicesEndingAt ends: [Int]) {
        let bounds = [0] + ends + [units.count]
        slices = zip(bounds, bounds.dropFirst()).map { Array(units[$0..<$1]) }
    }

    /// The share of a rank that holds the slices `local`; random numbers are those of `random`. With `perturbation` every sequence has a twin.
    func packed(
        local: Range<Int>? = nil, capacity: BatchCapacity? = nil, random: RandomStep?, perturbation: Perturbation? = nil
    ) -> PackedBatch {
        let local = local ?? 0..<slices.count
        var capacity = capacity ?? self.capacity
        if perturbation != nil {
            capacity.tokens *= 2
            capacity.sequences *= 2
            capacity.isTwinned = true
        }
        let batch = PackedBatch(capacity: capacity, tree: SliceTree(sliceCount: slices.count, local: local))
        var number = 0
        for (index, units) in slices.enumerated() {
            for unit in units {
                let numbers = number..<(number + unit.sequences.count)
                number = numbers.upperBound
                for twins in 0..<(perturbation == nil ? 1 : 2) where local.contains(index) {
                    for (sequence, number) in zip(unit.sequences, numbers) {
                        append(sequence, number + twins * sequences.count, to: batch)
                    }
                }
                if local.contains(index) { batch.endUnit(label: unit.label) }
            }
            if local.contains(index) { batch.endSlice() }
        }
        let labelled = sequences.reduce(0) { $0 + $1.labels.count { $0 >= 0 } }
        batch.unitWeight = 1 / Float(max(1, labelled > 0 ? labelled : unitCount))
        batch.maskedShare = Double(unitCount) / Double(max(1, maskedCount))
        batch.random = random
        batch.perturbation = perturbation
        return batch
    }

    private func append(_ sequence: TestSequence, _ number: Int, to batch: PackedBatch) {
        sequence.tokens.withUnsafeBufferPointer { tokens in
            sequence.segments.withUnsafeBufferPointer { segments in
                sequence.labels.withUnsafeBufferPointer { labels in
                    sequence.softLabels.withUnsafeBufferPointer { softLabels in
                        batch.append(
                            tokens: tokens, segments: segments, labels: labels, softLabels: softLabels, number: number)
                    }
                    for (position, piece) in sequence.masked { batch.mask(position, by: piece) }
                }
            }
        }
    }

    /// Tells the word gradient which rows the global batch touches.
    func touch(_ words: WordGradient) {
        words.clear()
        // A head that tells masked words has scores for all of them.
        if maskedCount > 0 { words.touchAll() }
        for sequence in sequences { sequence.tokens.withUnsafeBufferPointer { words.touch($0) } }
        words.finish()
    }

    /// The sequences of a file of reference values.
    static func sequences(_ file: SafeTensors, prefix: String = "", hasTokens: Bool = true) throws -> [TestSequence] {
        let offsets = try file.readIntegers(prefix + "offsets").map(Int.init)
        let segments = try file.readIntegers(prefix + "segments").map { UInt8($0) }
        let tokens =
            hasTokens
            ? try file.readIntegers(prefix + "tokens").map { Int32($0) } : segments.map { _ in Int32(0) }
        return zip(offsets, offsets.dropFirst()).map {
            TestSequence(tokens: Array(tokens[$0..<$1]), segments: Array(segments[$0..<$1]))
        }
    }

    /// Random pairs of the given lengths, each with both segments.
    static func randomSequences(lengths: [Int], vocabulary: Int, using random: inout TestRandom) -> [TestSequence] {
        lengths.map { length in
            let first = Int.random(in: 1..<length, using: &random)
            return TestSequence(
                tokens: (0..<length).map { _ in Int32.random(in: 0..<Int32(vocabulary), using: &random) },
                segments: (0..<length).map { $0 < first ? 0 : 1 })
        }
    }
}
