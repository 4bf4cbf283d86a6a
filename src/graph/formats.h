// Number formats: how many bits the weights of a convolution or fully connected operator take, how many the activations that
// it reads, and how values of 4 bits lie in memory.
//
// Two s4 values share a byte, the low nibble first: in constants without a gap, in activations row by row, each row (see
// row_count) padded to whole bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"

namespace tinynas {

/// Convolutions and fully connected: input 1 is the weights.
[[nodiscard]] bool has_weights(const Operator& op);

/// Bytes of a row of an activation, and of all its rows. Differs from byte_count for s4 rows of odd length alone.
[[nodiscard]] std::int64_t row_bytes(const Shape& shape, DType dtype);
[[nodiscard]] std::int64_t activation_bytes(const Shape& shape, DType dtype);

enum class Format : std::uint8_t {
  w8a8,
  w4a8,  // weights of 4 bits, -7..7, symmetric, a scale per output channel
  w4a4,  // and activations of 4 bits
};

[[nodiscard]] std::string_view format_name(Format format);
[[nodiscard]] std::optional<Format> parse_format(std::string_view name);
[[nodiscard]] std::vector<std::string> format_names(const std::vector<Format>& formats);
/// InputError for a name that is none.
[[nodiscard]] std::vector<Format> parse_formats(const std::vector<std::string>& names);
[[nodiscard]] std::int32_t weight_bits(Format format);
[[nodiscard]] std::int32_t input_bits(Format format);

/// `format` for every operator with weights, save that the weights of the first one and of the last fully connected one
/// stay at 8 bits unless `ends`. Parallel to the operators; what stands at operators without weights means nothing.
[[nodiscard]] std::vector<Format> uniform_formats(const Graph& graph, Format format, bool ends = false);

/// Bits of every activation (by tensor; 8 for all others), which its readers decide: 4 where all operators with weights that
/// read it want 4, an ADD alone wants its output's bits, pools and reshapes keep the bits that they read, anything else
/// wants
/// 8. Graph inputs and outputs have 8. A layer of format w4a4 whose input ends up with 8 bits computes as w4a8.
[[nodiscard]] std::vector<std::int32_t> activation_bits(const Graph& graph, const std::vector<Format>& formats);

/// A graph that describes sizes, int8, in the given formats: what quantize() will make of it.
[[nodiscard]] Graph in_formats(Graph graph, const std::vector<Format>& formats);
/// The same with every activation and all weights at 4 bits, ends included: how papers count "int4".
[[nodiscard]] Graph in_four_bits(Graph graph);

}  // namespace tinynas
