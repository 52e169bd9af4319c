import Foundation

/// What a person sees while a run goes on: step, task, loss, tokens per second, time left.
struct ProgressLine {
    /// How progress is shown.
    enum Style: String, CaseIterable, Sendable {
        /// One line that is rewritten: for a terminal.
        case live
        /// A line now and then: for a log.
        case lines
        /// Nothing.
        case none
    }

    private let style: Style
    private let steps: Range<Int>
    private let interval: UInt64
    private var started = monotonicNanoseconds()
    private var last: UInt64 = 0
    private var tokens = 0
    private var smoothedLosses: [String: Double] = [:]

    init(_ style: Style, steps: Range<Int>) {
        self.style = style
        self.steps = steps
        interval = style == .live ? 250_000_000 : 15_000_000_000
    }

    /// Notes a step; shows the line if it is time to.
    mutating func note(step: Int, task: String, loss: Double, tokens newTokens: Int) {
        tokens += newTokens
        let smoothed = smoothedLosses[task].map { $0 * 0.9 + loss * 0.1 } ?? loss
        smoothedLosses[task] = smoothed
        let now = monotonicNanoseconds()
        guard style != .none, now - last >= interval || step + 1 == steps.upperBound else { return }
        last = now
        let seconds = Double(now - started) / 1e9
        let left = seconds / Double(step + 1 - steps.lowerBound) * Double(steps.upperBound - step - 1)
        let text = String(
            format: "step %d/%d  %@  loss %.4f  %.0f tokens/s  %@ left", step + 1, steps.upperBound,
            task.padding(toLength: max(10, task.count), withPad: " ", startingAt: 0), smoothed,
            Double(tokens) / seconds, ProgressLine.duration(left))
        show(text)
    }

    /// Writes the line, in place of the previous one where it is live.
    private func show(_ text: String) {
        StandardStream.error.write(style == .live ? "\r\(text)\u{1B}[K" : "\(text)\n")
    }

    /// Clears a live line, so that something else can be printed.
    func clear() {
        if style == .live { StandardStream.error.write("\r\u{1B}[K") }
    }

    /// Minutes and seconds, or hours and minutes.
    static func duration(_ seconds: Double) -> String {
        let whole = Int(seconds.rounded())
        return whole < 3600
            ? String(format: "%d:%02d min", whole / 60, whole % 60)
            : String(format: "%d:%02d h", whole / 3600, whole / 60 % 60)
    }
}
