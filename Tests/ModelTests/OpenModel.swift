import Kernels
import Storage
import TestSupport
import Testing

@testable import Model

/// The parts of a `MultiTaskModel`, each within reach of the tests.
final class OpenModel {
    let parameters = Parameters()
    let encoder: Encoder
    let pooler: Pooler
    let heads: [any TaskHead]
    let wordGradient: WordGradient
    private let workspace = Workspace()

    /// The sizes of `tiny_config.json`.
    static let tiny = EncoderSizes(
        vocabularySize: 100, hiddenSize: 32, layerCount: 3, headCount: 4, intermediateSize: 64, maximumPositions: 64)

    init(
        _ sizes: EncoderSizes = OpenModel.tiny, heads definitions: [HeadDefinition] = [], dropout: Float = 0,
        attentionDropout: Float = 0, for batch: PackedBatch
    ) {
        let capacity = batch.capacity
        encoder = Encoder(
            sizes, dropout: dropout, attentionDropout: attentionDropout, capacity: capacity, recomputes: false,
            in: parameters, workspace)
        pooler = Pooler(hiddenSize: sizes.hiddenSize, capacity: capacity, in: parameters, workspace)
        heads = definitions.map { [parameters, workspace, encoder, pooler] in
            $0.make(on: encoder, pooler, capacity: capacity, in: parameters, workspace)
        }
        let subtrees = batch.tree.subtrees.count
        let memory = ParameterMemory(
            sizes: parameters.sizes(gradientBuffers: subtrees, touchedWords: sizes.vocabularySize))
        wordGradient = WordGradient(
            vocabularySize: sizes.vocabularySize, columns: sizes.hiddenSize, capacity: sizes.vocabularySize,
            tokens: capacity.tokens, memory: memory, in: workspace)
        parameters.place(in: memory)
        _ = Unmanaged.passRetained(self)  // never freed, so that no view of its memory outlives it
    }

    /// A matrix with these values.
    func matrix(_ values: [Float], columns: Int) -> Matrix {
        let matrix = workspace.matrix(rows: values.count / columns, columns: columns)
        matrix.assign(values)
        return matrix
    }
}

extension Matrix {
    /// The elements, row after row.
    var values: [Float] { (0..<rows).flatMap { row in (0..<columns).map { self.row(row)[$0] } } }

    /// Sets the elements, row after row.
    func assign(_ values: [Float]) {
        precondition(values.count == rows * columns)
        for index in values.indices { row(index / columns)[index % columns] = values[index] }
    }
}

extension Parameters {
    /// Sets every parameter whose name, changed by `rename`, is in the file.
    func load(_ file: SafeTensors, prefix: String = "parameters.", rename: (String) -> String = { $0 }) throws {
        for parameter in all where file.contains(prefix + rename(parameter.name)) {
            parameter.value.assign(try file.read(prefix + rename(parameter.name)))
        }
    }

    /// Values of the size that training has, so that no part of the network is nearly linear.
    func randomize(seed: UInt64) {
        var random = TestRandom(seed: seed)
        for parameter in all {
            let isScale = parameter.name.hasSuffix("LayerNorm.weight")
            let isVector = parameter.shape.count == 1
            parameter.value.assign(
                random.normals(
                    parameter.count, deviation: isVector && !isScale ? 0.1 : 0.2, mean: isScale ? 1 : 0))
        }
    }

    /// The sums of a parameter's gradient over the subtrees that a rank holds.
    func gradientParts(of parameter: Parameter, tree: SliceTree, words: WordGradient) -> [Range<Int>: [Float]] {
        var parts: [Range<Int>: [Float]] = [:]
        for (index, node) in tree.subtrees.enumerated() {
            if parameter.offset == 0 {
                var full = [Float](repeating: 0, count: parameter.count)
                for (row, token) in words.touched.enumerated() {
                    let start = Int(token) * parameter.columns
                    full.replaceSubrange(
                        start..<(start + parameter.columns), with: words.buffer(index).rows(row..<(row + 1)).values)
                }
                parts[node] = full
            } else {
                parts[node] = Array(
                    UnsafeBufferPointer(start: gradients(index) + parameter.offset, count: parameter.count))
            }
        }
        return parts
    }

    /// A parameter's gradient over the whole batch, where this rank holds all slices.
    func gradient(of parameter: Parameter, tree: SliceTree, words: WordGradient) -> [Float] {
        sumAlongTree(gradientParts(of: parameter, tree: tree, words: words), sliceCount: tree.sliceCount)
    }

    /// Expects the gradients of `chosen` to be a file's, where `key` says under which name; returns the largest relative error.
    /// - Parameter zeros: ends of the names of those that are zero in exact arithmetic, since a softmax ignores a shift: their rounding has a bound of its own.
    func expectGradients(
        of chosen: [Parameter], _ batch: PackedBatch, _ words: WordGradient, within bound: Double, zeros: [String],
        within zeroBound: Double, of file: SafeTensors, key: (String) -> String
    ) throws -> Double {
        var largest = 0.0
        for parameter in chosen {
            let expected = try file.read(key(parameter.name))
            let found = gradient(of: parameter, tree: batch.tree, words: words)
            if zeros.contains(where: parameter.name.hasSuffix) {
                #expect(absoluteError(found, expected) < zeroBound, "\(parameter.name)")
            } else {
                let error = relativeError(found, expected)
                largest = max(largest, error)
                #expect(error < bound, "\(parameter.name)")
            }
        }
        return largest
    }
}
