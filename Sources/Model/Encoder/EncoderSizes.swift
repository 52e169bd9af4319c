/// The sizes of a BERT encoder, named as in its `config.json`.
public struct EncoderSizes: Sendable, Equatable {
    /// Number of word pieces.
    public var vocabularySize: Int
    /// Width of the encoder.
    public var hiddenSize: Int
    /// Number of Transformer layers.
    public var layerCount: Int
    /// Number of attention heads; divides `hiddenSize`.
    public var headCount: Int
    /// Width inside the feed-forward networks.
    public var intermediateSize: Int
    /// Longest sequence.
    public var maximumPositions: Int
    /// Number of segments.
    public var segmentCount: Int
    /// What LayerNorm adds to the variance.
    public var epsilon: Float

    /// The sizes of an encoder.
    public init(
        vocabularySize: Int, hiddenSize: Int, layerCount: Int, headCount: Int, intermediateSize: Int,
        maximumPositions: Int = 512, segmentCount: Int = 2, epsilon: Float = 1e-12
    ) {
        self.vocabularySize = vocabularySize
        self.hiddenSize = hiddenSize
        self.layerCount = layerCount
        self.headCount = headCount
        self.intermediateSize = intermediateSize
        self.maximumPositions = maximumPositions
        self.segmentCount = segmentCount
        self.epsilon = epsilon
    }
}

/// Which rows of the encoder's output a head reads. The last layer computes no others.
public enum RowsRead: Sendable {
    /// The first token of each sequence: one row for each sequence.
    case firstTokens
    /// The first token of each sequence and its masked ones.
    case maskedTokens
    /// Every token.
    case allTokens
}
