// A once-for-all network: one set of weights that holds every network of a search space (Cai et al., Once-for-All, 2020).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "space/space.h"
#include "supernet/layers.h"

namespace tinynas {

/// Mean and (biased) variance per BatchNorm, by Norm::index; undefined where the arch they belong to has no such layer.
struct BatchNormStats {
  std::vector<at::Tensor> mean, variance;  // [channels of the arch]
};

struct SupernetOptions {
  bool kernel_transforms = true;  // false: smaller kernels are the plain centre crop
  std::uint64_t seed = 0;
};

/// How a forward pass normalises and computes.
struct ForwardOptions {
  const BatchNormStats* given = nullptr;  // normalise with these; without: with the batch's own statistics
  BatchNormStats* observed = nullptr;     // receives the batch's statistics (only without `given`)
  bool fused = true;                      // our own kernels on the CPU; false: PyTorch's operators
};

class Supernet {
 public:
  /// Kaiming-normal weights by seed; the last BatchNorm of every residual branch starts at zero. `space` must be valid.
  explicit Supernet(SearchSpace space, const SupernetOptions& options = {});

  /// Logits [N, classes] of the subnet `arch` for x [N, channels, R, R] (channels_last in memory on the CPU). Nothing
  /// about a subnet is kept between calls.
  [[nodiscard]] at::Tensor forward(const at::Tensor& x, const Arch& arch, const ForwardOptions& options = {}) const;

  /// All trainable tensors, always in the same order.
  [[nodiscard]] const std::vector<Parameter>& parameters() const { return parameters_; }
  [[nodiscard]] const SearchSpace& space() const { return space_; }
  [[nodiscard]] const SupernetOptions& options() const { return options_; }
  [[nodiscard]] std::size_t norms() const { return norms_; }
  /// Whether the space has more than one network.
  [[nodiscard]] bool is_elastic() const;

  [[nodiscard]] const ElasticConv& stem() const { return stem_; }
  /// The first block, then max(depths) blocks per stage.
  [[nodiscard]] const std::vector<ElasticBottleneck>& blocks() const { return blocks_; }
  [[nodiscard]] const ElasticConv& feature_mix() const { return feature_mix_; }
  [[nodiscard]] const at::Tensor& classifier_weight() const { return classifier_weight_; }  // [classes, C]
  [[nodiscard]] const at::Tensor& classifier_bias() const { return classifier_bias_; }

  /// Moves all weights; the gradients are dropped.
  void to(const at::Device& device);

 private:
  SearchSpace space_;
  SupernetOptions options_;
  std::vector<Parameter> parameters_;
  std::size_t norms_ = 0;
  ElasticConv stem_;
  std::vector<ElasticBottleneck> blocks_;
  ElasticConv feature_mix_;
  at::Tensor classifier_weight_, classifier_bias_;

  friend class SupernetBuilder;
};

/// One bottleneck as an arch uses it: which elastic block, and its sizes.
struct BlockUse {
  const ElasticBottleneck* block = nullptr;
  std::int32_t in = 0, mid = 0, out = 0, kernel = 3;
  bool expand = false, residual = false;
};

/// The sizes of every layer of `arch`, in the order of execution.
struct NetworkUse {
  std::int32_t stem = 0;
  std::vector<BlockUse> blocks;
  std::int32_t feature_mix = 0;  // 0: none
};

/// Throws InputError when `arch` is not a point of the space.
[[nodiscard]] NetworkUse use_of(const Supernet& net, const Arch& arch);

}  // namespace tinynas
