#include <ATen/ATen.h>

#include "supernet/forward.h"
#include "supernet/fused.h"

namespace tinynas {
namespace {

ConvUse cut(const at::Tensor& weight, const Norm& norm) {
  const std::int64_t channels = weight.size(0);
  return {weight, leading(norm.gamma, 0, channels), leading(norm.beta, 0, channels), norm.index};
}

}  // namespace

at::Tensor fused_first(const Supernet& net, const at::Tensor& image, const NetworkUse& use, const NormSource& source) {
  const ElasticConv& stem = net.stem();
  return fused_stem(image, cut(stem.view(use.stem, net.space().input_channels), stem.norm), net.space().stem.stride, source);
}

at::Tensor fused_block(const at::Tensor& x, const BlockUse& part, const NormSource& source) {
  const ElasticBottleneck& block = *part.block;
  BottleneckUse layers;
  if (part.expand) layers.expand = cut(block.expand.view(part.mid, part.in), block.expand.norm);
  layers.depthwise = cut(block.depthwise.view(part.mid, part.kernel), block.depthwise.norm);
  layers.project = cut(block.project.view(part.out, part.mid), block.project.norm);
  layers.stride = block.stride;
  layers.residual = part.residual;
  return fused_bottleneck(x, layers, source);
}

at::Tensor fused_mix(const Supernet& net, const at::Tensor& x, const NetworkUse& use, const NormSource& source) {
  const ElasticConv& mix = net.feature_mix();
  return fused_pointwise(x, cut(mix.view(use.feature_mix, use.blocks.back().out), mix.norm), source);
}

at::Tensor classify(const Supernet& net, const at::Tensor& x, const NetworkUse& use) {
  const std::int64_t channels = use.feature_mix > 0 ? use.feature_mix : use.blocks.back().out;
  // [blocks, N, H, W, 16] -> [N, channels]
  const at::Tensor means = x.mean(at::IntArrayRef{2, 3}).permute({1, 0, 2}).reshape({x.size(1), -1}).narrow(1, 0, channels);
  return at::linear(means, leading(net.classifier_weight(), 1, channels), net.classifier_bias());
}

at::Tensor forward_fused(const Supernet& net, const at::Tensor& image, const NetworkUse& use,
                         const ForwardOptions& options) {
  const NormSource source{options.given, options.observed};
  at::Tensor x = fused_first(net, image, use, source);
  for (const BlockUse& part : use.blocks) x = fused_block(x, part, source);
  if (use.feature_mix > 0) x = fused_mix(net, x, use, source);
  return classify(net, x, use);
}

}  // namespace tinynas
