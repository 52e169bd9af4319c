import Storage

/// Writes the tasks of a run as mt-dnn's preprocessed JSON lines.
public enum JSONLinesExport {
    /// Writes `TASK_SPLIT.json` into `folder` for every task of `train` and every split that is there.
    /// - Parameter report: receives a sentence for each file.
    public static func write(_ settings: RunSettings, to folder: String, report: (String) -> Void) throws {
        let tasks = try settings.taskDefinitions()
        if let task = tasks.first(where: { !$0.scoresSentences }) {
            throw TrainingError(
                "task \(task.name) tells something of words, and JSON lines have no place for that; leave it out of `train`"
            )
        }
        try createFolder(folder)
        var preparation = try Preparation(settings, encoder: EncoderFiles(settings))
        for task in tasks { try preparation.writeJSONLines(task, to: folder, report: report) }
    }
}
