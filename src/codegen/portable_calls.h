// The portable set, an operator each; portable_set.cc picks by the operator's kind.
#pragma once

#include <string>
#include <vector>

#include "codegen/kernel_call.h"
#include "graph/operators.h"

namespace tinynas {

/// A call of `function` with `params` of the engine's `header`, compiled from portable/`source`.
[[nodiscard]] KernelCall make_call(const std::string& function, const std::string& params, const std::string& header,
                                   const std::string& source);

/// InputError unless inputs (of layers: the first and the weights) and output are int8 or, where there is a body, s4.
void need_int8(const KernelRequest& request);
/// InputError unless `input` has the output's type, scale and zero point.
void need_same_quantization(const KernelRequest& request, const Tensor& input);

/// Whether the operator works row by row.
[[nodiscard]] bool in_rows(const KernelRequest& request);

/// Fields low and high: the range of an activation in the output's quantisation.
void add_range(KernelCall& call, const KernelRequest& request, Activation activation);

/// Weights [channels][depth] in blocks of four channels, block[depth][channels of the block], each group by itself;
/// `nibbles`: the channels of a block two to a byte.
[[nodiscard]] std::vector<std::int64_t> in_blocks(const std::vector<std::int64_t>& weights, std::int32_t channels,
                                                  std::int32_t groups, bool nibbles = false);
/// A matrix of `columns` columns, rows and columns exchanged.
[[nodiscard]] std::vector<std::int64_t> transposed(const std::vector<std::int64_t>& values, std::int32_t columns);

[[nodiscard]] KernelCall portable_call(const KernelRequest& request, const Conv2D& op);
[[nodiscard]] KernelCall portable_call(const KernelRequest& request, const DepthwiseConv2D& op);
[[nodiscard]] KernelCall portable_call(const KernelRequest& request, const TransposeConv& op);
[[nodiscard]] KernelCall portable_call(const KernelRequest& request, const FullyConnected& op);
[[nodiscard]] KernelCall portable_call(const KernelRequest& request, const AveragePool& op);
[[nodiscard]] KernelCall portable_call(const KernelRequest& request, const MaxPool& op);
[[nodiscard]] KernelCall portable_call(const KernelRequest& request, const Mean& op);
[[nodiscard]] KernelCall portable_call(const KernelRequest& request, const ReduceMax& op);
[[nodiscard]] KernelCall portable_call(const KernelRequest& request, const ArgMax& op);
[[nodiscard]] KernelCall portable_call(const KernelRequest& request, const Add& op);
[[nodiscard]] KernelCall portable_call(const KernelRequest& request, const Mul& op);
[[nodiscard]] KernelCall portable_call(const KernelRequest& request, const Softmax& op);
[[nodiscard]] KernelCall portable_call(const KernelRequest& request, const Logistic& op);
[[nodiscard]] KernelCall portable_call(const KernelRequest& request, const Tanh& op);
[[nodiscard]] KernelCall portable_call(const KernelRequest& request, const HardSwish& op);
[[nodiscard]] KernelCall portable_call(const KernelRequest& request, const LeakyRelu& op);
[[nodiscard]] KernelCall portable_call(const KernelRequest& request, const PRelu& op);
[[nodiscard]] KernelCall portable_call(const KernelRequest& request, const Quantize& op);
[[nodiscard]] KernelCall portable_call(const KernelRequest& request, const Dequantize& op);
[[nodiscard]] KernelCall portable_call(const KernelRequest& request, const Pad& op);
[[nodiscard]] KernelCall portable_call(const KernelRequest& request, const Reshape& op);
[[nodiscard]] KernelCall portable_call(const KernelRequest& request, const Transpose& op);
[[nodiscard]] KernelCall portable_call(const KernelRequest& request, const Concat& op);
[[nodiscard]] KernelCall portable_call(const KernelRequest& request, const ResizeNearest& op);
[[nodiscard]] KernelCall portable_call(const KernelRequest& request, const ResizeBilinear& op);

}  // namespace tinynas
