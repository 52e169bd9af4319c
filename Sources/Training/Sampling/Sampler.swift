/// Which task and which examples come at each step: a pure function of (seed, step), so all ranks agree without a word and a resumed run
/// needs no state.
///
/// An epoch is Algorithm 1 of the paper: every task's examples in a new random order, packed into batches of one task each, and all
/// batches of all tasks in a random order. How many batches of an epoch are a task's is for the `TaskMixture` to say; a task goes through
/// its examples in complete passes, each in a new order, however its batches are spread over epochs.
public struct Sampler: Sendable {
    /// What the sampler knows of a task.
    public struct Task: Sendable, Equatable {
        /// Number of examples that are trained on.
        public let exampleCount: Int
        /// Number of rows that they are drawn from.
        public let rowCount: Int
        /// Number of examples in a batch; the last batch of a pass may be shorter.
        public var batchSize: Int
        /// What its share of the batches is multiplied by.
        public var weight: Double

        /// A task with an example of each of `rowCount` rows, or of a `fraction` of them, one at least, that the run's seed draws.
        public init(rowCount: Int, batchSize: Int, weight: Double = 1, fraction: Double = 1) {
            self.rowCount = rowCount
            self.exampleCount = max(1, Int((Double(rowCount) * fraction).rounded()))
            self.batchSize = batchSize
            self.weight = weight
        }

        /// Which rows a run with this seed draws: its examples are the first of them. A larger fraction has those of a smaller one among its own.
        func rows(seed: UInt64) -> Permutation { Permutation(count: rowCount, seed: seed, stream: (.max, 0)) }

        var batchesPerPass: Int { (exampleCount + batchSize - 1) / batchSize }
    }

    /// One batch: where its examples lie in a random order of the task's examples.
    public struct Batch: Sendable {
        /// Number of the task.
        public let task: Int
        /// Number of examples.
        public let count: Int
        private let first: Int
        private let order: Permutation
        private let rows: Permutation?

        /// - Parameter rows: where only some rows of the file are trained on, which they are.
        init(task: Int, first: Int, count: Int, order: Permutation, rows: Permutation?) {
            self.task = task
            self.first = first
            self.count = count
            self.order = order
            self.rows = rows
        }

        /// The row of an example in the task's file.
        public subscript(index: Int) -> Int {
            let example = order[first + index]
            return rows?[example] ?? example
        }
    }

    /// The tasks.
    public let tasks: [Task]
    /// Number of batches of all tasks in an epoch, the same in all.
    public let stepsPerEpoch: Int
    private let seed: UInt64
    /// The task whose batches come at the end of each epoch, if one's do.
    private let last: Int?
    private let epochs: [Epoch]

    /// What differs between epochs; the last of them stands for all that follow.
    private struct Epoch {
        /// Batches of each task.
        let counts: [Int]
        /// Batches of each task in all epochs before.
        let before: [Int]
        /// For each task the number of its first batch among those of the epoch.
        let first: [Int]
    }

    /// A sampler over `tasks`, none of which is empty.
    /// - Parameters:
    ///   - mixture: how many batches of an epoch are a task's.
    ///   - last: a task whose batches are not mixed with the others' but follow them in each epoch.
    ///   - epochCount: epochs of the run, on which an annealed mixture depends.
    public init(
        tasks: [Task], mixture: TaskMixture = .proportional, last: Int? = nil, epochCount: Int = 1, seed: UInt64
    ) {
        precondition(tasks.allSatisfy { $0.exampleCount > 0 && $0.batchSize > 0 })
        self.tasks = tasks
        self.seed = seed
        self.last = last
        var epochs: [Epoch] = []
        var before = [Int](repeating: 0, count: tasks.count)
        for counts in mixture.batchCounts(tasks, epochCount: epochCount) {
            var first = 0
            let firsts = counts.map { count in
                defer { first += count }
                return first
            }
            epochs.append(Epoch(counts: counts, before: before, first: firsts))
            before = zip(before, counts).map(+)
        }
        self.epochs = epochs
        stepsPerEpoch = epochs[0].counts.reduce(0, +)
    }

    /// The task of a step.
    public func task(at step: Int) -> Int { locate(step).task }

    /// The batch of a step.
    public func batch(at step: Int) -> Batch {
        let (index, ordinal) = locate(step)
        let task = tasks[index]
        let (pass, batch) = ordinal.quotientAndRemainder(dividingBy: task.batchesPerPass)
        let first = batch * task.batchSize
        let order = Permutation(
            count: task.exampleCount, seed: seed, stream: (UInt32(index + 1), UInt32(truncatingIfNeeded: pass)))
        return Batch(
            task: index, first: first, count: min(task.batchSize, task.exampleCount - first), order: order,
            rows: task.exampleCount < task.rowCount ? task.rows(seed: seed) : nil)
    }

    /// How many of the steps before `step` were of each task.
    public func stepCounts(before step: Int) -> [Int] {
        let (epoch, position) = step.quotientAndRemainder(dividingBy: stepsPerEpoch)
        var counts = tasks.indices.map { batchesBefore(epoch, of: $0) }
        for earlier in (step - position)..<step { counts[task(at: earlier)] += 1 }
        return counts
    }

    /// How many batches of a task come before an epoch.
    private func batchesBefore(_ epoch: Int, of task: Int) -> Int {
        let known = min(epoch, epochs.count - 1)
        return epochs[known].before[task] + (epoch - known) * epochs[known].counts[task]
    }

    /// The task of a step and the number of its batch since the beginning of the run.
    private func locate(_ step: Int) -> (task: Int, ordinal: Int) {
        let (epoch, position) = step.quotientAndRemainder(dividingBy: stepsPerEpoch)
        let known = min(epoch, epochs.count - 1)
        if let last {
            // The others are shuffled among themselves, as if the last task were not there.
            let others = stepsPerEpoch - epochs[known].counts[last]
            guard position < others else { return (last, batchesBefore(epoch, of: last) + position - others) }
            var place = order(of: others, epoch)[position]
            if place >= epochs[known].first[last] { place += epochs[known].counts[last] }
            return batch(at: place, epoch, known)
        }
        return batch(at: order(of: stepsPerEpoch, epoch)[position], epoch, known)
    }

    private func order(of count: Int, _ epoch: Int) -> Permutation {
        Permutation(count: count, seed: seed, stream: (0, UInt32(truncatingIfNeeded: epoch)))
    }

    /// The task of one of an epoch's batches, in the order of tasks, and its number since the beginning of the run.
    private func batch(at place: Int, _ epoch: Int, _ known: Int) -> (task: Int, ordinal: Int) {
        var task = tasks.count - 1
        while epochs[known].first[task] > place { task -= 1 }
        return (task, batchesBefore(epoch, of: task) + place - epochs[known].first[task])
    }
}
