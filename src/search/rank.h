// How well predictions agree with measurements.
#pragma once

#include <span>

namespace tinynas {

/// Kendall's tau-b, in [-1, 1]: pairs ordered alike minus pairs ordered differently, ties corrected for; 0 when either side
/// is constant. The spans have equal length.
[[nodiscard]] double kendall_tau(std::span<const double> a, std::span<const double> b);

/// Root of the mean squared difference; 0 for empty spans.
[[nodiscard]] double root_mean_square_error(std::span<const double> a, std::span<const double> b);

}  // namespace tinynas
