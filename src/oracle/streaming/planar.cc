#include "oracle/streaming/planar.h"

#include <algorithm>

#include "graph/operators.h"
#include "oracle/kernels/dsp_bodies.h"
#include "oracle/kernels/scratch.h"

namespace tinynas {

bool planar_ring(const ScheduleInput& input, std::int32_t tensor) {
  const auto& rows = input.rows.tensor(tensor);
  if (input.options.prefer != Prefer::speed || kernel_set(input.options.core) != TN_SET_DSP) return false;
  if (rows.producer < 0 || rows.readers.empty()) return false;
  const auto operation = [&](std::int32_t op) -> const Operator& {
    return input.graph.operators[static_cast<std::size_t>(op)];
  };
  const Operator& producer = operation(rows.producer);
  return dsp_convolution(input.graph, producer) && fused_activation(producer.kind) != Activation::none &&
         std::all_of(rows.readers.begin(), rows.readers.end(),
                     [&](std::int32_t reader) { return dsp_depthwise(input.graph, operation(reader)); });
}

std::int64_t ring_row_bytes(const ScheduleInput& input, std::int32_t tensor) {
  if (!planar_ring(input, tensor)) return input.rows.tensor(tensor).row_bytes;
  const Shape& shape = input.graph.tensors[static_cast<std::size_t>(tensor)].shape;
  return std::int64_t{planar_plane_bytes(shape[2])} * shape[3];
}

}  // namespace tinynas
