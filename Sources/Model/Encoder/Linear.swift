import Kernels

/// y = x·Wᵀ + b
public struct Linear {
    let weight: Parameter  // [out, in]
    let bias: Parameter  // [out]

    init(_ name: String, inputs: Int, outputs: Int, in parameters: Parameters) {
        weight = parameters.add("\(name).weight", outputs, inputs)
        bias = parameters.add("\(name).bias", outputs)
    }

    init(weight: Parameter, bias: Parameter) {
        self.weight = weight
        self.bias = bias
    }

    /// y = x·Wᵀ, for callers that add the bias together with what follows.
    func forwardWithoutBias(_ x: Matrix, into y: Matrix) {
        multiply(x, weight.value, transposed: (false, true), into: y)
    }

    func forward(_ x: Matrix, into y: Matrix) {
        forwardWithoutBias(x, into: y)
        addBias(y, bias.pointer)
    }

    /// Writes the gradients of weight and bias.
    func backwardParameters(_ slices: RowSlices, _ dy: Matrix, input x: Matrix) {
        sumOuterProducts(slices, dy, x, into: weight.gradient)
        sumColumns(slices, dy, into: bias.gradient)
    }

    /// dx = dy·W, added to dx where `accumulating`.
    func backwardInput(_ dy: Matrix, into dx: Matrix, accumulating: Bool = false) {
        multiply(dy, weight.value, into: dx, accumulating: accumulating)
    }
}

/// The scale and shift of a LayerNorm; the normalisation itself is fused with what stands before it.
struct Normalization {
    let weight: Parameter  // [hidden]
    let bias: Parameter  // [hidden]

    init(_ name: String, size: Int, in parameters: Parameters) {
        weight = parameters.add("\(name).weight", size)
        bias = parameters.add("\(name).bias", size)
    }

    /// Writes the gradients of scale and shift.
    func backwardParameters(_ slices: RowSlices, _ dy: Matrix, normalized: Matrix) {
        sumColumnProducts(slices, dy, normalized, into: weight.gradient)
        sumColumns(slices, dy, into: bias.gradient)
    }
}
