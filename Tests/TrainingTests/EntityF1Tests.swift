import Foundation
import TestSupport
import Testing

@testable import Training

/// Entities of labelled words, against seqeval (`Tests/References/entities.py`).
struct EntityF1Tests {
    private struct Case: Decodable {
        let predictions, labels: [[String]]
        let f1: Double
    }

    @Test func `The F1 score of entities is seqeval's`() throws {
        let data = try Data(contentsOf: URL(fileURLWithPath: References.path("entities.json")))
        let cases = try JSONDecoder().decode([Case].self, from: data)
        #expect(cases.count == 32 && cases.contains { $0.f1 > 0.2 && $0.f1 < 0.8 })
        for (index, test) in cases.enumerated() {
            let found = Metrics.entityF1(predictions: test.predictions, labels: test.labels)
            #expect(abs(found - test.f1) < 1e-12, "case \(index)")
        }
    }

    @Test func `No words have no score`() {
        #expect(Metrics.entityF1(predictions: [], labels: []).isNaN)
        #expect(Metrics.entityF1(predictions: [["O"]], labels: [["O"]]) == 0)
    }
}
