// Constants in Flash, as the generator packs them for the kernels that run a plan on a core.
#pragma once

#include <cstdint>
#include <vector>

#include "oracle/plan.h"
#include "oracle/streaming/schedule.h"

namespace tinynas {

/// Bytes of the constant arrays of every operator (weights, biases, requantisation, tables, constant operands) under `plan`
/// on the options' core, from shapes and, where there are any, zero points. Where weights decide, the usual case counts: on
/// DSP cores every channel has a partner (beyond 512 inputs of large weights one may not) and 4-bit weights of 4-bit maps
/// stand in groups of 96 inputs, weights of 16 bits are chosen wherever shapes allow them; on Helium no layer of int8
/// outputs needs the general requantisation.
[[nodiscard]] std::vector<std::int64_t> constant_bytes(const ScheduleInput& input, const Plan& plan);

/// Of every operator: no plan of `streaming` with these options takes less.
[[nodiscard]] std::vector<std::int64_t> least_constant_bytes(const ScheduleInput& input);

}  // namespace tinynas
