import Foundation
import TestSupport
import Testing

@testable import Kernels

/// Our logarithm, exponential and cosine beside the C library's.
struct ElementaryFunctionTests {
    @Test func logarithmIsThatOfTheLibrary() {
        var random = TestRandom(seed: 1)
        let numbers = (0..<20_000).map { _ in Double.random(in: 0...1, using: &random) + 0x1p-53 }
        for x in numbers + [1, 0.5, 2, 0x1p-53, 1e-300, 1e300, 2.0.squareRoot(), 1 - 0x1p-53, 1 + 0x1p-52] {
            #expect(abs(logarithm(x) - log(x)) <= 1e-15 * max(1, abs(log(x))), "\(x)")
        }
        #expect(logarithm(1) == 0 && logarithm(0) == -.infinity)
    }

    @Test func exponentialIsThatOfTheLibrary() {
        var random = TestRandom(seed: 3)
        let numbers = (0..<20_000).map { _ in Double.random(in: -700...700, using: &random) }
        for x in numbers + [0, 1, -1, 0.5, 0.346, 0.347, 700, -700, 1e-300] {
            #expect(abs(exponential(x) / exp(x) - 1) <= 1e-15, "\(x)")
        }
        #expect(exponential(0.0) == 1)
        #expect(exponential(Double.nan).isNaN)
        #expect(exponential(1e300) == .infinity && exponential(Double.infinity) == .infinity)
        #expect(exponential(-1e300) == 0 && exponential(-Double.infinity) == 0)
    }

    @Test func cosineIsThatOfTheLibrary() {
        var random = TestRandom(seed: 2)
        let turns = (0..<20_000).map { _ in Double.random(in: 0...1, using: &random) }
        for t in turns + [0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1] {
            #expect(abs(cosine(turns: t) - cos(2 * Double.pi * t)) <= 1e-15, "\(t)")
        }
        #expect(cosine(turns: 0) == 1 && cosine(turns: 0.5) == -1 && cosine(turns: 0.25) == 0 && cosine(turns: 1) == 1)
    }
}
