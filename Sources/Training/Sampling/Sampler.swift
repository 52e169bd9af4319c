/// Which task and which examples come at each step: a pure function of (seed, step), so all ranks agree without a word and a resumed run
/// needs no state.
///
/// An epoch is Algorithm 1 of the paper: every task's examples in a new random order, packed into batches of one task each, and all
/// batches of all tasks in a random order. A task with a sampling weight w takes w times its batches in an epoch; it goes through
/// its examples in complete passes, each in a new order.
public struct Sampler: Sendable {
    /// What the sampler knows of a task.
    public struct Task: Sendable, Equatable {
        /// Number of examples.
        public var exampleCount: Int
        /// Number of examples in a batch; the last batch of a pass may be shorter.
        public var batchSize: Int
        /// Batches in an epoch as a multiple of those of one pass.
        public var weight: Double

        /// A task of `exampleCount` examples.
        public init(exampleCount: Int, batchSize: Int, weight: Double = 1) {
            self.exampleCount = exampleCount
            self.batchSize = batchSize
            self.weight = weight
        }

        var batchesPerPass: Int { (exampleCount + batchSize - 1) / batchSize }
        var batchesPerEpoch: Int { max(1, Int((Double(batchesPerPass) * weight).rounded())) }
    }

    /// One batch: where its examples lie in a random order of the task's examples.
    public struct Batch: Sendable {
        /// Number of the task.
        public let task: Int
        /// Number of examples.
        public let count: Int
        private let first: Int
        private let order: Permutation

        init(task: Int, first: Int, count: Int, order: Permutation) {
            self.task = task
            self.first = first
            self.count = count
            self.order = order
        }

        /// The row of an example in the task's file.
        public subscript(index: Int) -> Int { order[first + index] }
    }

    /// The tasks.
    public let tasks: [Task]
    /// Number of batches of all tasks in an epoch.
    public let stepsPerEpoch: Int
    private let seed: UInt64
    private let firstBatches: [Int]

    /// A sampler over `tasks`, none of which is empty.
    public init(tasks: [Task], seed: UInt64) {
        precondition(tasks.allSatisfy { $0.exampleCount > 0 && $0.batchSize > 0 })
        self.tasks = tasks
        self.seed = seed
        var first = 0
        firstBatches = tasks.map { task in
            defer { first += task.batchesPerEpoch }
            return first
        }
        stepsPerEpoch = first
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
        return Batch(task: index, first: first, count: min(task.batchSize, task.exampleCount - first), order: order)
    }

    /// How many of the steps before `step` were of each task.
    public func stepCounts(before step: Int) -> [Int] {
        let (epoch, position) = step.quotientAndRemainder(dividingBy: stepsPerEpoch)
        var counts = tasks.map { $0.batchesPerEpoch * epoch }
        for earlier in (step - position)..<step { counts[task(at: earlier)] += 1 }
        return counts
    }

    /// The task of a step and the number of its batch since the beginning of the run.
    private func locate(_ step: Int) -> (task: Int, ordinal: Int) {
        let (epoch, position) = step.quotientAndRemainder(dividingBy: stepsPerEpoch)
        let order = Permutation(count: stepsPerEpoch, seed: seed, stream: (0, UInt32(truncatingIfNeeded: epoch)))
        let place = order[position]
        var task = tasks.count - 1
        while firstBatches[task] > place { task -= 1 }
        return (task, epoch * tasks[task].batchesPerEpoch + place - firstBatches[task])
    }
}
