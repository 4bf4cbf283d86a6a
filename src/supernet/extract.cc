#include "supernet/extract.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <cstring>
#include <unordered_map>

#include "graph/error.h"
#include "space/build_graph.h"
#include "space/sample.h"
#include "supernet/forward.h"
#include "supernet/train_step.h"

namespace tinynas {
namespace {

FoldedLayer fold_norm(std::string name, const at::Tensor& weight, const Norm& norm, const BatchNormStats& stats) {
  const std::int64_t channels = weight.size(0);
  const at::Tensor variance = stats.variance.at(norm.index).to(at::kDouble);
  const at::Tensor scale = norm.gamma.narrow(0, 0, channels).to(at::kDouble) / (variance + kNormEpsilon).sqrt();
  const at::Tensor mean = stats.mean.at(norm.index).to(at::kDouble);
  FoldedLayer layer;
  layer.name = std::move(name);
  layer.weight = (weight.to(at::kDouble) * scale.view({-1, 1, 1, 1})).to(at::kFloat);
  layer.bias = (norm.beta.narrow(0, 0, channels).to(at::kDouble) - mean * scale).to(at::kFloat);
  return layer;
}

/// The weight as TensorFlow Lite lays it out, contiguous on the CPU.
at::Tensor tflite_layout(const at::Tensor& weight, bool depthwise) {
  at::Tensor result = weight;
  if (depthwise) {
    result = weight.permute({1, 2, 3, 0});
  } else if (weight.dim() == 4) {
    result = weight.permute({0, 2, 3, 1});
  }
  return result.contiguous().cpu();
}

void set_constant(Tensor& tensor, const at::Tensor& value) {
  const Shape shape(value.sizes().begin(), value.sizes().end());
  if (shape != tensor.shape) throw InputError("[extract] " + tensor.name + ": the layer's shape is not the graph's");
  tensor.dtype = DType::f32;
  tensor.data.resize(value.nbytes());
  std::memcpy(tensor.data.data(), value.data_ptr<float>(), value.nbytes());
}

}  // namespace

BatchNormStats recalibrate(const Supernet& net, const Arch& arch, const std::vector<at::Tensor>& batches) {
  if (batches.empty()) throw InputError("[recalibrate] batches: expected at least one, got none");
  const c10::NoGradGuard no_grad;
  BatchNormStats total;
  for (const at::Tensor& batch : batches) {
    BatchNormStats observed;
    static_cast<void>(net.forward(normalise_images(batch), arch, {.observed = &observed}));
    if (total.mean.empty()) {
      total = std::move(observed);
      continue;
    }
    for (std::size_t i = 0; i < total.mean.size(); ++i) {
      if (!total.mean[i].defined()) continue;
      total.mean[i] += observed.mean[i];
      total.variance[i] += observed.variance[i];
    }
  }
  const double share = 1.0 / static_cast<double>(batches.size());
  for (std::size_t i = 0; i < total.mean.size(); ++i) {
    if (!total.mean[i].defined()) continue;
    total.mean[i] *= share;
    total.variance[i] *= share;
  }
  return total;
}

std::vector<FoldedLayer> fold(const Supernet& net, const Arch& arch, const BatchNormStats& stats) {
  const c10::NoGradGuard no_grad;
  const NetworkUse use = use_of(net, arch);
  std::vector<FoldedLayer> layers;
  layers.push_back(fold_norm("stem", net.stem().view(use.stem, net.space().input_channels), net.stem().norm, stats));
  for (const BlockUse& part : use.blocks) {
    const ElasticBottleneck& block = *part.block;
    if (part.expand) {
      layers.push_back(fold_norm(block.name + ".expand", block.expand.view(part.mid, part.in), block.expand.norm, stats));
    }
    layers.push_back(
        fold_norm(block.name + ".depthwise", block.depthwise.view(part.mid, part.kernel), block.depthwise.norm, stats));
    layers.push_back(fold_norm(block.name + ".project", block.project.view(part.out, part.mid), block.project.norm, stats));
  }
  std::int64_t features = use.blocks.back().out;
  if (use.feature_mix > 0) {
    layers.push_back(
        fold_norm("feature_mix", net.feature_mix().view(use.feature_mix, features), net.feature_mix().norm, stats));
    features = use.feature_mix;
  }
  layers.push_back({"classifier", net.classifier_weight().narrow(1, 0, features).detach().clone(),
                    net.classifier_bias().detach().clone()});
  return layers;
}

Graph fill_graph(const SearchSpace& space, const Arch& arch, const std::vector<FoldedLayer>& layers) {
  Graph graph = build_graph(space, arch);
  for (Tensor& tensor : graph.tensors) tensor.dtype = DType::f32;
  std::size_t next = 0;
  for (const Operator& op : graph.operators) {
    const bool depthwise = std::holds_alternative<DepthwiseConv2D>(op.kind);
    if (!depthwise && !std::holds_alternative<Conv2D>(op.kind) && !std::holds_alternative<FullyConnected>(op.kind)) continue;
    const FoldedLayer& layer = layers.at(next++);
    set_constant(graph.tensors[op.inputs[1]], tflite_layout(layer.weight, depthwise));
    set_constant(graph.tensors[op.inputs[2]], layer.bias.contiguous().cpu());
  }
  if (next != layers.size()) throw InputError("[extract] the graph has fewer layers than the subnet");
  return graph;
}

Graph extract_graph(const Supernet& net, const Arch& arch, const BatchNormStats& stats) {
  return fill_graph(net.space(), arch, fold(net, arch, stats));
}

SearchSpace space_of_arch(const SearchSpace& space, const Arch& arch) {
  SearchSpace result = space;
  result.resolutions = {arch.resolution};
  result.widths = {1.0};
  const auto scaled = [&](std::int32_t channels) { return scaled_channels(space, channels, arch.width); };
  result.stem.channels = scaled(space.stem.channels);
  result.first_block.channels = scaled(space.first_block.channels);
  if (space.feature_mix > 0) result.feature_mix = scaled(space.feature_mix);
  result.stages.clear();
  for (std::size_t s = 0; s < space.stages.size(); ++s) {
    const std::int32_t first = first_block_of(space, static_cast<std::int32_t>(s));
    for (std::int32_t b = 0; b < arch.depths[s]; ++b) {
      const BlockChoice& choice = arch.blocks[first + b];
      result.stages.push_back({.channels = scaled(space.stages[s].channels),
                               .stride = b == 0 ? space.stages[s].stride : 1,
                               .depths = {1},
                               .kernels = {choice.kernel},
                               .expansions = {choice.expansion}});
    }
  }
  return result;
}

namespace {

void copy_norm(const Norm& from, const Norm& to) {
  to.gamma.copy_(from.gamma.narrow(0, 0, to.gamma.size(0)));
  to.beta.copy_(from.beta.narrow(0, 0, to.beta.size(0)));
}

void copy_conv(const ElasticConv& from, const ElasticConv& to) {
  to.weight.copy_(from.view(to.weight.size(0), to.weight.size(1)));
  copy_norm(from.norm, to.norm);
}

}  // namespace

std::shared_ptr<Supernet> extract_net(const Supernet& net, const Arch& arch) {
  const c10::NoGradGuard no_grad;
  const NetworkUse use = use_of(net, arch);
  auto result = std::make_shared<Supernet>(space_of_arch(net.space(), arch), net.options());
  result->to(net.classifier_bias().device());
  copy_conv(net.stem(), result->stem());
  for (std::size_t i = 0; i < use.blocks.size(); ++i) {
    const ElasticBottleneck& from = *use.blocks[i].block;
    const ElasticBottleneck& to = result->blocks()[i];
    if (use.blocks[i].expand) copy_conv(from.expand, to.expand);
    to.depthwise.weight.copy_(from.depthwise.view(use.blocks[i].mid, use.blocks[i].kernel));
    copy_norm(from.depthwise.norm, to.depthwise.norm);
    copy_conv(from.project, to.project);
  }
  if (use.feature_mix > 0) copy_conv(net.feature_mix(), result->feature_mix());
  result->classifier_weight().copy_(net.classifier_weight().narrow(1, 0, result->classifier_weight().size(1)));
  result->classifier_bias().copy_(net.classifier_bias());
  return result;
}

}  // namespace tinynas
