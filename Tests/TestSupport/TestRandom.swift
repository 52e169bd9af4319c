import Foundation

/// Random numbers that are the same in every run (SplitMix64, Steele et al. 2014).
public struct TestRandom: RandomNumberGenerator {
    private var state: UInt64

    /// The sequence that belongs to `seed`.
    public init(seed: UInt64) { state = seed }

    /// The next 64 bits.
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var bits = state
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        return bits ^ (bits >> 31)
    }

    /// A normally distributed number (Box and Muller).
    public mutating func normal() -> Float {
        let radius = (-2 * log(Double.random(in: 1e-300..<1, using: &self))).squareRoot()
        return Float(radius * cos(2 * Double.pi * Double.random(in: 0..<1, using: &self)))
    }

    /// `count` normally distributed numbers.
    public mutating func normals(_ count: Int, deviation: Float = 1, mean: Float = 0) -> [Float] {
        (0..<count).map { _ in mean + deviation * normal() }
    }
}
