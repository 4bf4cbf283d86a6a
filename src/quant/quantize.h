// Post-training quantisation: a float graph becomes an integer graph that computes nearly the same.
//
// Weights: symmetric, −127..127 or −7..7, one scale per output channel. Biases: int32 in the product of input and weight
// scale. Activations: asymmetric, 8 or 4 bits, one scale per tensor, from calibration; operators that only move or pool
// values keep their input's scale.
#pragma once

#include <cstddef>
#include <vector>

#include "graph/formats.h"
#include "graph/graph.h"
#include "graph/interpreter.h"
#include "quant/ranges.h"

namespace tinynas {

struct QuantizeOptions {
  RangeMethod range = RangeMethod::mse;
  double percentile = 99.99;  // for RangeMethod::percentile
  /// Inputs are pictures as x = (pixel − 128) / 128: scale 1/128, zero point 0, so that q = pixel − 128. False: calibrated.
  bool picture_input = true;
  /// Adds to each bias what rounding the weights takes from the output's mean, as the calibration inputs show it.
  bool bias_correction = true;
  std::size_t threads = 0;  // 0: all cores
  /// One per operator (graph/formats.h); empty: all w8a8.
  std::vector<Format> formats = {};
};

/// The quantised graph, with the same tensors and operators in the same order. `inputs`: one Bytes per graph input for every
/// calibration run. InputError for a graph that is not all f32, for weights that are computed, and for no or not finite
/// calibration values.
[[nodiscard]] Graph quantize(const Graph& graph, const std::vector<std::vector<Bytes>>& inputs,
                             const QuantizeOptions& options = {});

}  // namespace tinynas
