extension TaskDefinition {
    /// Reads the rows of one split, with `dataFolder` as the folder that relative paths start from.
    ///
    /// Of the training split at most `max_examples` rows are read.
    public func readExamples(split: String, dataFolder: String) throws(ExampleError) -> [Example] {
        try contents(ofSplit: split, dataFolder: dataFolder).rows
    }

    /// The same, with what is left out.
    public func contents(ofSplit split: String, dataFolder: String) throws(ExampleError) -> FileContents<Example> {
        switch format {
        case .canonical:
            let reader = CanonicalReader(task: self, split: split)
            return try contents(ofSplit: split, dataFolder: dataFolder, by: reader)
        case .glue:
            let reader = GlueReader(task: self, split: split)
            return try contents(ofSplit: split, dataFolder: dataFolder, by: reader)
        case .snli, .scitail:
            let reader = InferenceReader(task: self, split: split)
            return try contents(ofSplit: split, dataFolder: dataFolder, by: reader)
        case .conll:
            let path = try path(ofSplit: split, dataFolder: dataFolder)
            let file = try LineFile(path: path, origin: origin(ofSplit: split, dataFolder: dataFolder))
            let reader = ColumnReader(task: self, split: split)
            let contents = try reader.contents(file, limit: mostRows(ofSplit: split))
            try contents.requireRows(of: path)
            return contents
        case .squad:
            let path = try path(ofSplit: split, dataFolder: dataFolder)
            let reader = SquadReader(task: self, split: split, path: path)
            let contents = try reader.contents(origin: origin(ofSplit: split, dataFolder: dataFolder))
            try contents.requireRows(of: path, called: "questions")
            return contents
        case .jsonLines:
            let path = try path(ofSplit: split, dataFolder: dataFolder)
            throw ExampleError(file: path, line: nil, message: "json_lines holds token ids, not sentences")
        case .text, .book, .jsonText:
            let path = try path(ofSplit: split, dataFolder: dataFolder)
            throw ExampleError(file: path, line: nil, message: "\(format.rawValue) holds documents, not examples")
        }
    }
}
