#include "supernet/measure.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>

#include "graph/error.h"
#include "supernet/forward.h"
#include "supernet/train_step.h"

namespace tinynas {
namespace {

/// All pictures after some layer: those for the statistics, normalised with their own batch's, and those for the accuracy.
struct Maps {
  std::vector<at::Tensor> calibration, pictures;
  BatchNormStats statistics;  // of the layers so far
};

using Choice = std::tuple<std::int32_t, std::ptrdiff_t, std::int32_t, std::int32_t, std::int32_t>;

/// What decides the maps after the stem and after each block, in this order.
std::vector<Choice> choices_of(const Supernet& net, const NetworkUse& use) {
  std::vector<Choice> result{{use.stem, -1, 0, 0, 0}};
  for (const BlockUse& part : use.blocks) {
    result.emplace_back(part.out, part.block - net.blocks().data(), part.kernel, part.mid, part.in);
  }
  return result;
}

std::size_t shared_length(const std::vector<Choice>& a, const std::vector<Choice>& b) {
  const auto ends = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  return static_cast<std::size_t>(ends.first - a.begin());
}

/// One layer (or a block) over all pictures: each calibration batch with its own statistics, whose averages then serve the
/// others.
template <typename Layer>
void advance(Maps& maps, const Layer& layer) {
  BatchNormStats& total = maps.statistics;
  const double share = 1.0 / static_cast<double>(maps.calibration.size());
  std::vector<bool> touched(total.mean.size(), false);
  for (at::Tensor& batch : maps.calibration) {
    BatchNormStats observed;
    observed.mean.resize(total.mean.size());
    observed.variance.resize(total.mean.size());
    batch = layer(batch, NormSource{nullptr, &observed});
    for (std::size_t i = 0; i < observed.mean.size(); ++i) {
      if (!observed.mean[i].defined()) continue;
      total.mean[i] = touched[i] ? total.mean[i] + observed.mean[i] : observed.mean[i];
      total.variance[i] = touched[i] ? total.variance[i] + observed.variance[i] : observed.variance[i];
      touched[i] = true;
    }
  }
  for (std::size_t i = 0; i < touched.size(); ++i) {
    if (!touched[i]) continue;
    total.mean[i] = total.mean[i] * share;
    total.variance[i] = total.variance[i] * share;
  }
  for (at::Tensor& batch : maps.pictures) batch = layer(batch, NormSource{&total, nullptr});
}

class Measurer {
 public:
  Measurer(const Supernet& net, const MeasuringPictures& data) : net_(net), data_(data) {}

  /// Depths are lengths of choices; `keep`: those that later archs go on from.
  double accuracy(const NetworkUse& use, std::size_t shared, const std::vector<std::size_t>& keep) {
    kept_.erase(kept_.upper_bound(shared), kept_.end());
    std::size_t depth = kept_.empty() ? 0 : kept_.rbegin()->first;
    Maps maps = depth == 0 ? start() : kept_.rbegin()->second;
    for (; depth <= use.blocks.size(); ++depth) {
      if (depth == 0) {
        advance(maps, [&](const at::Tensor& x, const NormSource& source) { return fused_first(net_, x, use, source); });
      } else {
        const BlockUse& block = use.blocks[depth - 1];
        advance(maps, [&](const at::Tensor& x, const NormSource& source) { return fused_block(x, block, source); });
      }
      if (std::find(keep.begin(), keep.end(), depth + 1) != keep.end()) kept_.emplace(depth + 1, maps);
    }
    if (use.feature_mix > 0) {
      advance(maps, [&](const at::Tensor& x, const NormSource& source) { return fused_mix(net_, x, use, source); });
    }
    return correct(maps, use) / static_cast<double>(pictures());
  }

 private:
  [[nodiscard]] Maps start() const {
    Maps maps;
    maps.statistics.mean.resize(net_.norms());
    maps.statistics.variance.resize(net_.norms());
    for (const at::Tensor& batch : data_.calibration) maps.calibration.push_back(normalise_images(batch));
    for (const at::Tensor& batch : data_.pictures) maps.pictures.push_back(normalise_images(batch));
    return maps;
  }

  [[nodiscard]] double correct(const Maps& maps, const NetworkUse& use) const {
    std::int64_t count = 0;
    for (std::size_t i = 0; i < maps.pictures.size(); ++i) {
      count += classify(net_, maps.pictures[i], use).argmax(1).eq(data_.labels[i]).sum().item<std::int64_t>();
    }
    return static_cast<double>(count);
  }

  [[nodiscard]] std::int64_t pictures() const {
    return std::accumulate(data_.labels.begin(), data_.labels.end(), std::int64_t{0},
                           [](std::int64_t sum, const at::Tensor& labels) { return sum + labels.numel(); });
  }

  const Supernet& net_;
  const MeasuringPictures& data_;
  std::map<std::size_t, Maps> kept_;  // by depth
};

}  // namespace

void measure_subnets(const Supernet& net, const std::vector<Arch>& archs, const MeasuringPictures& data,
                     const std::function<bool(std::size_t, double)>& done) {
  if (data.calibration.empty() || data.pictures.empty() || data.pictures.size() != data.labels.size()) {
    throw InputError("[measure] expected calibration pictures, and pictures with as many labels");
  }
  const c10::NoGradGuard no_grad;
  std::vector<NetworkUse> uses;
  std::vector<std::vector<Choice>> choices;
  for (const Arch& arch : archs) {
    uses.push_back(use_of(net, arch));
    choices.push_back(choices_of(net, uses.back()));
  }
  std::vector<std::size_t> order(archs.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return choices[a] < choices[b]; });
  Measurer measurer(net, data);
  for (std::size_t at = 0; at < order.size(); ++at) {
    const std::vector<Choice>& mine = choices[order[at]];
    std::vector<std::size_t> keep;
    std::size_t common = mine.size();
    for (std::size_t next = at + 1; next < order.size() && common > 0; ++next) {
      common = std::min(common, shared_length(mine, choices[order[next]]));
      if (keep.empty() || keep.back() != common) keep.push_back(common);
    }
    const std::size_t shared = at == 0 ? 0 : shared_length(mine, choices[order[at - 1]]);
    if (!done(order[at], measurer.accuracy(uses[order[at]], shared, keep))) return;
  }
}

}  // namespace tinynas
