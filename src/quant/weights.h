// Weights and biases of one operator, from float to int8 or int4 and int32.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "graph/graph.h"

namespace tinynas {

/// The axis of the output channels in the weights: 3 for depthwise convolutions, 0 for the others; none for operators
/// without weights.
[[nodiscard]] std::optional<std::int32_t> weight_axis(const OperatorKind& kind);

/// Values of an f32 constant; InputError when it has none, or one that is not finite.
[[nodiscard]] std::vector<float> float_values(const Tensor& tensor);

/// round(x / scale) + zero point, clamped to −128..127, one scale for all.
[[nodiscard]] std::vector<std::uint8_t> quantize_values(const std::vector<float>& values, const Quantization& q);

/// Quantises the weights (symmetric, `bits` of 8 or 4: −127..127 or −7..7, a scale per output channel, that of least mean
/// squared error with 4 bits) and the bias (int32, scale input · weight) of
/// operator `index`, whose input already has its scale. With `input_mean` (per channel of the input) the bias also takes up
/// the mean error of the rounded weights; an absent bias is added where that is not zero. InputError when weights are
/// computed.
void quantize_weights(Graph& graph, std::size_t index, std::int32_t bits, const std::vector<double>& input_mean);

}  // namespace tinynas
