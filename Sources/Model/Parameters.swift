import Kernels

/// One named tensor of the model: where its value lies and where its gradient goes.
public struct Parameter {
    /// Hugging Face's name, for example `encoder.layer.0.attention.self.query.weight`; those of a head begin with `heads.TASK.`.
    public let name: String
    /// Dimensions as in the checkpoint: `[out, in]` for a weight, `[n]` for a vector.
    public let shape: [Int]
    /// First element in the flat layout of all parameters.
    public let offset: Int
    fileprivate let storage: UnsafeMutablePointer<Parameters.Storage>

    /// Number of rows; a vector is one row.
    public var rows: Int { shape.count == 1 ? 1 : shape[0] }
    /// Number of columns.
    public var columns: Int { shape.count == 1 ? shape[0] : shape[1] }
    /// Number of elements.
    public var count: Int { rows * columns }
    /// Its elements' places in the flat layout.
    public var range: Range<Int> { offset..<(offset + count) }
    /// The value [rows, columns].
    public var value: Matrix { Matrix(pointer, rows: rows, columns: columns) }
    /// The first element of the value.
    public var pointer: UnsafeMutablePointer<Float> { storage.pointee.values + offset }
    /// Where its gradient is summed.
    public var gradient: GradientSums { GradientSums(bases: storage.pointee.gradientBases, offset: offset) }

    /// This parameter and those that follow it in memory as one with the rows of all: lets several products be one.
    func joined(with others: Parameter...) -> Parameter {
        var rowCount = rows
        var end = range.upperBound
        for other in others {
            precondition(other.offset == end && other.columns == (shape.count == 1 ? other.columns : columns))
            rowCount += other.rows
            end = other.range.upperBound
        }
        let joinedShape = shape.count == 1 ? [end - offset] : [rowCount, columns]
        return Parameter(name: name, shape: joinedShape, offset: offset, storage: storage)
    }
}

/// A set of parameters that are updated together: in a step either all of them get a gradient or none does.
public struct ParameterGroup {
    /// What a group is of. Groups stand in this order.
    public enum Kind: Equatable, Sendable {
        /// The word embeddings, of which a batch touches few rows.
        case wordEmbeddings
        /// All else of the encoder.
        case encoder
        /// The pooler.
        case pooler
        /// The head of a task.
        case head(task: String)
    }

    /// The number of the word embeddings' group.
    public static let wordEmbeddings = 0
    /// The number of the encoder's group.
    public static let encoder = 1
    /// The number of the pooler's group.
    public static let pooler = 2
    /// The number of the first head's group; the other heads' follow.
    public static let firstHead = 3

    /// What it is of.
    public let kind: Kind
    /// The parameters, in the order of the flat layout.
    public internal(set) var parameters: [Parameter]
    /// Its elements' places in the flat layout.
    public var range: Range<Int> { parameters.first!.offset..<parameters.last!.range.upperBound }

    /// `word_embeddings`, `encoder`, `pooler`, or `heads.TASK`.
    public var name: String {
        switch kind {
        case .wordEmbeddings: "word_embeddings"
        case .encoder: "encoder"
        case .pooler: "pooler"
        case .head(let task): "heads.\(task)"
        }
    }

    /// The task whose head it is.
    public var task: String? { if case .head(let task) = kind { task } else { nil } }
}

/// The values and gradients of all parameters, each in one flat buffer, group after group.
///
/// The word embeddings come first. Their gradient is kept apart (`WordGradient`), since a batch touches few of their rows.
public final class Parameters {
    struct Storage {
        var values: UnsafeMutablePointer<Float>
        var gradientBases: UnsafeMutablePointer<UnsafeMutablePointer<Float>>
    }

    /// The groups, in the order of the flat layout.
    public private(set) var groups: [ParameterGroup] = []
    /// Number of elements of all parameters.
    public private(set) var count = 0
    /// Number of gradient buffers: one for each subtree of slices that this rank holds.
    private(set) var gradientBufferCount = 0
    private let storage: UnsafeMutablePointer<Storage>
    private var memory: ParameterMemory?
    private var isAllocated: Bool { memory != nil }
    private var gradientStart: Int { groups[ParameterGroup.wordEmbeddings].range.upperBound }

    /// No parameters yet: layers add theirs, then `place` gives them memory.
    public init() {
        storage = .allocate(capacity: 1)
    }

    deinit {
        if isAllocated { storage.pointee.gradientBases.deallocate() }
        storage.deallocate()
    }

    /// Begins a group; parameters that are added from here on belong to it.
    public func beginGroup(_ kind: ParameterGroup.Kind) {
        groups.append(ParameterGroup(kind: kind, parameters: []))
    }

    /// Adds a tensor to the last group.
    public func add(_ name: String, _ shape: Int...) -> Parameter {
        precondition(!isAllocated && !groups.isEmpty)
        let parameter = Parameter(name: name, shape: shape, offset: count, storage: storage)
        groups[groups.count - 1].parameters.append(parameter)
        count += parameter.count
        return parameter
    }

    /// What `gradientBuffers` buffers need, for word embeddings of which a batch touches at most `touchedWords`.
    public func sizes(gradientBuffers: Int, touchedWords: Int) -> ParameterSizes {
        ParameterSizes(
            values: count, gradients: count - gradientStart,
            wordGradients: touchedWords * groups[0].parameters[0].columns, bufferCount: gradientBuffers)
    }

    /// Places values and gradients in memory; no parameter can be added afterwards.
    public func place(in memory: ParameterMemory) {
        precondition(!isAllocated)
        self.memory = memory
        gradientBufferCount = memory.gradients.count
        let bases = UnsafeMutablePointer<UnsafeMutablePointer<Float>>.allocate(capacity: max(1, gradientBufferCount))
        for (index, buffer) in memory.gradients.enumerated() { bases[index] = buffer - gradientStart }
        storage.initialize(to: Storage(values: memory.values, gradientBases: bases))
    }

    /// All values in the flat layout.
    public var values: UnsafeMutablePointer<Float> { storage.pointee.values }

    /// The gradient sum of subtree `index`, addressed in the flat layout; valid from the second group on.
    public func gradients(_ index: Int) -> UnsafeMutablePointer<Float> { storage.pointee.gradientBases[index] }

    /// All parameters of all groups.
    public var all: [Parameter] { groups.flatMap(\.parameters) }
}
