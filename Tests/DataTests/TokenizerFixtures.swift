import Foundation
import TestSupport

@testable import Data

/// What the tokenizer's tests share: where files lie that are not in the repository, and words without a vocabulary.
enum TokenizerFixtures {
    /// The folder of all-MiniLM-L6-v2: `MTDNN_MINILM`, or `encoders/minilm` in the package.
    static let minilm = folder("MTDNN_MINILM", otherwise: "encoders/minilm")
    static let hasMinilm = FileManager.default.fileExists(atPath: "\(minilm)/vocab.txt")

    /// The folder of real data sets: `MTDNN_SHARED_DATA`, or `../shared/data` beside the package.
    static let sharedData = folder("MTDNN_SHARED_DATA", otherwise: "../shared/data")
    static let hasSharedData = FileManager.default.fileExists(atPath: sharedData)

    static let smallVocabulary = References.path("tokenizer-small-vocabulary.txt")

    /// A tokenizer with the options that `letters` name: l(ower case), s(trip accents), c(hinese characters apart).
    static func tokenizer(_ vocabulary: Vocabulary, options letters: String) -> Tokenizer {
        Tokenizer(
            vocabulary: vocabulary, lowercases: letters.contains("l"), stripsAccents: letters.contains("s"),
            isolatesIdeographs: letters.contains("c"))
    }

    private static func folder(_ variable: String, otherwise path: String) -> String {
        let root = References.values.appendingPathComponent("../../..").standardizedFileURL
        return ProcessInfo.processInfo.environment[variable] ?? root.appendingPathComponent(path).path
    }
}
