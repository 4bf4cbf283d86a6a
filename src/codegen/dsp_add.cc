#include "codegen/dsp_add.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "codegen/kernel_call.h"
#include "graph/shape.h"
#include "oracle/rows.h"

namespace tinynas {
namespace {

constexpr int kShift = 21;          // of the sum, engine/dsp/add.S
constexpr int kProductShift = 8;    // of each product
constexpr std::int64_t kStep = 20;  // of the search around the real factors: less than one part in a million
constexpr int kTries = 2;           // to each side

/// The addends that make factors (a, b) right: `v + c` must lie in [y << 21, (y + 1) << 21) unless y saturates.
struct Addends {
  std::int64_t low = std::numeric_limits<std::int32_t>::min(), high = std::numeric_limits<std::int32_t>::max();
};

Addends addends(const std::array<std::int32_t, 65536>& results, std::int64_t a, std::int64_t b) {
  Addends range;
  std::int64_t least = 0, most = 0;
  for (std::int64_t x = -128; x < 128; ++x) {
    for (std::int64_t y = -128; y < 128; ++y) {
      const std::int64_t v = ((a * x) >> kProductShift) + ((b * y) >> kProductShift);
      const std::int64_t result = results[static_cast<std::size_t>((x + 128) * 256 + y + 128)];
      if (result > -128) range.low = std::max(range.low, result * (std::int64_t{1} << kShift) - v);
      if (result < 127) range.high = std::min(range.high, (result + 1) * (std::int64_t{1} << kShift) - 1 - v);
      least = std::min(least, v);
      most = std::max(most, v);
    }
  }
  range.low = std::max(range.low, std::numeric_limits<std::int32_t>::min() - least);  // the sum stays within 32 bits
  range.high = std::min(range.high, std::numeric_limits<std::int32_t>::max() - most);
  return range;
}

}  // namespace

std::int32_t AddArithmetic::operator()(std::int32_t a, std::int32_t b) const {
  const auto scaled = [](std::int32_t value, std::int32_t zero, QuantizedMultiplier by) {
    return multiply_by_quantized_multiplier((value - zero) * (1 << 20), by);
  };
  const auto sum = scaled(a, first_zero_point, first) + scaled(b, second_zero_point, second);
  return std::clamp(multiply_by_quantized_multiplier(sum, output) + output_zero_point, -128, 127);
}

std::optional<std::array<std::int64_t, 3>> fit_add(const AddArithmetic& add, double first_factor, double second_factor) {
  constexpr int factor_bits = kShift + kProductShift;
  if (std::ldexp(std::max(first_factor, second_factor), factor_bits) > 2147480000.0) return std::nullopt;
  std::array<std::int32_t, 65536> results{};
  for (std::int32_t x = -128; x < 128; ++x) {
    for (std::int32_t y = -128; y < 128; ++y) results[static_cast<std::size_t>((x + 128) * 256 + y + 128)] = add(x, y);
  }
  const auto a0 = std::llround(std::ldexp(first_factor, factor_bits)),
             b0 = std::llround(std::ldexp(second_factor, factor_bits));
  for (int distance = 0; distance <= kTries; ++distance) {
    for (int i = -distance; i <= distance; ++i) {
      for (int j = -distance; j <= distance; ++j) {
        if (std::max(std::abs(i), std::abs(j)) != distance) continue;
        const std::int64_t a = a0 + i * kStep, b = b0 + j * kStep;
        const auto range = addends(results, a, b);
        if (range.low <= range.high) return std::array<std::int64_t, 3>{a, b, (range.low + range.high) / 2};
      }
    }
  }
  return std::nullopt;
}

std::optional<std::array<std::int64_t, 3>> fit_add(const KernelRequest& request, Activation activation) {
  const Tensor &first = input_of(request, 0), &second = input_of(request, 1), &output = output_of(request);
  const bool int8 = first.dtype == DType::s8 && second.dtype == DType::s8 && output.dtype == DType::s8;
  if (!int8 || first.shape != output.shape || second.shape != output.shape) return std::nullopt;
  if (row_mode(*request.graph, operator_of(request)) != RowMode::rows) return std::nullopt;
  const auto range = activation_range(activation, scale_of(output), zero_point_of(output), ClampRange{-128, 127});
  if (range.low != -128 || range.high != 127) return std::nullopt;
  const auto real = [](const Tensor& tensor) { return static_cast<double>(scale_of(tensor)); };
  return fit_add(add_arithmetic(request), real(first) / real(output), real(second) / real(output));
}

AddArithmetic add_arithmetic(const KernelRequest& request) {
  const Tensor &first = input_of(request, 0), &second = input_of(request, 1), &output = output_of(request);
  const auto a = static_cast<double>(scale_of(first)), b = static_cast<double>(scale_of(second));
  const double twice = 2 * std::max(a, b);
  return {quantize_multiplier(a / twice),
          quantize_multiplier(b / twice),
          quantize_multiplier(twice / (static_cast<double>(1 << 20) * static_cast<double>(scale_of(output)))),
          zero_point_of(first),
          zero_point_of(second),
          zero_point_of(output)};
}

}  // namespace tinynas
