/// The windows through which a text is read that is too long for one sequence, as BERT's recipe for SQuAD cuts them.
struct ContextWindows {
    /// The tokens of each.
    let windows: [Range<Int>]
    private let length: Int
    private let stride: Int

    /// Windows of `length` tokens, each `stride` tokens after the one before (at most `length`, so that none is passed over), to the end of the text.
    init(tokenCount: Int, length: Int, stride: Int) {
        self.length = length
        self.stride = min(length, stride)
        var windows: [Range<Int>] = []
        var start = 0
        repeat {
            windows.append(start..<min(start + length, tokenCount))
            start += self.stride
        } while windows[windows.count - 1].upperBound < tokenCount
        self.windows = windows
    }

    /// The number of the window that shows most of what surrounds a token: the smaller one of its two sides counts, and a hundredth of a token for
    /// each token of the window; of equal ones the first.
    func widest(of token: Int) -> Int {
        let first = token < length ? 0 : (token - length) / stride + 1
        let last = min(token / stride, windows.count - 1)
        var best = first
        var bestScore = -Double.infinity
        for number in first...last {
            let window = windows[number]
            let score =
                Double(min(token - window.lowerBound, window.upperBound - 1 - token)) + 0.01 * Double(window.count)
            if score > bestScore { (best, bestScore) = (number, score) }
        }
        return best
    }
}
