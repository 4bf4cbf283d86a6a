#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "supernet/forward.h"

namespace tinynas {
namespace {

class PlainForward {
 public:
  PlainForward(const Supernet& net, const at::Tensor& image, const ForwardOptions& options)
      : net_(net), options_(options), many_shapes_(image.is_cuda() && net.is_elastic()) {}

  at::Tensor run(const at::Tensor& image, const NetworkUse& use) const {
    const std::int64_t kernel = net_.space().stem.kernel;
    at::Tensor x =
        at::conv2d(image, net_.stem().view(use.stem, net_.space().input_channels), {}, net_.space().stem.stride, kernel / 2);
    x = activate(normalise(x, net_.stem().norm, use.stem));
    for (const BlockUse& block : use.blocks) x = bottleneck(x, block);
    if (use.feature_mix > 0) {
      x = pointwise(x, net_.feature_mix().view(use.feature_mix, x.size(1)));
      x = activate(normalise(x, net_.feature_mix().norm, use.feature_mix));
    }
    x = x.mean(at::IntArrayRef{2, 3});
    return at::linear(x, leading(net_.classifier_weight(), 1, x.size(1)), net_.classifier_bias());
  }

 private:
  static at::Tensor activate(const at::Tensor& x) { return at::hardtanh(x, 0.0, 6.0); }

  // cuDNN compiles kernels for every new shape, up to seconds each: good for one network, but a supernet has thousands of
  // shapes, which go to cuBLAS and to PyTorch's own depthwise kernels (those read NCHW).
  at::Tensor pointwise(const at::Tensor& x, const at::Tensor& weight) const {
    if (!many_shapes_) return at::conv2d(x, weight);
    const at::Tensor pixels = x.permute({0, 2, 3, 1});
    const at::Tensor y = at::mm(pixels.reshape({-1, x.size(1)}), weight.flatten(1).t());
    return y.view({x.size(0), x.size(2), x.size(3), -1}).permute({0, 3, 1, 2});
  }

  at::Tensor depthwise(const at::Tensor& x, const BlockUse& use) const {
    const at::Tensor weight = use.block->depthwise.view(use.mid, use.kernel);
    const auto convolve = [&](const at::Tensor& in) {
      return at::conv2d(in, weight, {}, use.block->stride, use.kernel / 2, 1, use.mid);
    };
    return many_shapes_ ? convolve(x.contiguous()).contiguous(at::MemoryFormat::ChannelsLast) : convolve(x);
  }

  at::Tensor bottleneck(const at::Tensor& x, const BlockUse& use) const {
    const ElasticBottleneck& block = *use.block;
    at::Tensor y = x;
    if (use.expand) {
      y = pointwise(y, block.expand.view(use.mid, use.in));
      y = activate(normalise(y, block.expand.norm, use.mid));
    }
    y = depthwise(y, use);
    y = activate(normalise(y, block.depthwise.norm, use.mid));
    y = pointwise(y, block.project.view(use.out, use.mid));
    y = normalise(y, block.project.norm, use.out);
    return use.residual ? x + y : y;
  }

  at::Tensor normalise(const at::Tensor& x, const Norm& norm, std::int64_t channels) const {
    const at::Tensor gamma = leading(norm.gamma, 0, channels);
    const at::Tensor beta = leading(norm.beta, 0, channels);
    if (options_.given != nullptr) {
      return at::batch_norm(x, gamma, beta, options_.given->mean.at(norm.index), options_.given->variance.at(norm.index),
                            /*training=*/false, 0.0, kNormEpsilon, false);
    }
    if (options_.observed != nullptr) {
      const c10::NoGradGuard no_grad;
      const auto [variance, mean] = at::var_mean(x.to(at::kFloat), at::IntArrayRef{0, 2, 3}, /*unbiased=*/false);
      options_.observed->mean[norm.index] = mean;
      options_.observed->variance[norm.index] = variance;
    }
    return at::batch_norm(x, gamma, beta, {}, {}, /*training=*/true, 0.0, kNormEpsilon, false);
  }

  const Supernet& net_;
  const ForwardOptions& options_;
  bool many_shapes_;
};

}  // namespace

at::Tensor forward_plain(const Supernet& net, const at::Tensor& x, const NetworkUse& use, const ForwardOptions& options) {
  return PlainForward(net, x, options).run(x, use);
}

}  // namespace tinynas
