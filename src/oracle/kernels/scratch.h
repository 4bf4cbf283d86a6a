// The engine's scratch formulas, asked for an operator of a graph.
#pragma once

#include <cstdint>
#include <string>

#include "graph/graph.h"
#include "oracle/plan.h"
#include "tinynas/scratch.h"

namespace tinynas {

/// The kernel set that a core runs: "cortex-m4", "cortex-m7", "cortex-m33", ...; empty: portable C. Throws InputError for a
/// name that is no Cortex-M core and not "host".
[[nodiscard]] tn_set kernel_set(const std::string& core);

/// Which formula holds for the operator.
[[nodiscard]] tn_kind kernel_kind(const Graph& graph, const Operator& op);

[[nodiscard]] tn_shape kernel_shape(const Graph& graph, const Operator& op, std::int32_t rows_at_once = 1);

/// Whether it is a depthwise operator that takes over its input's bytes; `output`: its buffer, null if it has none. Other
/// overlaps are the plan's affair.
[[nodiscard]] bool works_in_place(const Operator& op, const Buffer* output);

/// Whether the Helium kernels of int8 maps take the operator's: int8, or 4 bits that they widen (scratch_helium.h).
[[nodiscard]] bool helium_serves_maps(const Graph& graph, const Operator& op);

/// Bytes, a multiple of 4.
[[nodiscard]] std::int64_t kernel_scratch(const Graph& graph, const Operator& op, tn_set set, std::int32_t rows_at_once = 1);
/// One pixel at a time: portable bodies on every core.
[[nodiscard]] std::int64_t pixel_kernel_scratch(const Graph& graph, const Operator& op);

}  // namespace tinynas
