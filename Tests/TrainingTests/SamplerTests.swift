import Testing

@testable import Training

struct SamplerTests {
    private static let tasks = [
        Sampler.Task(rowCount: 40, batchSize: 7), Sampler.Task(rowCount: 1, batchSize: 7),
        Sampler.Task(rowCount: 21, batchSize: 7), Sampler.Task(rowCount: 30, batchSize: 4),
    ]
    private let sampler = Sampler(tasks: Self.tasks, seed: 2018)

    private struct Step: Equatable {
        var task: Int
        var rows: [Int]
    }

    private func steps(_ range: Range<Int>, of sampler: Sampler) -> [Step] {
        range.map { number in
            let batch = sampler.batch(at: number)
            return Step(task: batch.task, rows: (0..<batch.count).map { batch[$0] })
        }
    }

    private func epoch(_ number: Int, of sampler: Sampler) -> [Step] {
        steps(number * sampler.stepsPerEpoch..<(number + 1) * sampler.stepsPerEpoch, of: sampler)
    }

    @Test func `An epoch has every row of every task once, in batches of one task each`() {
        #expect(sampler.stepsPerEpoch == 6 + 1 + 3 + 8)
        for number in [0, 1, 2, 1000] {
            let epoch = epoch(number, of: sampler)
            for (index, task) in Self.tasks.enumerated() {
                let batches = epoch.filter { $0.task == index }
                #expect(batches.flatMap(\.rows).sorted() == Array(0..<task.exampleCount))
                // All are full but the last.
                let last = (task.exampleCount - 1) % task.batchSize + 1
                #expect(
                    batches.map(\.rows.count).sorted()
                        == ([last] + Array(repeating: task.batchSize, count: batches.count - 1)).sorted())
            }
        }
    }

    @Test func `Any step computed alone equals the step in sequence`() {
        let sequence = steps(0..<90, of: sampler)
        for number in (0..<90).reversed() {
            let alone = Sampler(tasks: Self.tasks, seed: 2018)
            #expect(steps(number..<number + 1, of: alone) == [sequence[number]])
            #expect(alone.task(at: number) == sequence[number].task)
        }
    }

    @Test func `Epochs and seeds shuffle rows and batches anew`() {
        let runs = [epoch(0, of: sampler), epoch(1, of: sampler), epoch(0, of: Sampler(tasks: Self.tasks, seed: 2019))]
        for (first, second) in [(0, 1), (0, 2), (1, 2)] {
            #expect(runs[first].map(\.task) != runs[second].map(\.task))
            for task in [0, 2, 3] {
                let orders = [first, second].map { run in runs[run].filter { $0.task == task }.map { $0.rows.sorted() }
                }
                // Not just other batches of the same rows, and not just other rows in the same batches.
                #expect(Set(orders[0]) != Set(orders[1]))
            }
        }
    }

    @Test func `Tasks of one size do not share an order`() {
        let twins = Sampler(tasks: [Self.tasks[0], Self.tasks[0]], seed: 1)
        let epoch = epoch(0, of: twins)
        #expect(
            Set(epoch.filter { $0.task == 0 }.map(\.rows)).isDisjoint(with: epoch.filter { $0.task == 1 }.map(\.rows)))
    }

    @Test func `A fraction has the same rows in every epoch, others for another seed, and a smaller one's among them`()
    {
        func rows(_ fraction: Double, epoch number: Int, seed: UInt64 = 5) -> [Int] {
            let task = Sampler.Task(rowCount: 1000, batchSize: 7, fraction: fraction)
            return epoch(number, of: Sampler(tasks: [Self.tasks[1], task], seed: seed))
                .filter { $0.task == 1 }.flatMap(\.rows)
        }
        let tenth = rows(0.1, epoch: 0)
        #expect(tenth.count == 100 && Set(tenth).count == 100 && tenth.allSatisfy((0..<1000).contains))
        #expect(rows(0.1, epoch: 1) != tenth && Set(rows(0.1, epoch: 1)) == Set(tenth))
        // Of 100 rows in 1000 two draws have 10 in common on average, with a deviation of 2.8.
        #expect(Set(rows(0.1, epoch: 0, seed: 6)).intersection(tenth).count < 25)
        let hundredth = rows(0.0104, epoch: 0)
        #expect(hundredth.count == 10 && Set(hundredth).isSubset(of: tenth))
        #expect(rows(0.0001, epoch: 0).count == 1)
        #expect(rows(1, epoch: 3).sorted() == Array(0..<1000))
        // They come from the whole file: a mean of 100 places in 0 ..< 1000 has a deviation of 29.
        let mean = Double(tenth.reduce(0, +)) / 100
        #expect(abs(mean - 499.5) < 120)
    }

    @Test func `A sampling weight changes the number of batches and keeps passes whole`() {
        var tasks = Self.tasks
        tasks[0].weight = 2.5  // 15 batches an epoch, 5 passes in 2 epochs
        tasks[1].weight = 0.01  // at least one batch
        tasks[2].weight = 1 / 3.0  // one batch an epoch, a pass in 3
        let weighted = Sampler(tasks: tasks, seed: 3)
        #expect(weighted.stepsPerEpoch == 15 + 1 + 1 + 8)
        func rows(_ task: Int, epochs: Range<Int>) -> [Int] {
            epochs.flatMap { epoch($0, of: weighted) }.filter { $0.task == task }.flatMap(\.rows)
        }
        #expect(rows(0, epochs: 0..<2).sorted() == (0..<40).flatMap { Array(repeating: $0, count: 5) })
        #expect(rows(1, epochs: 0..<1) == [0])
        #expect(rows(2, epochs: 0..<3).sorted() == Array(0..<21))
        #expect(rows(2, epochs: 3..<6).sorted() == Array(0..<21))
        #expect(rows(2, epochs: 0..<3) != rows(2, epochs: 3..<6))
    }

    @Test func `Counts of earlier steps equal counting them`() {
        var tasks = Self.tasks
        tasks[0].weight = 1.5
        let weighted = Sampler(tasks: tasks, seed: 4)
        var counts = [0, 0, 0, 0]
        for step in 0..<3 * weighted.stepsPerEpoch {
            #expect(weighted.stepCounts(before: step) == counts)
            counts[weighted.task(at: step)] += 1
        }
    }

    /// Batches of each task in each of `count` epochs.
    private func counts(_ mixture: TaskMixture, epochs count: Int = 1, _ tasks: [Sampler.Task] = tasks) -> [[Int]] {
        mixture.batchCounts(tasks, epochCount: count)
    }

    @Test func `Shares are those of the formulas, and every task has a batch`() {
        // 40, 1, 21 and 30 examples in 6 + 1 + 3 + 8 batches.
        #expect(counts(.proportional) == [[6, 1, 3, 8]])
        // 18 in four parts of 4.5: the first ones get the rest.
        #expect(counts(.uniform) == [[5, 5, 4, 4]])
        // The roots 6.32, 1, 4.58 and 5.48 of 17.38: 6.55, 1.04, 4.75 and 5.67 of 18.
        #expect(counts(.temperature(2, cap: nil)) == [[6, 1, 5, 6]])
        // With at most 9 examples 3, 1, 3 and 3 of 10: 5.4, 1.8, 5.4 and 5.4.
        #expect(counts(.temperature(2, cap: 9)) == [[6, 2, 5, 5]])
        // 92 examples: 7.83, 0.20, 4.11 and 5.87 of 18; the second gets one from the largest.
        #expect(counts(.temperature(1, cap: nil)) == [[7, 1, 4, 6]])
        // All but uniform: of nearly equal remainders those of the larger tasks are larger by a hair.
        #expect(counts(.temperature(1e6, cap: nil)) == [[5, 4, 4, 5]])
        // Exponents 1, 0.6 and 0.2; at 0.2: 2.09, 1, 1.84 and 1.97 of 6.90 are 5.45, 2.61, 4.79 and 5.15.
        let annealed = counts(.annealed, epochs: 3)
        #expect(
            annealed.count == 3 && annealed[0] == counts(.temperature(1, cap: nil))[0] && annealed[2] == [5, 3, 5, 5])
        #expect(annealed.allSatisfy { $0.reduce(0, +) == 18 })
        // mt-dnn's: all 8 of the last, and half as many of the others' 10, in proportion.
        #expect(counts(.main(task: 3, ratio: 0.5)) == [[2, 1, 1, 8]])
        #expect(counts(.main(task: 3, ratio: 9)) == counts(.proportional))
        #expect(counts(.main(task: 3, ratio: nil)) == counts(.proportional))
        #expect(counts(.main(task: 0, ratio: 0.4), [Self.tasks[0]]) == counts(.proportional, [Self.tasks[0]]))
        var weighted = Self.tasks
        weighted[1].weight = 3
        // 1, 3, 1 and 1 of 6, of 6 + 3 + 3 + 8 batches.
        #expect(counts(.uniform, weighted) == [[4, 10, 3, 3]])
    }

    @Test(arguments: [
        TaskMixture.uniform, .temperature(3, cap: 20), .annealed, .main(task: 0, ratio: 1.5), .proportional,
    ])
    func `With any mixture passes are whole, and a step alone equals the step in sequence`(mixture: TaskMixture) {
        for last in [nil, 0, 2] {
            func make() -> Sampler { Sampler(tasks: Self.tasks, mixture: mixture, last: last, epochCount: 4, seed: 9) }
            let sampler = make()
            let perEpoch = counts(mixture, epochs: 4)
            let sequence = steps(0..<6 * sampler.stepsPerEpoch, of: sampler)
            var before = [0, 0, 0, 0]
            for epoch in 0..<6 {
                let part = sequence[(epoch * sampler.stepsPerEpoch)..<((epoch + 1) * sampler.stepsPerEpoch)]
                let expected = perEpoch[min(epoch, perEpoch.count - 1)]
                #expect((0..<4).map { task in part.count { $0.task == task } } == expected)
                #expect(sampler.stepCounts(before: epoch * sampler.stepsPerEpoch) == before)
                before = zip(before, expected).map(+)
                if let last {
                    #expect(part.suffix(expected[last]).allSatisfy { $0.task == last })
                } else {
                    // Mixed: no epoch has its tasks one after another.
                    #expect(part.map(\.task) != part.map(\.task).sorted())
                }
            }
            for (index, task) in Self.tasks.enumerated() {
                let batches = sequence.filter { $0.task == index }
                // Of the pass that is under way at the end some rows have come.
                let passes = batches.count / ((task.exampleCount + task.batchSize - 1) / task.batchSize)
                let counts = Dictionary(grouping: batches.flatMap(\.rows)) { $0 }.mapValues(\.count)
                #expect((0..<task.exampleCount).allSatisfy { (passes...passes + 1).contains(counts[$0] ?? 0) })
            }
            for number in stride(from: sequence.count - 1, through: 0, by: -7) {
                #expect(steps(number..<number + 1, of: make()) == [sequence[number]])
            }
        }
    }
}
