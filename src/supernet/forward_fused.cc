#include <ATen/ATen.h>

#include "supernet/forward.h"
#include "supernet/fused.h"

namespace tinynas {
namespace {

ConvUse cut(const at::Tensor& weight, const Norm& norm) {
  const std::int64_t channels = weight.size(0);
  return {weight, norm.gamma.narrow(0, 0, channels), norm.beta.narrow(0, 0, channels), norm.index};
}

}  // namespace

at::Tensor forward_fused(const Supernet& net, const at::Tensor& image, const NetworkUse& use,
                         const ForwardOptions& options) {
  const NormSource source{options.given, options.observed};
  const ElasticConv& stem = net.stem();
  at::Tensor x =
      fused_stem(image, cut(stem.view(use.stem, net.space().input_channels), stem.norm), net.space().stem.stride, source);
  for (const BlockUse& part : use.blocks) {
    const ElasticBottleneck& block = *part.block;
    BottleneckUse layers;
    if (part.expand) layers.expand = cut(block.expand.view(part.mid, part.in), block.expand.norm);
    layers.depthwise = cut(block.depthwise.view(part.mid, part.kernel), block.depthwise.norm);
    layers.project = cut(block.project.view(part.out, part.mid), block.project.norm);
    layers.stride = block.stride;
    layers.residual = part.residual;
    x = fused_bottleneck(x, layers, source);
  }
  std::int64_t channels = use.blocks.back().out;
  if (use.feature_mix > 0) {
    const ElasticConv& mix = net.feature_mix();
    x = fused_pointwise(x, cut(mix.view(use.feature_mix, channels), mix.norm), source);
    channels = use.feature_mix;
  }
  // [blocks, N, H, W, 16] -> [N, channels]
  x = x.mean(at::IntArrayRef{2, 3}).permute({1, 0, 2}).reshape({x.size(1), -1}).narrow(1, 0, channels);
  return at::linear(x, net.classifier_weight().narrow(1, 0, channels), net.classifier_bias());
}

}  // namespace tinynas
