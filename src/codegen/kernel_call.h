// Small builders that every kernel set uses to describe a call.
#pragma once

#include <string>
#include <utility>

#include "codegen/kernel_set.h"

namespace tinynas {

[[nodiscard]] inline const Tensor& tensor_at(const Graph& graph, std::int32_t index) {
  return graph.tensors[static_cast<std::size_t>(index)];
}
[[nodiscard]] inline const Operator& operator_of(const KernelRequest& request) {
  return request.graph->operators[static_cast<std::size_t>(request.op)];
}
[[nodiscard]] inline const Tensor& input_of(const KernelRequest& request, std::size_t position = 0) {
  return tensor_at(*request.graph, operator_of(request).inputs[position]);
}
[[nodiscard]] inline const Tensor& output_of(const KernelRequest& request) {
  return tensor_at(*request.graph, operator_of(request).outputs.front());
}

inline void add_field(KernelCall& call, std::string name, std::int64_t value) {
  call.fields.push_back({std::move(name), std::to_string(value)});
}

/// The zero point of a tensor that is quantised as a whole; 0 when it is not quantised.
[[nodiscard]] std::int32_t zero_point_of(const Tensor& tensor);
/// Its scale; InputError when it has none.
[[nodiscard]] float scale_of(const Tensor& tensor);

/// All that its type can hold.
[[nodiscard]] ClampRange type_range(const Tensor& tensor);

/// Values of the last dimension, and how many such pixels an output row (of a map) or the whole tensor (otherwise) has.
[[nodiscard]] std::int32_t channels_of(const Tensor& tensor);
[[nodiscard]] std::int32_t columns_of(const Tensor& tensor);

/// The fields of a tn_geometry at `prefix`. InputError when one does not fit 16 bits.
void add_geometry(KernelCall& call, const std::string& prefix, const KernelRequest& request);

/// Turns a portable call of rows into one that computes one pixel.
void compute_by_pixels(KernelCall& call, const KernelRequest& request);
/// Whether the call takes its input as pointers to a window's taps.
[[nodiscard]] bool reads_taps(const KernelCall& call);

/// InputError that names the operator and says what is not supported.
[[noreturn]] void refuse(const KernelRequest& request, const std::string& expected, const std::string& got);

}  // namespace tinynas
