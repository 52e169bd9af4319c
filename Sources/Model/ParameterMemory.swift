import Kernels

/// How many floats a model needs for its parameters.
public struct ParameterSizes: Sendable, Equatable {
    /// Values of all parameters.
    public let values: Int
    /// Gradients of all parameters but the word embeddings, in one buffer.
    public let gradients: Int
    /// Gradients of the word embeddings that one batch touches, in one buffer.
    public let wordGradients: Int
    /// Number of buffers of each kind of gradients: one for each subtree of slices that this rank holds.
    public let bufferCount: Int
}

/// Where the numbers of a model's parameters lie. Whoever makes the model decides what is its own and what it shares with others.
public struct ParameterMemory {
    /// All values in the flat layout.
    public let values: UnsafeMutablePointer<Float>
    /// The buffers of gradients of all parameters but the word embeddings.
    public let gradients: [UnsafeMutablePointer<Float>]
    /// The buffers of gradients of touched word embeddings.
    public let wordGradients: [UnsafeMutablePointer<Float>]
    /// Keeps the memory for as long as the model lives.
    private let owner: [AnyObject]

    /// Memory that `owner` keeps.
    public init(
        values: UnsafeMutablePointer<Float>, gradients: [UnsafeMutablePointer<Float>],
        wordGradients: [UnsafeMutablePointer<Float>], owner: AnyObject
    ) {
        self.values = values
        self.gradients = gradients
        self.wordGradients = wordGradients
        self.owner = [owner]
    }

    /// Zeros in memory that nobody else sees.
    public init(sizes: ParameterSizes) {
        let values = FloatBuffer(count: sizes.values)
        let gradients = (0..<sizes.bufferCount).map { _ in FloatBuffer(count: sizes.gradients) }
        let wordGradients = (0..<sizes.bufferCount).map { _ in FloatBuffer(count: sizes.wordGradients) }
        self.values = values.pointer
        self.gradients = gradients.map(\.pointer)
        self.wordGradients = wordGradients.map(\.pointer)
        owner = [values] + gradients + wordGradients
    }
}
