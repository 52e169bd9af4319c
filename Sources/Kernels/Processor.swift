import CProcessor

/// The processor that the kernels run on.
public enum Processor {
    /// Name of an instruction set that the kernels were compiled for and this processor lacks, or nil.
    ///
    /// To be asked before any kernel is called; it uses none of those instructions itself.
    @inline(never)
    public static func missingFeature() -> UnsafePointer<CChar>? { processor_missing_feature() }
}
