// What the activations of a float graph look like over calibration inputs.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "graph/graph.h"
#include "graph/interpreter.h"

namespace tinynas {

/// Statistics of one f32 activation over all calibration runs. Its histogram divides [minimum, maximum] into equal bins.
struct ActivationStatistics {
  static constexpr std::size_t kBins = 2048;

  float minimum = 0, maximum = 0;             // over everything
  double mean_minimum = 0, mean_maximum = 0;  // of each run's extremes, averaged
  std::vector<std::uint64_t> histogram;       // kBins counts; empty for a tensor that is no f32 activation
  std::vector<double> channel_mean;           // over the last dimension's channels

  [[nodiscard]] double bin_centre(std::size_t bin) const {
    return minimum + (static_cast<double>(bin) + 0.5) * (static_cast<double>(maximum) - minimum) / kBins;
  }
};

/// Runs the float interpreter over `inputs` (one Bytes per graph input for every run), twice: first for the extremes, then
/// for the histograms. By tensor index. Independent of the number of threads (0: all cores). InputError without inputs, and
/// for values that are not finite.
[[nodiscard]] std::vector<ActivationStatistics> calibrate(const Graph& graph, const std::vector<std::vector<Bytes>>& inputs,
                                                          std::size_t threads);

}  // namespace tinynas
