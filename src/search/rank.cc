#include "search/rank.h"

#include <cmath>
#include <cstddef>

namespace tinynas {

double kendall_tau(std::span<const double> a, std::span<const double> b) {
  double concordance = 0, pairs_a = 0, pairs_b = 0;
  const auto sign = [](double x) { return (x > 0) - (x < 0); };
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t k = i + 1; k < a.size(); ++k) {
      const int order_a = sign(a[i] - a[k]), order_b = sign(b[i] - b[k]);
      concordance += order_a * order_b;
      pairs_a += order_a != 0;
      pairs_b += order_b != 0;
    }
  }
  return pairs_a > 0 && pairs_b > 0 ? concordance / std::sqrt(pairs_a * pairs_b) : 0;
}

double root_mean_square_error(std::span<const double> a, std::span<const double> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return a.empty() ? 0 : std::sqrt(sum / static_cast<double>(a.size()));
}

}  // namespace tinynas
