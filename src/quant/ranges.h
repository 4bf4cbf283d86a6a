// From statistics to the range that 256 levels shall cover.
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

/// The range of one tensor; zero is included. `percentile` in (50, 100].
[[nodiscard]] RealRange choose_range(const ActivationStatistics& statistics, RangeMethod method, double percentile);

/// Scale and zero point of an s8 tensor whose values lie in `range`: real = scale · (q − zero_point), zero exactly
/// representable, −128 its zero point where the range starts at zero.
[[nodiscard]] Quantization asymmetric_s8(RealRange range);

}  // namespace tinynas
