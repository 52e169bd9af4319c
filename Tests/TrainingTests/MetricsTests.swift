import Foundation
import TestSupport
import Testing

@testable import Training

/// Against scikit-learn and scipy (`Tests/References/metrics.py`).
@Suite struct MetricsReferenceTests {
    private struct References: Decodable {
        struct Classification: Decodable {
            let name: String
            let labels, predictions: [Int]
            let accuracy, matthews: Double
            let f1: Double?
        }

        struct Correlation: Decodable {
            let name: String
            let labels, predictions: [Double]
            let pearson, spearman: Double
        }

        struct Ranking: Decodable {
            struct Query: Decodable {
                let scores: [Double]
                let positive: Int
            }

            let name: String
            let queries: [Query]
            let accuracyAt1, meanReciprocalRank: Double

            enum CodingKeys: String, CodingKey {
                case name, queries
                case accuracyAt1 = "accuracy_at_1"
                case meanReciprocalRank = "mean_reciprocal_rank"
            }
        }

        let classification: [Classification]
        let correlation: [Correlation]
        let ranking: [Ranking]
    }

    private let references: References

    init() throws {
        let data = try Data(contentsOf: URL(fileURLWithPath: TestSupport.References.path("metrics.json")))
        references = try JSONDecoder().decode(References.self, from: data)
    }

    @Test func classification() {
        #expect(references.classification.count >= 10)
        for reference in references.classification {
            let predictions = Predictions.classes(reference.predictions, labels: reference.labels)
            expect(predictions, "ACC", reference.accuracy, reference.name)
            expect(predictions, "MCC", reference.matthews, reference.name)
            if let f1 = reference.f1 { expect(predictions, "F1", f1, reference.name) }
        }
    }

    @Test func correlation() {
        #expect(references.correlation.count >= 9)
        for reference in references.correlation {
            let predictions = Predictions.numbers(reference.predictions, labels: reference.labels)
            expect(predictions, "Pearson", reference.pearson, reference.name)
            expect(predictions, "Spearman", reference.spearman, reference.name)
        }
    }

    @Test func ranking() {
        #expect(references.ranking.count >= 4)
        for reference in references.ranking {
            let predictions = Predictions.candidates(
                reference.queries.map(\.scores), positives: reference.queries.map(\.positive))
            expect(predictions, "ACC", reference.accuracyAt1, reference.name)
            expect(predictions, "AccuracyAt1", reference.accuracyAt1, reference.name)
            expect(predictions, "MRR", reference.meanReciprocalRank, reference.name)
        }
    }

    private func expect(_ predictions: Predictions, _ metric: String, _ expected: Double, _ name: String) {
        let difference = predictions.score(metric).map { abs($0 - expected) } ?? .infinity
        #expect(difference <= 1e-9, "\(metric) of \(name)")
    }
}

/// Values found by hand, and the inputs that formulas leave undefined.
@Suite struct MetricsTests {
    @Test func f1OfOnePrecisionAndRecallByHand() {
        // Two of three named are right, two of four are found: 2 · 2 / (3 + 4).
        let score = Metrics.f1(predictions: [1, 1, 1, 0, 0, 0], labels: [1, 1, 0, 1, 1, 0])
        #expect(abs(score - 4.0 / 7) < 1e-15)
        #expect(Metrics.f1(predictions: [0, 0], labels: [0, 0]) == 0)
    }

    @Test func matthewsOfTwoClassesIsPhi() {
        // 2 true positives, 1 false positive, 2 false negatives, 1 true negative.
        let score = Metrics.matthews(predictions: [1, 1, 1, 0, 0, 0], labels: [1, 1, 0, 1, 1, 0])
        #expect(abs(score - (2 * 1 - 1 * 2) / (3.0 * 4 * 2 * 3).squareRoot()) < 1e-15)
        #expect(Metrics.matthews(predictions: [2, 2, 2], labels: [0, 1, 2]) == 0)
        #expect(Metrics.matthews(predictions: [0, 1, 2], labels: [1, 1, 1]) == 0)
    }

    @Test func pearsonSurvivesOffsetsAndExtremes() {
        #expect(abs(Metrics.pearson(predictions: [1e9 + 1, 1e9 + 2, 1e9 + 4], labels: [1, 2, 4]) - 1) < 1e-12)
        #expect(
            abs(Metrics.pearson(predictions: [1e200, 2e200, 4e200], labels: [-1e-200, -2e-200, -4e-200]) + 1) < 1e-12)
        // The rounded mean of these is not 0.1, so their deviations are not zero.
        #expect(Metrics.pearson(predictions: [0.1, 0.1, 0.1], labels: [1, 2, 3]) == 0)
        #expect(Metrics.pearson(predictions: [.nan, 1, 2], labels: [1, 2, 3]).isNaN)
        #expect(Metrics.spearman(predictions: [.nan, 1, 2], labels: [1, 2, 3]).isNaN)
    }

    @Test func equalValuesShareTheirRanks() {
        #expect(Metrics.ranks([3, 1, 3, 2, 3]) == [4, 1, 4, 2, 4])
        #expect(Metrics.ranks([5, 5]) == [1.5, 1.5])
        #expect(Metrics.ranks([]) == [])
    }

    @Test func aTieIsLost() {
        let scores = [[0.5, 0.5, 0.1], [0.2, 0.9], [.nan, 1.0]]
        #expect(Metrics.accuracyAt1(scores: scores, positives: [0, 1, 1]) == 1.0 / 3)
        #expect(Metrics.meanReciprocalRank(scores: scores, positives: [0, 1, 1]) == (0.5 + 1 + 0.5) / 3)
    }

    @Test func nothingHasNoScore() {
        let nothings: [Predictions] = [
            .classes([], labels: []), .numbers([], labels: []), .candidates([], positives: []),
        ]
        for nothing in nothings {
            let scores = nothing.scores
            #expect(!scores.isEmpty)
            #expect(scores.values.count(where: \.isNaN) == scores.count)
        }
    }

    @Test func onlyFittingScoresAreGiven() {
        #expect(Predictions.classes([1], labels: [1]).scores.keys.sorted() == ["ACC", "F1", "MCC"])
        #expect(Predictions.numbers([1], labels: [1]).scores.keys.sorted() == ["Pearson", "Spearman"])
        #expect(Predictions.candidates([[1]], positives: [0]).scores.keys.sorted() == ["ACC", "AccuracyAt1", "MRR"])
        #expect(Predictions.numbers([1], labels: [1]).score("ACC") == nil)
    }
}
