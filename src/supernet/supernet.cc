#include "supernet/supernet.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "graph/error.h"
#include "space/build_graph.h"
#include "space/validate.h"
#include "supernet/forward.h"

namespace tinynas {

/// Makes the weights, layer by layer.
class SupernetBuilder {
 public:
  explicit SupernetBuilder(Supernet& net)
      : net_(net), space_(net.space_), generator_(at::detail::createCPUGenerator(net.options_.seed)) {}

  void build() {
    const double width = space_.widths.back();
    const auto scaled = [&](std::int32_t channels) { return scaled_channels(space_, channels, width); };
    std::int32_t in = scaled(space_.stem.channels);
    net_.stem_ = conv("stem", in, space_.input_channels, space_.stem.kernel, 1.0F);
    const FirstBlock& first = space_.first_block;
    add_block("first", {in, scaled(first.channels), first.stride}, {first.kernel}, {first.expansion});
    in = scaled(first.channels);
    for (std::size_t s = 0; s < space_.stages.size(); ++s) {
      const Stage& stage = space_.stages[s];
      for (std::int32_t b = 0; b < stage.depths.back(); ++b) {
        add_block("stages." + std::to_string(s) + ".blocks." + std::to_string(b),
                  {in, scaled(stage.channels), b == 0 ? stage.stride : 1}, stage.kernels, stage.expansions);
        in = scaled(stage.channels);
      }
    }
    if (space_.feature_mix > 0) {
      net_.feature_mix_ = conv("feature_mix", scaled(space_.feature_mix), in, 1, 1.0F);
      in = scaled(space_.feature_mix);
    }
    net_.classifier_weight_ = add("classifier.weight", normal({space_.classes, in}, 0.01), true);
    net_.classifier_bias_ = add("classifier.bias", at::zeros({space_.classes}), false);
  }

 private:
  struct BlockSizes {
    std::int32_t in, out, stride;
  };

  at::Tensor normal(at::IntArrayRef shape, double deviation) { return at::empty(shape).normal_(0.0, deviation, generator_); }

  at::Tensor add(std::string name, at::Tensor value, bool decay) {
    value.set_requires_grad(true);
    net_.parameters_.push_back({std::move(name), value, decay});
    return value;
  }

  Norm norm(const std::string& name, std::int64_t channels, float gamma) {
    return {add(name + ".norm.gamma", at::full({channels}, gamma), false),
            add(name + ".norm.beta", at::zeros({channels}), false), net_.norms_++};
  }

  ElasticConv conv(const std::string& name, std::int64_t out, std::int64_t in, std::int64_t kernel, float gamma) {
    const double deviation = std::sqrt(2.0 / static_cast<double>(out * kernel * kernel));
    at::Tensor weight = add(name + ".weight", normal({out, in, kernel, kernel}, deviation), true);
    return {weight, norm(name, out, gamma)};
  }

  ElasticDepthwise depthwise(const std::string& name, std::int64_t channels, const std::vector<std::int32_t>& kernels) {
    ElasticDepthwise layer;
    layer.kernels = kernels;
    const std::int64_t k = kernels.back();
    // The variance of a middle kernel: the small kernels see only the centre of the large one.
    const double taps = std::max<double>(9.0, static_cast<double>(kernels.front() * k));
    layer.weight = add(name + ".weight", normal({channels, 1, k, k}, std::sqrt(2.0 / taps)), true);
    for (std::size_t i = 0; net_.options_.kernel_transforms && i + 1 < kernels.size(); ++i) {
      const std::int64_t taps_of_smaller = kernels[i] * kernels[i];
      layer.transforms.push_back(add(name + ".transforms." + std::to_string(i), at::eye(taps_of_smaller), false));
    }
    layer.norm = norm(name, channels, 1.0F);
    return layer;
  }

  void add_block(const std::string& name, const BlockSizes& sizes, const std::vector<std::int32_t>& kernels,
                 const std::vector<std::int32_t>& expansions) {
    ElasticBottleneck block;
    block.name = name;
    block.stride = sizes.stride;
    block.has_expand = expansions.back() > 1;
    const std::int32_t mid = mid_channels(space_, sizes.in, expansions.back());
    if (block.has_expand) block.expand = conv(name + ".expand", mid, sizes.in, 1, 1.0F);
    block.depthwise = depthwise(name + ".depthwise", mid, kernels);
    const bool residual = sizes.stride == 1 && sizes.in == sizes.out;
    block.project = conv(name + ".project", sizes.out, mid, 1, residual ? 0.0F : 1.0F);
    net_.blocks_.push_back(std::move(block));
  }

  Supernet& net_;
  const SearchSpace& space_;
  at::Generator generator_;
};

Supernet::Supernet(SearchSpace space, const SupernetOptions& options) : space_(std::move(space)), options_(options) {
  SupernetBuilder(*this).build();
}

at::Tensor Supernet::forward(const at::Tensor& x, const Arch& arch, const ForwardOptions& options) const {
  const NetworkUse use = use_of(*this, arch);
  if (options.observed != nullptr) {
    options.observed->mean.assign(norms_, at::Tensor());
    options.observed->variance.assign(norms_, at::Tensor());
  }
  const bool differentiated = c10::GradMode::is_enabled() && options.given != nullptr;
  const bool fused = options.fused && !differentiated && x.is_cpu() && x.scalar_type() == at::kFloat;
  return fused ? forward_fused(*this, x, use, options) : forward_plain(*this, x, use, options);
}

bool Supernet::is_elastic() const {
  return space_.resolutions.size() > 1 || space_.widths.size() > 1 ||
         std::any_of(space_.stages.begin(), space_.stages.end(), [](const Stage& stage) {
           return stage.depths.size() > 1 || stage.kernels.size() > 1 || stage.expansions.size() > 1;
         });
}

void Supernet::to(const at::Device& device) {
  const c10::NoGradGuard no_grad;
  for (Parameter& parameter : parameters_) {
    parameter.value.set_data(parameter.value.to(device));
    parameter.value.mutable_grad() = at::Tensor();
  }
}

namespace {

void check_choice(const SearchSpace& space, const ElasticBottleneck& block, const BlockChoice& choice, std::int32_t in) {
  const bool expands = choice.expansion != 1;
  const std::int64_t most = block.depthwise.weight.size(0);
  if ((expands && !block.has_expand) || mid_channels(space, in, choice.expansion) > most) {
    throw InputError("[supernet] " + block.name + ": expected an expansion of at most " + std::to_string(most) +
                     " channels, got " + std::to_string(choice.expansion) + " x " + std::to_string(in));
  }
}

}  // namespace

NetworkUse use_of(const Supernet& net, const Arch& arch) {
  const SearchSpace& space = net.space();
  validate(space, arch);
  if (arch.width > space.widths.back()) {
    throw InputError("[supernet] width: expected at most " + std::to_string(space.widths.back()) + ", got " +
                     std::to_string(arch.width));
  }
  NetworkUse use;
  const auto scaled = [&](std::int32_t channels) { return scaled_channels(space, channels, arch.width); };
  std::int32_t in = use.stem = scaled(space.stem.channels);
  const auto append = [&](const ElasticBottleneck& block, const BlockChoice& choice, std::int32_t out) {
    check_choice(space, block, choice, in);
    use.blocks.push_back({&block, in, mid_channels(space, in, choice.expansion), out, choice.kernel, choice.expansion != 1,
                          block.stride == 1 && in == out});
    in = out;
  };
  const FirstBlock& first = space.first_block;
  append(net.blocks()[0], {first.kernel, first.expansion}, scaled(first.channels));
  std::size_t index = 0;
  for (std::size_t s = 0; s < space.stages.size(); ++s) {
    for (std::int32_t b = 0; b < arch.depths[s]; ++b) {
      append(net.blocks()[1 + index + b], arch.blocks[index + b], scaled(space.stages[s].channels));
    }
    index += space.stages[s].depths.back();
  }
  if (space.feature_mix > 0) use.feature_mix = scaled(space.feature_mix);
  return use;
}

}  // namespace tinynas
