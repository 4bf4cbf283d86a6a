// Sizes of tensors, and shape inference: the output shape of every operator follows from its inputs' shapes and its
// attributes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "graph/graph.h"

namespace tinynas {

/// No tensor may have more elements than this, nor more dimensions; what an InputError names when a file asks for it.
inline constexpr std::int64_t kMaxElements = (std::int64_t{1} << 31) - 1;
inline constexpr std::size_t kMaxRank = 8;

/// Product of the dimensions, 1 for a scalar. Dimensions below 1, too many elements or dimensions are an InputError.
[[nodiscard]] std::int64_t element_count(const Shape& shape);
/// Bytes of that many values; two s4 values share a byte, the last one may stand alone.
[[nodiscard]] std::int64_t byte_count(const Shape& shape, DType dtype);

/// Axis in 0..rank-1 of an axis counted from either end; InputError naming `place` when it is out of range.
[[nodiscard]] std::int32_t resolve_axis(std::int32_t axis, std::size_t rank, const std::string& place);

/// The shape that the operator's output must have. Input shapes must be known. Reshape, resizing and fully connected read
/// the wanted shape from the output tensor: a reshape may leave one dimension as -1, resizing reads [_, H, W, _], fully
/// connected keeps any shape of the right size whose last dimension is the number of outputs.
[[nodiscard]] Shape infer_output_shape(const Graph& graph, std::size_t op_index);

/// Sets the shapes of all operators' outputs, front to back. Throws InputError naming the operator, what was expected and
/// what came.
void infer_shapes(Graph& graph);

/// Indices of tensors in range, as many inputs as the operator takes, one output that no constant is. InputError otherwise.
void check_operands(const Graph& graph, std::size_t op_index);

}  // namespace tinynas
