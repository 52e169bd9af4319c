import Testing

@testable import Training

struct SamplerTests {
    private static let tasks = [
        Sampler.Task(exampleCount: 40, batchSize: 7), Sampler.Task(exampleCount: 1, batchSize: 7),
        Sampler.Task(exampleCount: 21, batchSize: 7), Sampler.Task(exampleCount: 30, batchSize: 4),
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
}
