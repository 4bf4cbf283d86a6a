// From a supernet to a network of its own: measured, folded, and as a Graph.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "supernet/supernet.h"

namespace tinynas {

/// Batch statistics of `arch`, averaged over batches of images (uint8 [N, R, R, C]). A subnet has no valid statistics until
/// it is measured like this (Once-for-All, section 3.3). `batches` must not be empty.
[[nodiscard]] BatchNormStats recalibrate(const Supernet& net, const Arch& arch, const std::vector<at::Tensor>& batches);

/// A convolution (or the classifier) with its BatchNorm folded in, by the operator's name in build_graph().
struct FoldedLayer {
  std::string name;
  at::Tensor weight;  // float, [Co, Ci, k, k], depthwise [C, 1, k, k], classifier [classes, C]
  at::Tensor bias;    // float [Co]
};

/// The layers of `arch` in the order of execution, kernel transforms baked in.
[[nodiscard]] std::vector<FoldedLayer> fold(const Supernet& net, const Arch& arch, const BatchNormStats& stats);

/// build_graph(space, arch) in float with the folded weights as constants (TensorFlow Lite's layouts). Its input is
/// (pixel - 128) / 128.
[[nodiscard]] Graph extract_graph(const Supernet& net, const Arch& arch, const BatchNormStats& stats);

/// The space that contains exactly `arch`: every block a stage of its own, in absolute channels.
[[nodiscard]] SearchSpace space_of_arch(const SearchSpace& space, const Arch& arch);

/// A network of its own with copies of the weights that `arch` uses, kernel transforms baked in, over space_of_arch().
[[nodiscard]] std::shared_ptr<Supernet> extract_net(const Supernet& net, const Arch& arch);

/// Names the constants of build_graph(space, arch) and fills them with `layers`, which stand in the order of execution.
[[nodiscard]] Graph fill_graph(const SearchSpace& space, const Arch& arch, const std::vector<FoldedLayer>& layers);

}  // namespace tinynas
