#include "quant/ranges.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tinynas {
namespace {

constexpr double kLeastScale = 1e-8;  // of a tensor that is always zero

double steps_of(std::int32_t bits) { return static_cast<double>((1 << bits) - 1); }

double total_count(const ActivationStatistics& s) {
  double total = 0;
  for (const std::uint64_t count : s.histogram) total += static_cast<double>(count);
  return total;
}

RealRange percentile_range(const ActivationStatistics& s, double percentile) {
  const double total = total_count(s), outside = total * (100.0 - percentile) / 200.0;
  const auto edge = [&](std::size_t bin) {
    return s.minimum + static_cast<double>(bin) * (static_cast<double>(s.maximum) - s.minimum) / ActivationStatistics::kBins;
  };
  std::size_t first = 0, last = ActivationStatistics::kBins;
  for (double cut = 0; first < last; ++first) {
    cut += static_cast<double>(s.histogram[first]);
    if (cut > outside) break;
  }
  for (double cut = 0; last > first + 1; --last) {
    cut += static_cast<double>(s.histogram[last - 1]);
    if (cut > outside) break;
  }
  return {edge(first), edge(last)};
}

RealRange with_zero(RealRange r) { return {std::min(r.low, 0.0), std::max(r.high, 0.0)}; }

/// Mean squared error of rounding to the levels and clipping to the range, over the histogram.
double squared_error(const ActivationStatistics& s, RealRange r, std::int32_t bits) {
  const double step = std::max((r.high - r.low) / steps_of(bits), kLeastScale);
  const double rounding = step * step / 12.0;
  double error = 0;
  for (std::size_t b = 0; b < s.histogram.size(); ++b) {
    if (s.histogram[b] == 0) continue;
    const double x = s.bin_centre(b);
    const double outside = x < r.low ? r.low - x : x > r.high ? x - r.high : 0.0;
    // Exact zeros, the lower half of a ReLU's outputs, are rounded without error.
    error += static_cast<double>(s.histogram[b]) * (outside > 0 ? outside * outside : rounding);
  }
  return error;
}

RealRange mse_range(const ActivationStatistics& s, std::int32_t bits) {
  constexpr std::int32_t kSteps = 64;  // ends from a quarter of their full extent to all of it
  RealRange best = with_zero({s.minimum, s.maximum});
  const RealRange full = best;
  for (std::int32_t round = 0; round < 2; ++round) {  // each end in turn, twice
    for (double RealRange::*end : {&RealRange::high, &RealRange::low}) {
      RealRange candidate = best;
      double least = std::numeric_limits<double>::max();
      for (std::int32_t i = 0; i <= kSteps; ++i) {
        candidate.*end = full.*end * (1.0 - 0.75 * i / kSteps);
        const double error = squared_error(s, candidate, bits);
        if (error < least) {
          least = error;
          best.*end = candidate.*end;
        }
      }
    }
  }
  return best;
}

}  // namespace

RealRange choose_range(const ActivationStatistics& statistics, const RangeOptions& options) {
  switch (options.method) {
    case RangeMethod::average:
      return with_zero({statistics.mean_minimum, statistics.mean_maximum});
    case RangeMethod::percentile:
      return with_zero(percentile_range(statistics, options.percentile));
    case RangeMethod::mse:
      return mse_range(statistics, options.bits);
    case RangeMethod::min_max:
      break;
  }
  return with_zero({statistics.minimum, statistics.maximum});
}

Quantization asymmetric(RealRange range, std::int32_t bits) {
  const RealRange r = with_zero(range);
  const double scale = std::max((r.high - r.low) / steps_of(bits), kLeastScale);
  const double least = -static_cast<double>(1 << (bits - 1));
  const double zero = std::clamp(std::round(least - r.low / scale), least, -least - 1);
  return {{static_cast<float>(scale)}, {static_cast<std::int32_t>(zero)}, 0};
}

}  // namespace tinynas
