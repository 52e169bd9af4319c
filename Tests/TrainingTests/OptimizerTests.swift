import Kernels
import Model
import Storage
import TestSupport
import Testing

@testable import Training

/// Ten updates with clipping, warm-up and heads that take turns, against torch's optimizers; all owners of a job in one process.
struct OptimizerTests {
    private static let rules: [(OptimizerChoice, name: String, decay: Float)] = [
        (.adamaxTorch, "adamax", 0), (.adamW, "adamw", 0.01), (.adamax, "first_adamax", 0.01),
        (.radam, "radam", 0.01), (.sgd, "sgd", 0.01), (.lamb, "lamb", 0.01),
    ]
    private let reference: SafeTensors

    init() throws { reference = try SafeTensors(References.path("optimizers.safetensors")) }

    /// The parameters of a case, with every rank's optimizer on the same values.
    private final class Job {
        let parameters = Parameters()
        let workspace = Workspace()
        let words: WordGradient
        let ownerships: [Ownership]
        let optimizers: [Optimizer]
        let trustRatios: [TrustRatios]
        private var updateCounts: [Int]

        init(_ groups: [(name: String, tensors: [(String, [Int])])], _ rule: OptimizerChoice, decay: Float, ranks: Int)
        {
            for group in groups {
                parameters.beginGroup(.head(task: group.name))
                for (name, shape) in group.tensors {
                    _ = shape.count == 1 ? parameters.add(name, shape[0]) : parameters.add(name, shape[0], shape[1])
                }
            }
            let memory = ParameterMemory(sizes: parameters.sizes(gradientBuffers: 1, touchedWords: 5))
            parameters.place(in: memory)
            let table = parameters.all[0]
            words = WordGradient(
                vocabularySize: table.rows, columns: table.columns, capacity: 5, tokens: 5, memory: memory,
                in: workspace)
            ownerships = parameters.groups.map { Ownership($0, rankCount: ranks) }
            optimizers = (0..<ranks).map { [parameters, words, ownerships] in
                Optimizer(rule, decay: decay, parameters, words, ownerships: ownerships, rank: $0)
            }
            trustRatios =
                rule == .lamb
                ? optimizers.enumerated().map { [ownerships] in
                    TrustRatios($1, ownerships, rank: $0, of: ranks)
                } : []
            updateCounts = parameters.groups.map { _ in 0 }
        }

        /// Every owner updates its rows; `gradient` is the whole group's, or that of the touched words.
        func update(group: Int, _ gradient: [Float], norm: Float, rate: Float) {
            updateCounts[group] += 1
            var gradient = gradient
            gradient.withUnsafeMutableBufferPointer { whole in
                for (rank, optimizer) in optimizers.enumerated() {
                    let range = ownerships[group].range(of: rank)
                    let first = ownerships[group].bounds[0]
                    let columns = words.columns
                    let touched = words.touchedRows(from: range.lowerBound / columns, below: range.upperBound / columns)
                    let own =
                        group == 0
                        ? touched.lowerBound * columns..<touched.upperBound * columns
                        : range.lowerBound - first..<range.upperBound - first
                    optimizer.update(
                        group: group, gradient: UnsafeMutableBufferPointer(rebasing: whole[own]),
                        scale: min(1, 1 / (norm + 1e-6)), rate: rate, step: updateCounts[group])
                }
            }
            moveByTrustRatios(group, rate: rate)
        }

        /// The second half of LAMB, each rank with the sums of all.
        private func moveByTrustRatios(_ group: Int, rate: Float) {
            for one in trustRatios { one.writeOwnSums([group], updateCounts) }
            for one in trustRatios {
                for (rank, other) in trustRatios.enumerated() {
                    for index in other.layout[rank] { one.sums[index] = other.sums[index] }
                }
            }
            for one in trustRatios { one.moveOwn([group], rate: rate, updateCounts) }
        }
    }

    private func load(_ job: Job, _ prefix: String, from first: Int) throws {
        for parameter in job.parameters.groups[first...].flatMap(\.parameters) {
            let values = UnsafeMutableBufferPointer(start: parameter.pointer, count: parameter.count)
            try reference.read("\(prefix).initial.\(parameter.name)", into: values)
        }
    }

    private func compare(_ job: Job, _ prefix: String, from first: Int, _ place: String) throws {
        for parameter in job.parameters.groups[first...].flatMap(\.parameters) {
            let expected = try reference.read("\(prefix).\(parameter.name)")
            for (index, expected) in expected.enumerated() {
                let found = parameter.pointer[index]
                if abs(found - expected) > 1e-6 + 1e-6 * abs(expected) {
                    Issue.record("\(place), \(parameter.name) at \(index): \(found) instead of \(expected)")
                    return
                }
            }
        }
    }

    @Test(arguments: 0..<6, [1, 2, 3, 7])
    func `Groups are updated as by torch, an idle head not at all`(ruleIndex: Int, ranks: Int) throws {
        let (rule, name, decay) = Self.rules[ruleIndex]
        // The first group is always the word embeddings'; here they are never touched.
        let job = Job(
            [
                ("word_embeddings", [("table", [3, 8])]),
                ("encoder", [("encoder.weight", [6, 8]), ("encoder.bias", [6])]),
                ("head.a", [("head.a.weight", [3, 8]), ("head.a.bias", [3])]),
                ("head.b", [("head.b.weight", [2, 8]), ("head.b.bias", [2])]),
            ], rule, decay: decay, ranks: ranks)
        try load(job, "groups", from: 1)
        let rates = try reference.read("rates")
        let norms = try reference.read("groups.norms")
        #expect(norms.contains { $0 > 1.5 } && norms.contains { $0 < 0.9 }, "clipping must matter in some steps only")
        for step in 0..<10 {
            for group in 1...3 {
                let tensors = job.parameters.groups[group].parameters.map { "groups.gradients.\(step).\($0.name)" }
                guard tensors.allSatisfy(reference.contains) else { continue }
                let gradient = try tensors.flatMap { name -> [Float] in try reference.read(name) }
                job.update(group: group, gradient, norm: norms[step], rate: rates[step])
            }
            try compare(job, "groups.\(name).values.\(step)", from: 1, "\(name) on \(ranks) ranks, step \(step)")
        }
        #expect(
            job.optimizers.flatMap { $0.owned.joined() }.reduce(0) { $0 + $1.piece.range.count } == job.parameters.count
        )
    }

    @Test(arguments: 0..<6, [1, 2, 3, 7])
    func `Word embeddings are updated as by a dense optimizer, from touched rows alone`(ruleIndex: Int, ranks: Int)
        throws
    {
        let (rule, name, decay) = Self.rules[ruleIndex]
        let job = Job([("word_embeddings", [("table.weight", [50, 8])])], rule, decay: decay, ranks: ranks)
        try load(job, "embedding", from: 0)
        let rates = try reference.read("rates")
        let norms = try reference.read("embedding.norms")
        for step in 0..<10 {
            let dense = try reference.read("embedding.gradients.\(step).table.weight")
            let rows = (0..<50).map { Array(dense[$0 * 8..<$0 * 8 + 8]) }
            let touched = rows.indices.filter { rows[$0].contains { $0 != 0 } }
            #expect(touched.count == 5)
            job.words.clear()
            touched.reversed().map { Int32($0) }.withUnsafeBufferPointer { job.words.touch($0) }
            job.words.finish()
            job.update(group: 0, touched.flatMap { rows[$0] }, norm: norms[step], rate: rates[step])
            try compare(job, "embedding.\(name).values.\(step)", from: 0, "\(name) on \(ranks) ranks, step \(step)")
        }
    }
}
