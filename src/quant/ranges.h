// From statistics to the range that the levels of an integer type shall cover.
#pragma once

#include <cstdint>

#include "quant/calibrate.h"

namespace tinynas {

enum class RangeMethod : std::uint8_t {
  min_max,     // the extremes over all calibration inputs
  average,     // each input's extremes, averaged
  percentile,  // all but the outermost (100 − p) %, half of it at each end
  mse,         // the range of least mean squared error, by search over both ends
};

/// Closed real range; holds zero.
struct RealRange {
  double low = 0, high = 0;
};

struct RangeOptions {
  RangeMethod method = RangeMethod::mse;
  double percentile = 99.99;  // in (50, 100], of RangeMethod::percentile
  std::int32_t bits = 8;      // of the values, for RangeMethod::mse
};

/// The range of one tensor; zero is included.
[[nodiscard]] RealRange choose_range(const ActivationStatistics& statistics, const RangeOptions& options);

/// Scale and zero point of a signed tensor of `bits` bits whose values lie in `range`: real = scale · (q − zero_point), zero
/// exactly representable, the least value (−128, −8) its zero point where the range starts at zero.
[[nodiscard]] Quantization asymmetric(RealRange range, std::int32_t bits = 8);

}  // namespace tinynas
