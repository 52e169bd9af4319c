import TestSupport
import Testing

@testable import Kernels

/// Kernels give the same bits on any number of threads.
@Suite struct ThreadTeamTests {
    @Test(arguments: [1, 2, 3, 5], [0, 1, 7, 64, 1000])
    func everyElementIsSharedOutOnce(threads: Int, count: Int) throws {
        for (unit, least) in [(1, 1), (16, 1), (6, 40), (16, 5000)] {
            let visits = UnsafeMutablePointer<Int32>.allocate(capacity: count + 1)
            visits.initialize(repeating: 0, count: count + 1)
            defer { visits.deallocate() }
            try ThreadTeam.with(threads: threads) {
                for _ in 0..<50 {
                    shareOut(count, unit: unit, least: least, (visits, unit, threads)) { work, range in
                        precondition(range.lowerBound.isMultiple(of: work.1) && ThreadTeam.currentPart < work.2)
                        for index in range { work.0[index] += 1 }
                    }
                }
            }
            #expect((0..<count).allSatisfy { visits[$0] == 50 } && visits[count] == 0, "\(unit), \(least)")
        }
    }

    @Test func whatIsSharedOutWithinAPartStaysOnItsThread() throws {
        let sums = UnsafeMutablePointer<Int>.allocate(capacity: 3)
        sums.initialize(repeating: 0, count: 3)
        defer { sums.deallocate() }
        try ThreadTeam.with(threads: 3) {
            shareOut(3, sums) { sums, parts in
                let part = ThreadTeam.currentPart
                precondition(parts == part..<(part + 1))
                shareOut(1000, (sums, part)) { work, range in
                    precondition(ThreadTeam.currentPart == work.1)
                    work.0[work.1] += range.count
                }
            }
        }
        #expect((0..<3).allSatisfy { sums[$0] == 1000 })
    }

    /// Enough rows and columns that every kernel is shared out, in sizes that no number of threads divides.
    @Test(arguments: [2, 3, 5])
    func kernelsGiveTheSameBits(threads: Int) throws {
        let alone = allKernels()
        let together = try ThreadTeam.with(threads: threads) { allKernels() }
        #expect(alone.count == together.count && alone.count > 8)
        for (name, values) in alone { #expect(bits(values) == bits(together[name] ?? []), "\(name)") }
    }

    @Test func whatABodyThrowsEndsTheTeamAndIsPassedOn() throws {
        struct Mishap: Error {}
        #expect(throws: Mishap.self) { try ThreadTeam.with(threads: 3) { throw Mishap() } }
        #expect(ThreadTeam.threadCount == 1)
        try ThreadTeam.with(threads: 2) { #expect(ThreadTeam.threadCount == 2) }
    }

    private func allKernels() -> [String: [Float]] {
        var random = TestRandom(seed: 5)
        let (rows, inner, columns) = (211, 173, 389)
        func matrix(_ rows: Int, _ columns: Int) -> OwnedMatrix {
            let matrix = OwnedMatrix(rows: rows, columns: columns)
            for row in 0..<rows { for column in 0..<columns { matrix.matrix.row(row)[column] = random.normal() } }
            return matrix
        }
        var results: [String: [Float]] = [:]
        for (left, right) in [(false, false), (false, true), (true, false), (true, true)] {
            for count in [811, rows, 5] {
                let a = left ? matrix(inner, count) : matrix(count, inner)
                let b = right ? matrix(columns, inner) : matrix(inner, columns)
                let c = matrix(count, columns)
                multiply(a.matrix, b.matrix, transposed: (left, right), into: c.matrix, accumulating: true)
                results["product \(left) \(right) \(count)"] = c.values
            }
        }
        let tree = SliceTree(sliceCount: 5, local: 0..<5)
        let bounds = UnsafeMutablePointer<Int>.allocate(capacity: 6)
        defer { bounds.deallocate() }
        for (index, bound) in [0, 30, 31, 100, 205, 211].enumerated() { (bounds + index).initialize(to: bound) }
        let slices = RowSlices(tree, bounds: bounds)
        let dy = matrix(rows, columns)
        let x = matrix(rows, inner)
        let other = matrix(rows, columns)
        func sums(_ name: String, _ count: Int, _ sum: (GradientSums) -> Void) {
            let buffer = OwnedMatrix(rows: 1, columns: count)
            withUnsafePointer(to: buffer.pointer) { sum(GradientSums(bases: $0, offset: 0)) }
            results[name] = buffer.values
        }
        sums("weights", columns * inner) { sumOuterProducts(slices, dy.matrix, x.matrix, into: $0) }
        sums("weights of a wide input", columns * inner) { sumOuterProducts(slices, x.matrix, dy.matrix, into: $0) }
        sums("biases", columns) { sumColumns(slices, dy.matrix, into: $0) }
        sums("scales", columns) { sumColumnProducts(slices, dy.matrix, other.matrix, into: $0) }

        let identities = UnsafeMutablePointer<RowIdentity>.allocate(capacity: rows)
        defer { identities.deallocate() }
        for row in 0..<rows { (identities + row).initialize(to: RowIdentity(example: 3, row: UInt32(row))) }
        let dropout = RowDropout(
            Dropout(probability: 0.3, site: 4), identities: identities, random: RandomStep(seed: 8, step: 2))
        let vector = matrix(1, columns)
        let deviations = OwnedMatrix(rows: 1, columns: rows)
        let (sum, y, dx) = (matrix(rows, columns), matrix(rows, columns), matrix(rows, columns))
        residualLayerNormalization(
            sum.matrix, bias: vector.pointer, residual: other.matrix, dropout: dropout, scale: vector.pointer,
            shift: vector.pointer, epsilon: 1e-5, into: y.matrix, inverseDeviations: deviations.pointer)
        results["normalized"] = sum.values + y.values + deviations.values
        residualLayerNormalizationBackward(
            dy.matrix, normalized: sum.matrix, inverseDeviations: deviations.pointer, scale: vector.pointer,
            dropout: dropout, dresidual: other.matrix, dx: dx.matrix)
        results["normalized backward"] = other.values + dx.values
        biasGELU(y.matrix, bias: vector.pointer, into: dx.matrix, keepingDerivative: true)
        results["GELU"] = y.values + dx.values
        multiplyElements(dx.matrix, by: y.matrix)
        results["elements"] = dx.values
        dropout?.apply(to: dx.matrix)
        addBias(dx.matrix, vector.pointer)
        dx.matrix.add(y.matrix)
        results["dropped, with bias and summand"] = dx.values
        return results
    }
}
