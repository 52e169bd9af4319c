extension TaskDefinition {
    /// Reads the rows of one split, with `dataFolder` as the folder that relative paths start from.
    ///
    /// Of the training split at most `max_examples` rows are read.
    public func readExamples(split: String, dataFolder: String) throws(ExampleError) -> [Example] {
        let limit = split == Self.trainingSplit ? maximumExamples ?? .max : .max
        let path = try path(ofSplit: split, dataFolder: dataFolder)
        let file = try TabSeparatedFile(path: path, origin: origin(ofSplit: split, dataFolder: dataFolder))
        var examples: [Example] = []
        var columns: GlueColumns?
        try file.forEachRow { row throws(ExampleError) in
            switch format {
            case .canonical:
                examples.append(try canonicalExample(row, split: split))
            case .glue:
                guard let known = columns else {
                    let found = try GlueColumns(row, task: self, split: split)
                    columns = found
                    // A header is no example; CoLA's first row is one.
                    if found.isHeader { return true }
                    examples.append(try found.example(row, number: 0, task: self, split: split))
                    break
                }
                examples.append(try known.example(row, number: examples.count, task: self, split: split))
            case .jsonLines:
                throw ExampleError(file: path, line: nil, message: "json_lines holds token ids, not sentences")
            }
            return examples.count < limit
        }
        guard !examples.isEmpty else {
            throw ExampleError(file: path, line: nil, message: "the file holds no examples")
        }
        return examples
    }

    /// Where the rows of one split are.
    public func path(ofSplit split: String, dataFolder: String) throws(ExampleError) -> String {
        switch data {
        case .files(let files):
            guard let file = files[split] else {
                throw ExampleError(file: "task \(name)", line: nil, message: "`data` names no file for split \(split)")
            }
            return absolutePath(file, in: dataFolder)
        case .folder(let folder):
            return absolutePath(fileName(ofSplit: split), in: absolutePath(folder, in: dataFolder))
        }
    }

    private func fileName(ofSplit split: String) -> String {
        switch format {
        case .canonical: "\(name)_\(split).tsv"
        case .jsonLines: "\(name)_\(split).json"
        // mt-dnn says matched_dev where GLUE's file is dev_matched.tsv.
        case .glue: split.split(separator: "_").reversed().joined(separator: "_") + ".tsv"
        }
    }

    func origin(ofSplit split: String, dataFolder: String) -> String {
        switch data {
        case .folder("."): "the run's `data: \(dataFolder)` and task \(name), split \(split)"
        case .folder(let folder):
            "`data: \(folder)` of task \(name), split \(split), in the run's `data: \(dataFolder)`"
        case .files(let files):
            "`data: {\(split): \(files[split] ?? "")}` of task \(name), in the run's `data: \(dataFolder)`"
        }
    }
}
