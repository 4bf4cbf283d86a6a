#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "supernet/forward.h"

namespace tinynas {
namespace {

class PlainForward {
 public:
  PlainForward(const Supernet& net, const ForwardOptions& options) : net_(net), options_(options) {}

  at::Tensor run(const at::Tensor& image, const NetworkUse& use) const {
    const std::int64_t kernel = net_.space().stem.kernel;
    at::Tensor x =
        at::conv2d(image, net_.stem().view(use.stem, net_.space().input_channels), {}, net_.space().stem.stride, kernel / 2);
    x = activate(normalise(x, net_.stem().norm, use.stem));
    for (const BlockUse& block : use.blocks) x = bottleneck(x, block);
    if (use.feature_mix > 0) {
      x = at::conv2d(x, net_.feature_mix().view(use.feature_mix, x.size(1)));
      x = activate(normalise(x, net_.feature_mix().norm, use.feature_mix));
    }
    x = x.mean(at::IntArrayRef{2, 3});
    return at::linear(x, net_.classifier_weight().narrow(1, 0, x.size(1)), net_.classifier_bias());
  }

 private:
  static at::Tensor activate(const at::Tensor& x) { return at::hardtanh(x, 0.0, 6.0); }

  at::Tensor bottleneck(const at::Tensor& x, const BlockUse& use) const {
    const ElasticBottleneck& block = *use.block;
    at::Tensor y = x;
    if (use.expand) {
      y = at::conv2d(y, block.expand.view(use.mid, use.in));
      y = activate(normalise(y, block.expand.norm, use.mid));
    }
    y = at::conv2d(y, block.depthwise.view(use.mid, use.kernel), {}, block.stride, use.kernel / 2, 1, use.mid);
    y = activate(normalise(y, block.depthwise.norm, use.mid));
    y = at::conv2d(y, block.project.view(use.out, use.mid));
    y = normalise(y, block.project.norm, use.out);
    return use.residual ? x + y : y;
  }

  at::Tensor normalise(const at::Tensor& x, const Norm& norm, std::int64_t channels) const {
    const at::Tensor gamma = norm.gamma.narrow(0, 0, channels);
    const at::Tensor beta = norm.beta.narrow(0, 0, channels);
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
};

}  // namespace

at::Tensor forward_plain(const Supernet& net, const at::Tensor& x, const NetworkUse& use, const ForwardOptions& options) {
  return PlainForward(net, options).run(x, use);
}

}  // namespace tinynas
