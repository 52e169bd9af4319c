import Kernels

/// The numbers of all places where something is dropped or drawn: no two share their random numbers.
enum DropoutSite {
    static let embeddings = 0
    static let pooled = 1
    static let predictionTurns = 2
    static let summary = 3
    static let forcedTurn = 4
    static let labelledTokens = 5
    // 6 to 8 are those of `MaskingSite`.
    static let perturbation = 15

    /// Dropout `kind` of the answer network in `turn`.
    static func answer(_ kind: Int, turn: Int) -> Int { 16 + turn * 4 + kind }

    private static func layer(_ layer: Int, _ kind: Int) -> Int { (layer + 1) * 256 + kind }
    static func attentionOutput(_ index: Int) -> Int { layer(index, 0) }
    static func feedForwardOutput(_ index: Int) -> Int { layer(index, 1) }
    static func attention(_ index: Int, head: Int) -> Int { layer(index, 2 + head) }
}
