// Accuracies of many subnets, without computing twice what they share.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <functional>
#include <vector>

#include "supernet/supernet.h"

namespace tinynas {

/// Pictures at one resolution: uint8 [N, R, R, C] each, on the CPU.
struct MeasuringPictures {
  std::vector<at::Tensor> calibration;  // training pictures, for the BatchNorm statistics
  std::vector<at::Tensor> pictures;     // what accuracy is measured on
  std::vector<at::Tensor> labels;       // int64 [N], as many as `pictures`
};

/// Fraction of the pictures that each arch classifies correctly, with BatchNorm statistics measured as recalibrate() does.
/// All archs must have the pictures' resolution. Statistics and maps after a block depend on the choices up to it alone, so
/// the archs are visited in the order of their choices, and each goes on from the deepest block that it shares with the one
/// before: the same numbers as one by one. `done(index, accuracy)` is called after each, in the order of the visits; false
/// stops. Holds the maps of all pictures at several depths. InputError without pictures.
void measure_subnets(const Supernet& net, const std::vector<Arch>& archs, const MeasuringPictures& data,
                     const std::function<bool(std::size_t, double)>& done);

}  // namespace tinynas
