import Foundation
import Kernels

/// Ends the program with one sentence where the processor lacks what the kernels were compiled for; otherwise they would end it with SIGILL.
public func requireProcessor() {
    guard let feature = Processor.missingFeature() else { return }
    let name = String(cString: feature)
    StandardStream.error.say(
        "mtdnn: this processor lacks \(name); build with MTDNN_TARGET=native on it, or with MTDNN_TARGET=baseline")
    exit(1)
}
