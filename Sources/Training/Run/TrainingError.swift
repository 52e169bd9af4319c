import Foundation

/// Something that ends a run: one sentence that names the place and the cure.
public struct TrainingError: Error, Equatable, CustomStringConvertible {
    /// The sentence.
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}
