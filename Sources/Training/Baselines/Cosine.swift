import Data

extension BaselineTask {
    /// The cosine of the two texts' vectors, such as an untrained encoder's means; nil for single sentences.
    ///
    /// `vectors` is called once, with every text that is needed, none twice, and returns a vector for each.
    public func cosine(vectors: ([String]) throws -> [[Float]]) rethrows -> BaselineResult? {
        guard comparesTexts else { return nil }
        // Only a cut between classes is learned.
        let needed = if case .classification = kind { examplesForCut + dev } else { dev }
        let texts = Set(needed.flatMap { [$0.first] + $0.second }).sorted()
        let found = try vectors(texts)
        precondition(found.count == texts.count, "\(texts.count) texts, but \(found.count) vectors")
        let vectorOf = Dictionary(uniqueKeysWithValues: zip(texts, found))

        let likeness = { (example: Example) in
            example.second.map { Self.cosine(vectorOf[example.first]!, vectorOf[$0]!) }
        }
        return BaselineResult(name: "cosine", scores: predictions(by: likeness, for: dev).scores)
    }

    /// x·y / (|x| |y|); 0 where a vector is zero.
    static func cosine(_ x: [Float], _ y: [Float]) -> Double {
        precondition(x.count == y.count, "vectors of \(x.count) and \(y.count) numbers")
        var xy = 0.0
        var xx = 0.0
        var yy = 0.0
        for (x, y) in zip(x, y) {
            xy += Double(x) * Double(y)
            xx += Double(x) * Double(x)
            yy += Double(y) * Double(y)
        }
        return xx > 0 && yy > 0 ? xy / (xx.squareRoot() * yy.squareRoot()) : 0
    }
}
