#include <torch/csrc/autograd/custom_function.h>

#include <array>

#include "supernet/depthwise.h"
#include "supernet/fused_conv.h"
#include "supernet/normalise.h"

namespace tinynas {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// [C, 1, k, k] -> [blocks, k * k, 16], zero padded.
at::Tensor pack_depthwise(const at::Tensor& weight) {
  const std::int64_t channels = weight.size(0), taps = weight.size(2) * weight.size(3);
  at::Tensor packed = at::zeros({kernels::blocks_of(static_cast<int>(channels)), taps, kernels::kLanes}, at::kFloat);
  const at::Tensor flat = weight.reshape({channels, taps}).contiguous();
  float* to = packed.mutable_data_ptr<float>();
  for (std::int64_t c = 0; c < channels; ++c) {
    for (std::int64_t t = 0; t < taps; ++t) {
      to[((c / kernels::kLanes) * taps + t) * kernels::kLanes + c % kernels::kLanes] =
          flat.const_data_ptr<float>()[c * taps + t];
    }
  }
  return packed;
}

at::Tensor unpack_depthwise(const at::Tensor& packed, const at::Tensor& weight) {
  const std::int64_t channels = weight.size(0);
  return packed.permute({0, 2, 1}).reshape({-1, packed.size(1)}).narrow(0, 0, channels).reshape(weight.sizes()).contiguous();
}

/// What a pass through the block leaves behind.
struct Maps {
  at::Tensor x, y1, y2, y3;            // y1 undefined without expansion
  at::Tensor norm1, norm2, norm3;      // NormValues
  at::Tensor expand, packed, project;  // weights; `packed`: of the depthwise convolution
};

kernels::DepthwiseWork depthwise_work(const Maps& maps, std::int64_t kernel, std::int64_t stride) {
  kernels::DepthwiseWork work;
  const at::Tensor& input = maps.y1.defined() ? maps.y1 : maps.x;
  work.in = shape_of(input);
  work.out = shape_of(maps.y2);
  work.kernel = static_cast<int>(kernel);
  work.stride = static_cast<int>(stride);
  work.x = input.const_data_ptr<float>();
  if (maps.y1.defined()) work.affine = NormValues{maps.norm1}.affine(true);
  work.weight = maps.packed.const_data_ptr<float>();
  work.threads = at::get_num_threads();
  return work;
}

struct Switches {
  std::int64_t stride = 1;
  bool residual = false;
  std::array<std::size_t, 3> norms{};
};

class BottleneckFunction : public torch::autograd::Function<BottleneckFunction> {
 public:
  /// w1, w2, w3: expand (empty: none), depthwise, project.
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& w1, const at::Tensor& gamma1,
                            const at::Tensor& beta1, const at::Tensor& w2, const at::Tensor& gamma2, const at::Tensor& beta2,
                            const at::Tensor& w3, const at::Tensor& gamma3, const at::Tensor& beta3,
                            const Switches& switches, const NormSource& source) {
    const int threads = at::get_num_threads();
    Maps maps;
    maps.x = x;
    maps.expand = w1;
    maps.project = w3;
    kernels::Sums sums;
    kernels::Sums* wanted = source.given ? nullptr : &sums;
    if (w1.numel() > 0) {
      maps.y1 = make_map(w1.size(0), x.size(1), x.size(2), x.size(3));
      const std::size_t rows = shape_of(x).rows();
      kernels::pointwise_forward(rows, {x.const_data_ptr<float>(), {}, nullptr}, view_of(w1),
                                 maps.y1.mutable_data_ptr<float>(), wanted, threads);
      maps.norm1 = norm_of({w1, gamma1, beta1, switches.norms[0]}, source, sums, rows).values;
    }
    const std::int64_t kernel = w2.size(2), pad = kernel / 2;
    const auto out_size = [&](std::int64_t size) { return (size + 2 * pad - kernel) / switches.stride + 1; };
    maps.y2 = make_map(w2.size(0), x.size(1), out_size(x.size(2)), out_size(x.size(3)));
    maps.packed = pack_depthwise(w2);
    kernels::depthwise_forward(depthwise_work(maps, kernel, switches.stride), maps.y2.mutable_data_ptr<float>(), wanted);
    const std::size_t rows = shape_of(maps.y2).rows();
    maps.norm2 = norm_of({w2, gamma2, beta2, switches.norms[1]}, source, sums, rows).values;
    maps.y3 = make_map(w3.size(0), x.size(1), maps.y2.size(2), maps.y2.size(3));
    kernels::pointwise_forward(rows, {maps.y2.const_data_ptr<float>(), NormValues{maps.norm2}.affine(true), nullptr},
                               view_of(w3), maps.y3.mutable_data_ptr<float>(), wanted, threads);
    const NormValues norm3 = norm_of({w3, gamma3, beta3, switches.norms[2]}, source, sums, rows);
    maps.norm3 = norm3.values;
    at::Tensor out = at::empty_like(maps.y3);
    kernels::apply_affine(shape_of(out), maps.y3.const_data_ptr<float>(), norm3.affine(false),
                          switches.residual ? x.const_data_ptr<float>() : nullptr, out.mutable_data_ptr<float>(), threads);
    context->save_for_backward(
        {maps.x, maps.y1, maps.y2, maps.y3, maps.norm1, maps.norm2, maps.norm3, w1, maps.packed, w3, w2});
    context->saved_data["kernel"] = kernel;
    context->saved_data["stride"] = switches.stride;
    context->saved_data["residual"] = switches.residual;
    return out;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const Maps maps{saved[0], saved[1], saved[2], saved[3], saved[4], saved[5], saved[6], saved[7], saved[8], saved[9]};
    const std::int64_t kernel = context->saved_data["kernel"].toInt(), stride = context->saved_data["stride"].toInt();
    const bool residual = context->saved_data["residual"].toBool();
    const at::Tensor g = gradients[0].contiguous();
    at::Tensor g2 = at::empty_like(maps.y2);
    variable_list result(12);
    kernels::Sums sums;
    back_through_project(maps, g, g2, sums, result);

    const kernels::DepthwiseWork work = depthwise_work(maps, kernel, stride);
    const NormBackward norm2 = norm_backward(sums, work.out.rows(), {maps.norm2}, saved[10].size(0));
    result[5] = norm2.gamma;
    result[6] = norm2.beta;
    at::Tensor g1 = at::empty_like(maps.y1.defined() ? maps.y1 : maps.x);
    at::Tensor packed_gradient = at::empty_like(maps.packed);
    kernels::DepthwiseBackward depthwise;
    depthwise.gradient = g2.const_data_ptr<float>();
    depthwise.y = maps.y2.const_data_ptr<float>();
    depthwise.norm = norm2.gradient();
    depthwise.x_gradient = g1.mutable_data_ptr<float>();
    depthwise.added = !maps.y1.defined() && residual ? g.const_data_ptr<float>() : nullptr;
    depthwise.x_mean = maps.y1.defined() ? NormValues{maps.norm1}.mean() : nullptr;
    depthwise.sums = maps.y1.defined() ? &sums : nullptr;
    depthwise.weight_gradient = packed_gradient.mutable_data_ptr<float>();
    kernels::depthwise_backward(work, depthwise);
    result[4] = unpack_depthwise(packed_gradient, saved[10]);
    if (maps.y1.defined()) {
      back_through_expand(maps, g1, residual ? g : at::Tensor(), sums, result);
    } else {
      result[0] = g1;
    }
    return result;
  }

 private:
  static void back_through_project(const Maps& maps, const at::Tensor& g, at::Tensor& g2, kernels::Sums& sums,
                                   variable_list& result) {
    const int threads = at::get_num_threads();
    const NormValues norm3{maps.norm3};
    const NormValues norm2{maps.norm2};
    const kernels::BlockedShape shape = shape_of(maps.y3);
    kernels::normal_gradient_sums(shape, g.const_data_ptr<float>(), maps.y3.const_data_ptr<float>(), norm3.mean(),
                                  norm3.affine(false), nullptr, sums, threads);
    const NormBackward back = norm_backward(sums, shape.rows(), norm3, maps.project.size(0));
    result[7] = at::empty(maps.project.sizes(), at::kFloat);
    result[8] = back.gamma;
    result[9] = back.beta;
    kernels::PointwiseBackward work;
    work.count = shape.rows();
    work.rows = {maps.y2.const_data_ptr<float>(), norm2.affine(true), nullptr};
    work.weight = view_of(maps.project);
    work.gradient = g.const_data_ptr<float>();
    work.y = maps.y3.const_data_ptr<float>();
    work.norm = back.gradient();
    work.map_gradient = g2.mutable_data_ptr<float>();
    work.map_mean = norm2.mean();
    work.sums = &sums;
    work.weight_gradient = result[7].mutable_data_ptr<float>();
    kernels::pointwise_backward(work, threads);
  }

  static void back_through_expand(const Maps& maps, const at::Tensor& g1, const at::Tensor& added, const kernels::Sums& sums,
                                  variable_list& result) {
    const std::size_t rows = shape_of(maps.x).rows();
    const NormBackward back = norm_backward(sums, rows, {maps.norm1}, maps.expand.size(0));
    result[0] = at::empty_like(maps.x);
    result[1] = at::empty(maps.expand.sizes(), at::kFloat);
    result[2] = back.gamma;
    result[3] = back.beta;
    kernels::PointwiseBackward work;
    work.count = rows;
    work.rows = {maps.x.const_data_ptr<float>(), {}, nullptr};
    work.weight = view_of(maps.expand);
    work.gradient = g1.const_data_ptr<float>();
    work.y = maps.y1.const_data_ptr<float>();
    work.norm = back.gradient();
    work.map_gradient = result[0].mutable_data_ptr<float>();
    work.added = added.defined() ? added.const_data_ptr<float>() : nullptr;
    work.weight_gradient = result[1].mutable_data_ptr<float>();
    kernels::pointwise_backward(work, at::get_num_threads());
  }
};

}  // namespace

at::Tensor fused_bottleneck(const at::Tensor& x, const BottleneckUse& use, const NormSource& source) {
  const Switches switches{
      use.stride, use.residual, {use.expand.norm_index, use.depthwise.norm_index, use.project.norm_index}};
  // Autograd takes no undefined inputs.
  const bool expands = use.expand.weight.defined();
  const at::Tensor none = expands ? at::Tensor() : at::empty({0}, at::kFloat);
  const auto or_none = [&](const at::Tensor& tensor) { return expands ? tensor : none; };
  return BottleneckFunction::apply(x, or_none(use.expand.weight), or_none(use.expand.gamma), or_none(use.expand.beta),
                                   use.depthwise.weight, use.depthwise.gamma, use.depthwise.beta, use.project.weight,
                                   use.project.gamma, use.project.beta, switches, source);
}

}  // namespace tinynas
