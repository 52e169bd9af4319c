import TestSupport
import Testing

@testable import Kernels

struct DropoutTests {
    private let random = RandomStep(seed: 0x1234_5678_9ABC_DEF0, step: 77)
    private let row = RowIdentity(example: 901, row: 13)

    private func factors(_ dropout: Dropout, columns: Int, row: RowIdentity, random: RandomStep) -> [Float] {
        let list = OwnedMatrix(rows: 1, columns: columns)
        dropout.writeFactors(to: list.pointer, columns: columns, row: row, random: random)
        #expect(list.marginIsUntouched)
        return list.values
    }

    /// The decision for `column` as documented: of each 32 columns, Philox block 4·(column / 32) + (column mod 8) / 2 decides, by the
    /// low (even column) or high half of its word (column mod 32) / 8.
    private func factor(_ dropout: Dropout, site: Int, column: Int, row: RowIdentity, random: RandomStep) -> Float {
        let counter = SIMD4(
            UInt32(column / 32 * 4 + column % 8 / 2), UInt32(site) << 16 | row.row, row.example, random.step)
        let word = Philox.block(counter: counter, key: random.key)[column % 32 / 8]
        let decision = column % 2 == 0 ? word & 0xFFFF : word >> 16
        return decision < dropout.threshold ? 0 : dropout.scale
    }

    @Test(arguments: [1, 7, 8, 9, 31, 32, 33, 384])
    func decisionsAreTheDocumentedWords(columns: Int) {
        let dropout = Dropout(probability: 0.3, site: 515)
        let expected = (0..<columns).map {
            factor(dropout, site: 515, column: $0, row: row, random: random)
        }
        #expect(factors(dropout, columns: columns, row: row, random: random) == expected)
    }

    @Test func aColumnsDecisionDoesNotDependOnTheNumberOfColumns() {
        let dropout = Dropout(probability: 0.5, site: 2)
        let all = factors(dropout, columns: 200, row: row, random: random)
        for columns in 1..<200 {
            #expect(factors(dropout, columns: columns, row: row, random: random) == Array(all.prefix(columns)))
        }
    }

    @Test(arguments: [Float(0.1), 0.25, 0.5, 0.9])
    func dropsAtItsRateAndKeepsTheMean(probability: Float) {
        let dropout = Dropout(probability: probability, site: 7)
        var dropped = 0
        let columns = 400
        let rows = 1_000
        var sum = 0.0
        for index in 0..<rows {
            let list = factors(
                dropout, columns: columns, row: RowIdentity(example: UInt32(index), row: 1), random: random)
            dropped += list.count { $0 == 0 }
            sum += list.reduce(0) { $0 + Double($1) }
            #expect(list.allSatisfy { $0 == 0 || $0 == dropout.keptFactor })
        }
        let count = Double(columns * rows)
        let p = Double(probability)
        let deviation = (p * (1 - p) / count).squareRoot()
        #expect(abs(Double(dropped) / count - p) < 5 * deviation + 1.0 / 65_536)
        #expect(abs(sum / count - 1) < 5 * deviation / (1 - p))
    }

    @Test func everythingADecisionDependsOnChangesIt() {
        let dropout = Dropout(probability: 0.5, site: 7)
        let base = factors(dropout, columns: 4_096, row: row, random: random)
        let others = [
            factors(Dropout(probability: 0.5, site: 8), columns: 4_096, row: row, random: random),
            factors(dropout, columns: 4_096, row: RowIdentity(example: 902, row: 13), random: random),
            factors(dropout, columns: 4_096, row: RowIdentity(example: 901, row: 14), random: random),
            factors(dropout, columns: 4_096, row: row, random: RandomStep(seed: 0x1234_5678_9ABC_DEF0, step: 78)),
            factors(dropout, columns: 4_096, row: row, random: RandomStep(seed: 0x1234_5678_9ABC_DEF1, step: 77)),
            factors(dropout, columns: 4_096, row: row, random: RandomStep(seed: 0x1234_5679_9ABC_DEF0, step: 77)),
        ]
        for other in others {
            // Independent decisions agree in half of the cases, with a deviation of 32.
            let agreeing = zip(base, other).count { $0 == $1 }
            #expect(abs(agreeing - 2_048) < 170)
        }
    }

    @Test func aProbabilityNextToOneStillKeepsTheMeanFinite() {
        #expect(Dropout(probability: Float(1).nextDown, site: 0).keptFactor.isFinite)
        #expect(!Dropout(probability: 0, site: 0).isActive)
        #expect(
            factors(Dropout(probability: 0, site: 0), columns: 9, row: row, random: random)
                == Array(repeating: 1, count: 9))
    }

    @Test func rowsAreDroppedByTheirIdentitiesAndNaNIsKept() throws {
        let dropout = Dropout(probability: 0.4, site: 3)
        let identities = [RowIdentity(example: 5, row: 2), RowIdentity(example: 9, row: 0)]
        let x = OwnedMatrix([Float](repeating: 2, count: 66), rows: 2, columns: 33)
        x.matrix.row(1)[4] = .nan
        let y = OwnedMatrix(rows: 2, columns: 33)
        try identities.withUnsafeBufferPointer { list in
            let first = try #require(list.baseAddress)
            #expect(RowDropout(dropout, identities: first, random: nil) == nil)
            #expect(RowDropout(Dropout(probability: 0, site: 3), identities: first, random: random) == nil)
            let drop = try #require(RowDropout(dropout, identities: first, random: random))
            drop.apply(x.matrix, into: y.matrix)
            drop.apply(to: x.matrix)
        }
        #expect(bits(x.values) == bits(y.values))
        #expect(x.marginIsUntouched && y.marginIsUntouched)
        for row in 0..<2 {
            for column in 0..<33 where !(row == 1 && column == 4) {
                let expected = factor(dropout, site: 3, column: column, row: identities[row], random: random)
                #expect(x.matrix.row(row)[column] == 2 * expected)
            }
        }
        #expect(x.matrix.row(1)[4].isNaN)
    }
}
