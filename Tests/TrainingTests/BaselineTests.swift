import Data
import Testing

@testable import Training

@Suite struct BaselineTests {
    // MARK: Majority

    @Test func majorityNamesTheMostFrequentClassOfTraining() {
        let task = pairs(train: [("a", "b", 1), ("a", "b", 1), ("a", "b", 0)], dev: [("a", "b", 0), ("c", "d", 1)])
        #expect(task.majority().scores["ACC"] == 0.5)
        #expect(task.majority().scores["MCC"] == 0)
    }

    @Test func theMeanCorrelatesWithNothing() {
        let task = pairs(
            .regression, "Pearson", train: [("a", "b", 1), ("a", "b", 4)], dev: [("a", "b", 0), ("a", "b", 5)])
        #expect(task.majority() == BaselineResult(name: "mean", scores: ["Pearson": 0, "Spearman": 0]))
    }

    @Test func chanceAmongCandidatesIsExpectedNotDrawn() throws {
        let task = queries(train: [], dev: [("q", ["a", "b"], 0), ("q", ["a", "b", "c", "d"], 3)])
        let scores = task.majority().scores
        #expect(scores["ACC"] == (1.0 / 2 + 1.0 / 4) / 2)
        // (1 + 1/2) / 2 and (1 + 1/2 + 1/3 + 1/4) / 4.
        let meanReciprocalRank = (0.75 + 25.0 / 48) / 2
        #expect(abs(try #require(scores["MRR"]) - meanReciprocalRank) < 1e-15)
    }

    // MARK: Word overlap

    @Test func singleSentencesHaveNoOverlap() {
        let sentence = Example(uid: "0", first: "a", label: 1)
        let task = BaselineTask(
            kind: .classification(classCount: 2), mainMetric: "ACC", train: [sentence], dev: [sentence])
        #expect(task.wordOverlap() == nil)
        let cosine = task.cosine { $0.map { _ in [1] } }
        #expect(cosine == nil)
    }

    @Test func pairsAreCutWhereTrainingIsBestServed() {
        let train: [Pair] = [
            ("a b c d", "A, b c d!", 1), ("a b c d", "a b c x", 1), ("a b c d", "a x y z", 0), ("a b", "x y", 0),
        ]
        // Jaccard 1, 3/5, 1/7 and 0 in training; here 1/2 is above the cut between 1/7 and 3/5, 1/3 below.
        let task = pairs(train: train, dev: [("a b c", "a b x", 1), ("a b", "a c", 0)])
        #expect(task.wordOverlap()?.scores["ACC"] == 1)
    }

    @Test func aCutIsLearnedFromThousandsOfExamplesSpreadEvenly() {
        let train = (0..<10_000).map { Example(uid: "\($0)", first: "a", second: ["b"], label: 1) }
        func used(_ count: Int) -> [Example] {
            BaselineTask(
                kind: .classification(classCount: 2), mainMetric: "ACC", train: Array(train.prefix(count)), dev: train
            ).examplesForCut
        }
        #expect(used(4096).count == 4096)
        let spread = used(10_000).compactMap { Int($0.uid) }
        #expect(spread.count == 4096)
        #expect(spread.prefix(4) == [0, 2, 4, 7])
        #expect(spread.last == 9997)
    }

    @Test func theCutMaximisesTheMainMetric() {
        // Both words and classes disagree: always naming class 1 has the best F1, a cut the best accuracy.
        let train: [Pair] = [("a", "a", 0), ("b", "x", 1), ("c", "c", 1), ("d", "d", 0), ("e", "e", 0)]
        let dev: [Pair] = [("f", "f", 0), ("g", "g", 0), ("h", "x", 1)]
        #expect(pairs(train: train, dev: dev).wordOverlap()?.scores["ACC"] == 1)
        #expect(pairs(.classification(classCount: 2), "F1", train: train, dev: dev).wordOverlap()?.scores["F1"] == 1)
    }

    @Test func aScoreIsTheOverlapItself() throws {
        let dev: [Pair] = [("a b", "x y", 0), ("a b c", "a y z", 1), ("a b", "a b", 5), ("", "", 5)]
        // 0, 1/5, 1 and 1, as two texts without words are equal.
        let result = pairs(.regression, "Pearson", train: dev, dev: dev).wordOverlap()
        #expect(try #require(result?.scores["Spearman"]) > 1 - 1e-12)
    }

    @Test func rareWordsCountMoreWhereThatIsBetter() {
        let train = (0..<4).map { ("the of rare\($0)", ["the of", "the rare\($0)", "of the x"], 1) }
        let result = queries(train: train, dev: train).wordOverlap()
        #expect(result?.name == "word overlap (idf)")
        #expect(result?.scores["ACC"] == 1)
        let plain = [("a b c", ["a b", "a"], 0)]
        #expect(queries(train: plain, dev: plain).wordOverlap()?.name == "word overlap")
    }

    // MARK: Cosine

    @Test func cosineByHand() {
        #expect(BaselineTask.cosine([3, 4], [4, 3]) == 24.0 / 25)
        #expect(BaselineTask.cosine([1, 0], [-2, 0]) == -1)
        #expect(BaselineTask.cosine([0, 0], [1, 0]) == 0)
    }

    @Test func everyTextIsAskedForOnce() throws {
        var asked: [[String]] = []
        let task = queries(train: [("t", ["u", "v"], 0)], dev: [("q", ["a", "b"], 1), ("q", ["b", "c"], 0)])
        let vectors: [String: [Float]] = ["q": [1, 0], "a": [0, 1], "b": [1, 1], "c": [-1, 0]]
        let result = task.cosine { texts in
            asked.append(texts)
            return texts.map { vectors[$0]! }
        }
        #expect(asked == [["a", "b", "c", "q"]])
        #expect(result?.scores["ACC"] == 1)
    }

    @Test func cosineCutsClassesAndScoresPairs() throws {
        let vectors: ([String]) -> [[Float]] = { $0.map { [Float($0)!, 1] } }
        let rows: [Pair] = [("1", "1", 1), ("1", "1.1", 1), ("1", "-1", 0), ("1", "-2", 0)]
        let classes = pairs(train: rows, dev: rows).cosine(vectors: vectors)
        #expect(classes?.scores["ACC"] == 1)
        let scores = pairs(.regression, "Pearson", train: [], dev: rows).cosine(vectors: vectors)
        #expect(try #require(scores?.scores["Spearman"]) > 0.8)
    }

    // MARK: Bag of words

    @Test func bagOfWordsSeparatesWhatWordsSeparate() throws {
        let nouns = ["sea", "hill", "road", "town", "moon"]
        let good = nouns.map { Example(uid: $0, first: "the \($0) is fine", label: 1) }
        let bad = nouns.map { Example(uid: $0, first: "the \($0) is grim", label: 0) }
        let task = BaselineTask(
            kind: .classification(classCount: 2), mainMetric: "ACC", train: Array((good + bad).dropLast(2)),
            dev: good + bad)
        #expect(try #require(task.bagOfWords().scores["ACC"]) > 0.9)
    }

    @Test func bagOfWordsRegressesSums() throws {
        let values = ["one": 1.0, "two": 2, "three": 3, "four": 4]
        let rows = values.sorted { $0.value < $1.value }.flatMap { first in
            values.sorted { $0.value < $1.value }.map { (first.key, $0.key, first.value - 2 * $0.value) }
        }
        let task = pairs(.regression, "Pearson", train: rows.filter { $0.0 != "two" || $0.1 != "two" }, dev: rows)
        #expect(try #require(task.bagOfWords().scores["Pearson"]) > 0.999)
    }

    @Test func bagOfWordsRanksByTheWordsOfCandidates() throws {
        let rows = ["a", "b", "c", "d"].map { ("which", ["no \($0)", "yes \($0)", "no \($0) no"], 1) }
        #expect(queries(train: rows, dev: rows).bagOfWords().scores["ACC"] == 1)
    }

    @Test func bagOfWordsKeepsNoOrderAndNoCrossFeatures() {
        // The exclusive or of a word on either side: nothing that adds up words can tell.
        let rows: [Pair] = [("a", "a", 1), ("a", "b", 0), ("b", "a", 0), ("b", "b", 1)]
        let fourfold = Array(repeating: rows, count: 4).flatMap { $0 }
        #expect(pairs(train: fourfold, dev: fourfold).bagOfWords().scores["ACC"] == 0.5)
    }
}

private typealias Pair = (first: String, second: String, label: Double)

private func pairs(
    _ kind: BaselineTask.Kind = .classification(classCount: 2), _ metric: String = "ACC",
    train: [Pair], dev: [Pair]
) -> BaselineTask {
    func examples(_ rows: [Pair]) -> [Example] {
        rows.map {
            Example(
                uid: "\($0.first) \($0.second)", first: $0.first, second: [$0.second], label: Float($0.label))
        }
    }
    return BaselineTask(kind: kind, mainMetric: metric, train: examples(train), dev: examples(dev))
}

private func queries(train: [(String, [String], Int)], dev: [(String, [String], Int)]) -> BaselineTask {
    func examples(_ rows: [(String, [String], Int)]) -> [Example] {
        rows.map { Example(uid: $0.0, first: $0.0, second: $0.1, label: Float($0.2)) }
    }
    return BaselineTask(kind: .ranking, mainMetric: "ACC", train: examples(train), dev: examples(dev))
}
