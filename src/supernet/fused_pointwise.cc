#include <torch/csrc/autograd/custom_function.h>

#include "supernet/fused_conv.h"
#include "supernet/normalise.h"

namespace tinynas {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct Geometry {
  bool stem = false;
  std::int64_t kernel = 1, stride = 1;
};

kernels::Windows windows_of(const at::Tensor& image, const Geometry& geometry) {
  kernels::Windows w;
  w.image = image.const_data_ptr<float>();
  w.height = static_cast<int>(image.size(1));
  w.width = static_cast<int>(image.size(2));
  w.channels = static_cast<int>(image.size(3));
  w.kernel = static_cast<int>(geometry.kernel);
  w.stride = static_cast<int>(geometry.stride);
  const int pad = w.kernel / 2;
  w.out_height = (w.height + 2 * pad - w.kernel) / w.stride + 1;
  w.out_width = (w.width + 2 * pad - w.kernel) / w.stride + 1;
  return w;
}

/// x: a blocked map, or the image [N, H, W, C] with weight [Co, k * k * C].
class ConvFunction : public torch::autograd::Function<ConvFunction> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight, const at::Tensor& gamma,
                            const at::Tensor& beta, const Geometry& geometry, std::size_t norm_index,
                            const NormSource& source) {
    kernels::Windows windows;
    at::Tensor y;
    if (geometry.stem) {
      windows = windows_of(x, geometry);
      y = make_map(weight.size(0), x.size(0), windows.out_height, windows.out_width);
    } else {
      y = make_map(weight.size(0), x.size(1), x.size(2), x.size(3));
    }
    const kernels::BlockedShape shape = shape_of(y);
    kernels::Rows rows{x.const_data_ptr<float>(), {}, geometry.stem ? &windows : nullptr};
    kernels::Sums sums;
    const int threads = at::get_num_threads();
    kernels::pointwise_forward(shape.rows(), rows, view_of(weight), y.mutable_data_ptr<float>(),
                               source.given ? nullptr : &sums, threads);
    const NormValues norm = norm_of({weight, gamma, beta, norm_index}, source, sums, shape.rows());
    at::Tensor z = at::empty_like(y);
    kernels::apply_affine(shape, y.const_data_ptr<float>(), norm.affine(true), nullptr, z.mutable_data_ptr<float>(),
                          threads);
    context->save_for_backward({x, weight, y, norm.values});
    context->saved_data["stem"] = geometry.stem;
    context->saved_data["kernel"] = geometry.kernel;
    context->saved_data["stride"] = geometry.stride;
    return z;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1], &y = saved[2];
    const Geometry geometry{context->saved_data["stem"].toBool(), context->saved_data["kernel"].toInt(),
                            context->saved_data["stride"].toInt()};
    const NormValues norm{saved[3]};
    const at::Tensor g = gradients[0].contiguous();
    const kernels::BlockedShape shape = shape_of(y);
    const int threads = at::get_num_threads();
    at::Tensor masked = at::empty_like(y);
    kernels::Sums sums;
    kernels::normal_gradient_sums(shape, g.const_data_ptr<float>(), y.const_data_ptr<float>(), norm.mean(),
                                  norm.affine(true), masked.mutable_data_ptr<float>(), sums, threads);
    const NormBackward back = norm_backward(sums, shape.rows(), norm, weight.size(0));
    kernels::Windows windows;
    if (geometry.stem) windows = windows_of(x, geometry);
    at::Tensor weight_gradient = at::empty(weight.sizes(), at::kFloat);
    at::Tensor x_gradient = geometry.stem ? at::Tensor() : at::empty_like(x);
    kernels::PointwiseBackward work;
    work.count = shape.rows();
    work.rows = {x.const_data_ptr<float>(), {}, geometry.stem ? &windows : nullptr};
    work.weight = view_of(weight);
    work.gradient = masked.const_data_ptr<float>();
    work.y = y.const_data_ptr<float>();
    work.norm = back.gradient();
    work.map_gradient = geometry.stem ? nullptr : x_gradient.mutable_data_ptr<float>();
    work.weight_gradient = weight_gradient.mutable_data_ptr<float>();
    kernels::pointwise_backward(work, threads);
    return {x_gradient, weight_gradient, back.gamma, back.beta, {}, {}, {}};
  }
};

}  // namespace

at::Tensor fused_stem(const at::Tensor& image, const ConvUse& conv, int stride, const NormSource& source) {
  // Rows of windows are [ky][kx][c], so the weight is brought into that order; it is small.
  const at::Tensor weight = conv.weight.permute({0, 2, 3, 1}).reshape({conv.weight.size(0), -1});
  return ConvFunction::apply(image.permute({0, 2, 3, 1}).contiguous(), weight, conv.gamma, conv.beta,
                             Geometry{true, conv.weight.size(2), stride}, conv.norm_index, source);
}

at::Tensor fused_pointwise(const at::Tensor& x, const ConvUse& conv, const NormSource& source) {
  return ConvFunction::apply(x, conv.weight, conv.gamma, conv.beta, Geometry{}, conv.norm_index, source);
}

}  // namespace tinynas
