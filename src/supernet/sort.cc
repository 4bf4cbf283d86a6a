#include "supernet/sort.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>

#include "graph/error.h"
#include "space/sample.h"

namespace tinynas {
namespace {

/// L1 norm per input channel.
at::Tensor read_strength(const at::Tensor& weight) {
  const at::Tensor flat = weight.detach().abs().to(at::kDouble).flatten(2 < weight.dim() ? 2 : 1);
  return weight.dim() > 2 ? flat.sum(at::IntArrayRef{0, 2}) : flat.sum(0);
}

/// A set of channels that stands for the same thing in every layer that it runs through.
struct ChannelGroup {
  std::vector<std::pair<at::Tensor, std::int64_t>> uses;  // parameter and its dimension
  at::Tensor importance;

  void reads(const at::Tensor& weight) {
    uses.emplace_back(weight, 1);
    const at::Tensor strength = read_strength(weight);
    importance = importance.defined() ? importance + strength : strength;
  }
  void writes(const ElasticConv& conv) {
    uses.emplace_back(conv.weight, 0);
    normalises(conv.norm);
  }
  void normalises(const Norm& norm) {
    uses.emplace_back(norm.gamma, 0);
    uses.emplace_back(norm.beta, 0);
  }
  void filters(const ElasticDepthwise& layer) {
    uses.emplace_back(layer.weight, 0);
    normalises(layer.norm);
  }
};

void append(const Supernet& net, const ChannelGroup& group, std::vector<Reorder>& orders) {
  const at::Tensor order = group.importance.argsort(/*stable=*/true, /*dim=*/0, /*descending=*/true);
  const auto& parameters = net.parameters();
  for (const auto& [tensor, dim] : group.uses) {
    const auto found = std::find_if(parameters.begin(), parameters.end(),
                                    [&tensor = tensor](const Parameter& p) { return p.value.is_same(tensor); });
    if (found == parameters.end()) throw InputError("[sort] a layer's tensor is not among the parameters");
    orders.push_back({static_cast<std::size_t>(found - parameters.begin()), dim, order});
  }
}

/// Sorts the mid channels of one block, or gives them to the group that it reads.
void sort_mid(const Supernet& net, const ElasticBottleneck& block, ChannelGroup& input, std::vector<Reorder>& orders) {
  if (block.has_expand) {
    input.reads(block.expand.weight);
    ChannelGroup mid;
    mid.writes(block.expand);
    mid.filters(block.depthwise);
    mid.reads(block.project.weight);
    append(net, mid, orders);
  } else {
    input.filters(block.depthwise);
    input.reads(block.project.weight);
  }
}

}  // namespace

std::vector<Reorder> importance_order(const Supernet& net, SortedChannels which) {
  const c10::NoGradGuard no_grad;
  const SearchSpace& space = net.space();
  const NetworkUse largest_use = use_of(net, largest(space, space.resolutions.back(), space.widths.back()));
  std::vector<Reorder> mid, outer;
  ChannelGroup group;
  group.writes(net.stem());
  for (const BlockUse& use : largest_use.blocks) {
    const ElasticBottleneck& block = *use.block;
    sort_mid(net, block, group, mid);
    if (!use.residual) {
      append(net, group, outer);
      group = {};
    }
    group.writes(block.project);
  }
  if (largest_use.feature_mix > 0) {
    group.reads(net.feature_mix().weight);
    append(net, group, outer);
    group = {};
    group.writes(net.feature_mix());
  }
  group.reads(net.classifier_weight());
  append(net, group, outer);
  if (which == SortedChannels::all) mid.insert(mid.end(), outer.begin(), outer.end());
  return mid;
}

void reorder(const std::vector<at::Tensor>& values, const std::vector<Reorder>& orders) {
  const c10::NoGradGuard no_grad;
  for (const Reorder& change : orders) {
    at::Tensor value = values.at(change.parameter);
    value.copy_(value.index_select(change.dim, change.order.to(value.device())));
  }
}

}  // namespace tinynas
