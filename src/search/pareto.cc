#include "search/pareto.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <string>

#include "graph/error.h"

namespace tinynas {
namespace {

/// Slices along the last objective: between two neighbouring values the volume is that of one objective less.
double volume(std::vector<Objectives> points, const Objectives& reference, std::size_t objectives) {
  if (points.empty()) return 0;
  const std::size_t last = objectives - 1;
  if (objectives == 1) {
    double best = reference[0];
    for (const Objectives& point : points) best = std::min(best, point[0]);
    return reference[0] - best;
  }
  std::sort(points.begin(), points.end(), [last](const Objectives& a, const Objectives& b) { return a[last] < b[last]; });
  double sum = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const double upper = i + 1 < points.size() ? points[i + 1][last] : reference[last];
    const double height = upper - points[i][last];
    if (height <= 0) continue;
    const std::vector<Objectives> slice(points.begin(), points.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    sum += height * volume(slice, reference, last);
  }
  return sum;
}

}  // namespace

bool dominates(const Objectives& a, const Objectives& b) {
  bool better = false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] > b[i]) return false;
    better = better || a[i] < b[i];
  }
  return better;
}

std::vector<std::size_t> pareto_front(std::span<const Objectives> points) {
  std::vector<std::size_t> front;
  for (std::size_t i = 0; i < points.size(); ++i) {
    bool beaten = false;
    for (std::size_t k = 0; k < points.size() && !beaten; ++k) {
      beaten = dominates(points[k], points[i]) || (k < i && points[k] == points[i]);
    }
    if (!beaten) front.push_back(i);
  }
  return front;
}

std::vector<std::size_t> pareto_ranks(std::span<const Objectives> points) {
  std::vector<std::size_t> ranks(points.size(), 0), left(points.size());
  std::iota(left.begin(), left.end(), std::size_t{0});
  for (std::size_t rank = 0; !left.empty(); ++rank) {
    std::vector<std::size_t> beaten;
    for (const auto i : left) {
      const bool loses = std::any_of(left.begin(), left.end(), [&](auto k) { return dominates(points[k], points[i]); });
      ranks[i] = rank;
      if (loses) beaten.push_back(i);
    }
    left = std::move(beaten);
  }
  return ranks;
}

std::vector<double> crowding(std::span<const Objectives> points) {
  std::vector<double> distance(points.size(), 0.0);
  std::vector<std::size_t> order(points.size());
  for (std::size_t m = 0; !points.empty() && m < points[0].size(); ++m) {
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return points[a][m] < points[b][m]; });
    const double range = points[order.back()][m] - points[order.front()][m];
    distance[order.front()] = distance[order.back()] = std::numeric_limits<double>::infinity();
    for (std::size_t i = 1; range > 0 && i + 1 < order.size(); ++i) {
      distance[order[i]] += (points[order[i + 1]][m] - points[order[i - 1]][m]) / range;
    }
  }
  return distance;
}

double hypervolume(std::span<const Objectives> points, const Objectives& reference) {
  std::vector<Objectives> inside;
  for (const auto i : pareto_front(points)) {
    const Objectives& point = points[i];
    if (point.size() != reference.size()) {
      throw InputError("[hypervolume] expected points of " + std::to_string(reference.size()) + " objectives, got " +
                       std::to_string(point.size()));
    }
    bool within = true;
    for (std::size_t m = 0; m < point.size(); ++m) within = within && point[m] < reference[m];
    if (within) inside.push_back(point);
  }
  return reference.empty() ? 0 : volume(std::move(inside), reference, reference.size());
}

}  // namespace tinynas
