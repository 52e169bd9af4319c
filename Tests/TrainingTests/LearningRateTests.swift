import Foundation
import Storage
import TestSupport
import Testing

@testable import Training

struct LearningRateTests {
    private func rates(_ schedule: ScheduleChoice, warmup: Double, _ steps: [Int], of stepCount: Int = 100) -> [Float] {
        let rate = LearningRate(peak: 2, schedule: schedule, warmup: warmup, stepCount: stepCount)
        return steps.map { (rate.at($0) * 1e5).rounded() / 1e5 }
    }

    @Test func `Rates are those of the reference program`() throws {
        let rate = LearningRate(peak: 5e-3, schedule: .linear, warmup: 0.1, stepCount: 10)
        let expected = try SafeTensors(References.path("optimizers.safetensors")).read("rates")
        #expect(expected.count == 10)
        for (step, expected) in expected.enumerated() { #expect(abs(rate.at(step) - expected) <= 1e-9) }
    }

    // The expected values are transformers' get_{linear,cosine,constant}_schedule_with_warmup for 10 of 100 steps.
    @Test func `Warm-up rises from zero, and what follows are transformers' schedules`() {
        let steps = [0, 1, 5, 9, 10, 40, 55, 70, 99, 100, 130]
        let rise: [Float] = [0, 0.2, 1, 1.8, 2]
        #expect(rates(.linear, warmup: 0.1, steps) == rise + [1.33333, 1, 0.66667, 0.02222, 0, 0])
        #expect(rates(.cosine, warmup: 0.1, steps) == rise + [1.5, 1, 0.5, 0.00061, 0, 0])
        #expect(rates(.constant, warmup: 0.1, steps) == rise + [2, 2, 2, 2, 2, 2])
    }

    @Test func `No warm-up begins at the peak, and nothing but warm-up ends before it`() {
        #expect(rates(.linear, warmup: 0, [0, 50, 99]) == [2, 1, 0.02])
        #expect(rates(.cosine, warmup: 0, [0, 50]) == [2, 1])
        #expect(rates(.constant, warmup: 1, [0, 50, 99]) == [0, 1, 1.98])
        #expect(rates(.linear, warmup: 0.1, [0], of: 1) == [2])
    }
}
