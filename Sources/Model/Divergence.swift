import Kernels

/// How far two rows of scores are apart, with mt-dnn's names and gradients: a student's from its teacher's, or an example's from those of its
/// perturbed twin.
///
/// p and q stand for the shares (softmax) of input and target. mt-dnn holds some factors fixed where it differentiates; which, each case says.
public enum Divergence: Sendable, Equatable {
    /// KL(q ‖ p) = Σ q (ln q - ln p).
    case kullbackLeibler
    /// KL(q ‖ p) + KL(p ‖ q), of which only the logarithms' arguments p of the first and q of the second are differentiated.
    case symmetricKullbackLeibler
    /// 2 Σ p (o(p) - o(q)) with o(p) = -ln(1 / (p + ε) - 1 + ε), ε = 1e-6; the o's and q are fixed.
    case stable
    /// The same, and with p and q exchanged.
    case symmetricStable
    /// KL(m ‖ p) + KL(m ‖ q) with the fixed m = (p + q) / 2.
    case jensenShannon
    /// The mean of (√p - √q)². mt-dnn's own differentiates neither side, so that nothing learns from it; here both are.
    case hellinger
    /// The mean of the squared differences of the scores themselves.
    case squaredError
}

/// Two rows of scores, their divergence, and its gradients. Made once: to compute allocates nothing.
///
/// All is computed in Double with functions of our own, so bits depend on no library.
struct ScorePair {
    /// The student's scores; then the gradient for them.
    let input: UnsafeMutablePointer<Double>
    /// The teacher's scores; then the gradient for them.
    let target: UnsafeMutablePointer<Double>
    /// Logarithms of the shares of both.
    private let inputLogarithms, targetLogarithms: UnsafeMutablePointer<Double>

    /// Room for rows of at most `capacity` scores.
    init(capacity: Int, in workspace: Workspace) {
        input = workspace.array(Double.self, capacity)
        target = workspace.array(Double.self, capacity)
        inputLogarithms = workspace.array(Double.self, capacity)
        targetLogarithms = workspace.array(Double.self, capacity)
    }

    /// The divergence of the first `count` scores of both rows, which become its gradients.
    ///
    /// Both rows are divided by `temperature` first, and the divergence is multiplied by its square, which keeps the size of gradients (Hinton et al.
    /// 2015); the squared error does not depend on it.
    func compute(_ divergence: Divergence, count: Int, temperature: Double = 1) -> Double {
        for index in 0..<count {
            input[index] /= temperature
            target[index] /= temperature
        }
        let value: Double
        if divergence == .squaredError {
            value = squaredError(count)
        } else {
            writeShares(of: input, logarithms: inputLogarithms, count)
            writeShares(of: target, logarithms: targetLogarithms, count)
            value = compare(divergence, count)
        }
        for index in 0..<count {
            input[index] *= temperature
            target[index] *= temperature
        }
        return value * temperature * temperature
    }

    private func squaredError(_ count: Int) -> Double {
        var sum = 0.0
        for index in 0..<count {
            let difference = input[index] - target[index]
            sum += difference * difference
            input[index] = 2 * difference / Double(count)
            target[index] = -input[index]
        }
        return sum / Double(count)
    }

    /// scores = softmax(scores), and the logarithms of that.
    private func writeShares(
        of scores: UnsafeMutablePointer<Double>, logarithms: UnsafeMutablePointer<Double>, _ count: Int
    ) {
        var largest = scores[0]
        for index in 1..<max(1, count) { largest = max(largest, scores[index]) }
        var sum = 0.0
        for index in 0..<count { sum += exponential(max(scores[index] - largest, -700)) }
        let logarithmOfSum = largest + logarithm(sum)
        for index in 0..<count {
            logarithms[index] = scores[index] - logarithmOfSum
            scores[index] = exponential(max(scores[index] - largest, -700)) / sum
        }
    }

    /// The value for the shares that `input` and `target` hold; they become the gradients for the scores.
    private func compare(_ divergence: Divergence, _ count: Int) -> Double {
        var value = 0.0
        switch divergence {
        case .kullbackLeibler:
            value = directed(count)
            for index in 0..<count {
                let (p, q) = (input[index], target[index])
                input[index] = p - q
                target[index] = q * (targetLogarithms[index] - inputLogarithms[index] - value)
            }
        case .symmetricKullbackLeibler:
            for index in 0..<count {
                let (p, q) = (input[index], target[index])
                value += (q - p) * (targetLogarithms[index] - inputLogarithms[index])
                input[index] = p - q
                target[index] = q - p
            }
        case .stable, .symmetricStable:
            value = stable(count, isSymmetric: divergence == .symmetricStable)
        case .jensenShannon:
            for index in 0..<count {
                let (p, q) = (input[index], target[index])
                let middle = (p + q) / 2
                if middle > 0 {
                    value += middle * (2 * logarithm(middle) - inputLogarithms[index] - targetLogarithms[index])
                }
                input[index] = p - middle
                target[index] = q - middle
            }
        case .hellinger:
            var overlap = 0.0
            for index in 0..<count {
                let (p, q) = (input[index].squareRoot(), target[index].squareRoot())
                value += (p - q) * (p - q) / Double(count)
                overlap += p * q
            }
            for index in 0..<count {
                let root = (input[index] * target[index]).squareRoot()
                input[index] = (input[index] * overlap - root) / Double(count)
                target[index] = (target[index] * overlap - root) / Double(count)
            }
        case .squaredError: preconditionFailure("compares scores, not shares")
        }
        return value
    }

    /// KL(q ‖ p).
    private func directed(_ count: Int) -> Double {
        var value = 0.0
        for index in 0..<count { value += target[index] * (targetLogarithms[index] - inputLogarithms[index]) }
        return value
    }

    private func stable(_ count: Int, isSymmetric: Bool) -> Double {
        func odds(_ share: Double) -> Double { -logarithm(1 / (share + 1e-6) - 1 + 1e-6) }
        var (forwards, backwards) = (0.0, 0.0)
        for index in 0..<count {
            // No longer needed as logarithms.
            inputLogarithms[index] = 2 * (odds(input[index]) - odds(target[index]))
            forwards += input[index] * inputLogarithms[index]
            backwards -= target[index] * inputLogarithms[index]
        }
        for index in 0..<count {
            let difference = inputLogarithms[index]
            input[index] *= difference - forwards
            target[index] *= isSymmetric ? -difference - backwards : 0
        }
        return forwards + (isSymmetric ? backwards : 0)
    }
}
