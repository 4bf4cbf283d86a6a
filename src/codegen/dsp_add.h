// ADD as one linear form of its two inputs, fitted and proved offline; the DSP kernel computes it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "codegen/kernel_set.h"
#include "graph/fixed_point.h"
#include "graph/operators.h"

namespace tinynas {

/// TensorFlow Lite's ADD of two int8 values.
struct AddArithmetic {
  QuantizedMultiplier first, second, output;
  std::int32_t first_zero_point = 0, second_zero_point = 0, output_zero_point = 0;
  [[nodiscard]] std::int32_t operator()(std::int32_t a, std::int32_t b) const;  // in [-128, 127]
};

/// That of a request's quantisations.
[[nodiscard]] AddArithmetic add_arithmetic(const KernelRequest& request);

/// A, B, C with ((a * A) >> 8) + ((b * B) >> 8) + C, >> 21 and saturated, equal to `add` for all 65,536 pairs; nullopt when
/// none of the candidates around the real factors (first / output, second / output) has such a C.
[[nodiscard]] std::optional<std::array<std::int64_t, 3>> fit_add(const AddArithmetic& add, double first_factor,
                                                                 double second_factor);

/// The same for a request: nullopt also where shapes, types or the clamp are not those of the fast kernel.
[[nodiscard]] std::optional<std::array<std::int64_t, 3>> fit_add(const KernelRequest& request, Activation activation);

}  // namespace tinynas
