import Foundation

/// What `metrics.jsonl` says of a run so far.
struct RunHistory {
    /// The scores of one split at one step.
    struct Evaluation {
        let step: Int
        let task: String
        let split: String
        let metrics: [String: Double]
    }

    /// All evaluations, in the order of steps.
    private(set) var evaluations: [Evaluation] = []
    /// The mean of the tasks' first metrics, to the last digit, by steps.
    private(set) var meanScores: [(step: Int, score: Double)] = []
    /// Seconds of all steps and evaluations together, as far as they count: what a job took for steps that another one took again is not among them, nor
    /// are start-up and the wait for the last checkpoint.
    private(set) var seconds = 0.0
    /// Whether its last line is there, with the sums over all weights.
    private(set) var isEnded = false

    private struct Line: Decodable {
        var step: Int?
        var task: String?
        var split: String?
        var metrics: [String: Double]?
        var meanScore: Double?
        var parametersSha256: String?
        var timing: Timing?

        struct Timing: Decodable {
            var seconds: Double
        }
    }

    /// Reads the log at `path`; throws where a line is damaged. One that was cut off at the end, as a full disk leaves it, is passed over, as when
    /// the run goes on.
    init(path: String) throws {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw TrainingError("\(path): cannot be read")
        }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let lines = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, bytes) in lines.enumerated() where !bytes.isEmpty {
            do {
                note(try decoder.decode(Line.self, from: bytes))
            } catch {
                if index == lines.count - 1 { break }
                throw TrainingError("\(path):\(index + 1): is damaged: it is no line that this program writes")
            }
        }
    }

    private mutating func note(_ line: Line) {
        isEnded = line.parametersSha256 != nil
        seconds += line.timing?.seconds ?? 0
        guard let step = line.step else { return }
        if let score = line.meanScore { meanScores.append((step, score)) }
        if let task = line.task, let split = line.split, let metrics = line.metrics {
            evaluations.append(.init(step: step, task: task, split: split, metrics: metrics))
        }
    }

    /// The evaluation with the best mean score, of equal ones the earliest, as for checkpoints.
    var best: (step: Int, score: Double)? { meanScores.min { ($1.score, $0.step) < ($0.score, $1.step) } }

    /// The scores of a split at a step, or at its last evaluation.
    func scores(task: String, split: String, step: Int? = nil) -> [String: Double]? {
        evaluations.last { $0.task == task && $0.split == split && (step == nil || $0.step == step) }?.metrics
    }
}
