// Pareto fronts and their hypervolume. Every objective is to be made small (give accuracy as its negative).
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace tinynas {

using Objectives = std::vector<double>;

/// `a` is nowhere worse than `b` and somewhere better.
[[nodiscard]] bool dominates(const Objectives& a, const Objectives& b);

/// Indices of the points that no other dominates, ascending; of equal points the first.
[[nodiscard]] std::vector<std::size_t> pareto_front(std::span<const Objectives> points);

/// Rank of every point: 0 for the front, 1 for the front without rank 0, ... (Deb et al., NSGA-II, 2002).
[[nodiscard]] std::vector<std::size_t> pareto_ranks(std::span<const Objectives> points);

/// Crowding distance of NSGA-II within the given points; infinite at the ends of each objective.
[[nodiscard]] std::vector<double> crowding(std::span<const Objectives> points);

/// Volume of what the points dominate within the box that ends at `reference`; exact, exponential in the number of
/// objectives only. Throws InputError when a point has another number of objectives than the reference.
[[nodiscard]] double hypervolume(std::span<const Objectives> points, const Objectives& reference);

}  // namespace tinynas
