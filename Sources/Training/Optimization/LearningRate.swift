import Kernels

/// The learning rate of each step: a linear warm-up from zero, then a decay to zero or none.
struct LearningRate {
    /// The rate at the end of the warm-up.
    let peak: Float
    /// What follows the warm-up.
    let schedule: ScheduleChoice
    /// Number of steps of the whole run.
    let stepCount: Int
    /// Number of steps of the warm-up.
    let warmupSteps: Int

    init(peak: Float, schedule: ScheduleChoice, warmup: Double, stepCount: Int) {
        self.peak = peak
        self.schedule = schedule
        self.stepCount = stepCount
        self.warmupSteps = Int(warmup * Double(stepCount))
    }

    /// The rate of a step. As in MT-DNN and transformers, the first step of a warm-up has rate 0.
    func at(_ step: Int) -> Float {
        if step < warmupSteps { return Float(Double(peak) * Double(step) / Double(warmupSteps)) }
        let progress = Double(step - warmupSteps) / Double(max(1, stepCount - warmupSteps))
        switch schedule {
        case .constant: return peak
        case .linear: return Float(Double(peak) * max(0, 1 - progress))
        case .cosine: return Float(Double(peak) * 0.5 * (1 + cosine(turns: min(1, progress) / 2)))
        }
    }
}
