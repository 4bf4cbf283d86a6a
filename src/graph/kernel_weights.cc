// Operators with weights: convolutions and fully connected.
//
// All of them reduce to dot products: a *patch* (the values under the window, zero point subtracted, padding zero) is
// gathered for every output pixel and multiplied with each output channel's weights.
#include <memory>

#include "graph/kernel.h"

namespace tinynas::kernels {

std::vector<QuantizedMultiplier> channel_multipliers(const Context& c, std::int32_t channels) {
  const auto& scales = c.input(1).quantization.scale;
  if (scales.empty()) throw InputError(c.place() + ": expected weights with a scale, got none in '" + c.input(1).name + "'");
  const float in = c.scale(c.input(0)), out = c.scale(c.output());
  const bool float_product = std::holds_alternative<FullyConnected>(c.op.kind) && scales.size() == 1;
  std::vector<QuantizedMultiplier> multipliers;
  for (std::int32_t i = 0; i < channels; ++i) {
    const float weight = scales.size() > 1 ? scales[i] : scales[0];
    const double product =
        float_product ? static_cast<double>(in * weight) : static_cast<double>(in) * static_cast<double>(weight);
    multipliers.push_back(quantize_multiplier(product / static_cast<double>(out)));
  }
  return multipliers;
}

namespace {

struct Geometry {
  std::int32_t height, width, channels;  // input
  std::int32_t out_height, out_width, out_channels;
  std::int32_t kernel_h, kernel_w;
  Window window;
};

Geometry geometry(const Context& c) {
  const Shape &x = c.input(0).shape, &y = c.output().shape;
  const KernelWindow k = *kernel_window(c.graph, c.op);
  return {x[1], x[2], x[3], y[1], y[2], y[3], k.kernel_h, k.kernel_w, k.window};
}

/// What follows the dot products of integer operators.
struct Requantizer {
  std::vector<QuantizedMultiplier> multipliers;
  std::int32_t zero_point;
  ClampRange range;

  explicit Requantizer(const Context& c, std::int32_t channels)
      : multipliers(channel_multipliers(c, channels)), zero_point(c.zero_point(c.output())), range(output_range(c)) {}

  /// The accumulator wraps to 32 bits, as it does on every target.
  [[nodiscard]] std::int8_t operator()(std::int64_t acc, std::int32_t channel) const {
    return static_cast<std::int8_t>(requantize(static_cast<std::int32_t>(acc), multipliers[channel], zero_point, range));
  }
};

std::int64_t dot(const std::int16_t* a, const std::int16_t* b, std::int64_t count) {
  constexpr std::int64_t kBlock = 1 << 14;  // |a·b| < 2^16: a block's sum stays below 2^31
  std::int64_t sum = 0;
  for (std::int64_t start = 0; start < count; start += kBlock) {
    const std::int64_t end = std::min(count, start + kBlock);
    std::int32_t block = 0;
    for (std::int64_t i = start; i < end; ++i) block += a[i] * b[i];
    sum += block;
  }
  return sum;
}

/// The window's values of channels [first, first + count) at output pixel (oy, ox), minus the zero point, as
/// patch[ky][kx][c].
template <class In, class Out>
void gather_patch(const Geometry& g, const In* x, std::int32_t zero_point, std::int32_t oy, std::int32_t ox,
                  std::int32_t first, std::int32_t count, Out* patch) {
  for (std::int32_t ky = 0; ky < g.kernel_h; ++ky) {
    const std::int32_t iy = oy * g.window.stride_h - g.window.padding.top + ky * g.window.dilation_h;
    for (std::int32_t kx = 0; kx < g.kernel_w; ++kx, patch += count) {
      const std::int32_t ix = ox * g.window.stride_w - g.window.padding.left + kx * g.window.dilation_w;
      if (iy < 0 || iy >= g.height || ix < 0 || ix >= g.width) {
        std::fill(patch, patch + count, Out{0});
        continue;
      }
      const In* source = x + (std::int64_t{iy} * g.width + ix) * g.channels + first;
      for (std::int32_t i = 0; i < count; ++i) patch[i] = static_cast<Out>(source[i] - static_cast<Out>(zero_point));
    }
  }
}

std::vector<std::int16_t> widened(const std::int8_t* values, std::int64_t count) { return {values, values + count}; }

/// Float weights of one group as [patch position][output channel], so that the inner loop runs over channels.
std::vector<float> transposed(const float* weights, std::int32_t rows, std::int32_t columns) {
  std::vector<float> result(static_cast<std::size_t>(rows) * columns);
  for (std::int32_t r = 0; r < rows; ++r) {
    for (std::int32_t k = 0; k < columns; ++k)
      result[static_cast<std::size_t>(k) * rows + r] = weights[static_cast<std::size_t>(r) * columns + k];
  }
  return result;
}

/// out[r] = bias[r] + Σ_k patch[k] · weights[k][r], clamped; bias may be null.
void multiply_float(const float* patch, std::int32_t length, const float* weights, const float* bias, std::int32_t rows,
                    FloatRange range, float* out) {
  for (std::int32_t r = 0; r < rows; ++r) out[r] = bias != nullptr ? bias[r] : 0.0F;
  for (std::int32_t k = 0; k < length; ++k) {
    const float value = patch[k];
    const float* row = weights + static_cast<std::size_t>(k) * rows;
    for (std::int32_t r = 0; r < rows; ++r) out[r] += value * row[r];
  }
  for (std::int32_t r = 0; r < rows; ++r) out[r] = std::min(std::max(out[r], range.low), range.high);
}

/// Weights of a conv, constant or (rarely) computed, are read at every run: the kernel prepares constants once.
template <class Prepared, class Value, class Prepare>
std::function<std::shared_ptr<const Prepared>(const Arguments&)> prepared_weights(const Context& c, Prepare prepare) {
  if (const auto* values = c.constant<Value>(1)) {
    auto ready = std::make_shared<const Prepared>(prepare(values));
    return [ready](const Arguments&) { return ready; };
  }
  return [prepare](const Arguments& a) { return std::make_shared<const Prepared>(prepare(a.input<Value>(1))); };
}

Kernel float_conv(const Context& c, std::int32_t groups) {
  const Geometry g = geometry(c);
  const std::int32_t in_group = g.channels / groups, out_group = g.out_channels / groups;
  const std::int32_t length = g.kernel_h * g.kernel_w * in_group;
  const FloatRange range = float_range(fused_activation(c.op.kind));
  const auto weights = prepared_weights<std::vector<std::vector<float>>, float>(c, [=](const float* values) {
    std::vector<std::vector<float>> all;
    for (std::int32_t i = 0; i < groups; ++i) {
      all.push_back(transposed(values + static_cast<std::size_t>(i) * out_group * length, out_group, length));
    }
    return all;
  });
  return [=](const Arguments& a) {
    const auto w = weights(a);
    const float* bias = a.inputs.size() > 2 ? a.input<float>(2) : nullptr;
    std::vector<float> patch(length);
    float* out = a.out<float>();
    for (std::int32_t y = 0; y < g.out_height; ++y) {
      for (std::int32_t x = 0; x < g.out_width; ++x) {
        for (std::int32_t i = 0; i < groups; ++i, out += out_group) {
          gather_patch(g, a.input<float>(0), 0, y, x, i * in_group, in_group, patch.data());
          multiply_float(patch.data(), length, (*w)[i].data(), bias != nullptr ? bias + i * out_group : nullptr, out_group,
                         range, out);
        }
      }
    }
  };
}

Kernel integer_conv(const Context& c, std::int32_t groups) {
  const Geometry g = geometry(c);
  const std::int32_t in_group = g.channels / groups, out_group = g.out_channels / groups;
  const std::int32_t length = g.kernel_h * g.kernel_w * in_group;
  const std::int32_t zero_point = c.zero_point(c.input(0));
  const Requantizer requantizer(c, g.out_channels);
  const std::int64_t count = element_count(c.input(1).shape);
  const auto weights = prepared_weights<std::vector<std::int16_t>, std::int8_t>(
      c, [=](const std::int8_t* values) { return widened(values, count); });
  return [=](const Arguments& a) {
    const auto w = weights(a);
    const auto* bias = a.inputs.size() > 2 ? a.input<std::int32_t>(2) : nullptr;
    std::vector<std::int16_t> patch(length);
    auto* out = a.out<std::int8_t>();
    for (std::int32_t y = 0; y < g.out_height; ++y) {
      for (std::int32_t x = 0; x < g.out_width; ++x) {
        for (std::int32_t channel = 0; channel < g.out_channels; ++channel) {
          if (channel % out_group == 0) {
            gather_patch(g, a.input<std::int8_t>(0), zero_point, y, x, channel / out_group * in_group, in_group,
                         patch.data());
          }
          const std::int64_t sum = dot(patch.data(), w->data() + std::int64_t{channel} * length, length);
          *out++ = requantizer(sum + (bias != nullptr ? bias[channel] : 0), channel);
        }
      }
    }
  };
}

/// Adds the window's products of a depthwise convolution to acc[C · multiplier].
template <class T, class Acc, class Weight>
void accumulate_depthwise(const Geometry& g, const T* input, std::int32_t zero_point, const Weight* weights, std::int32_t oy,
                          std::int32_t ox, Acc* acc) {
  const std::int32_t multiplier = g.out_channels / g.channels;
  for (std::int32_t ky = 0; ky < g.kernel_h; ++ky) {
    const std::int32_t iy = oy * g.window.stride_h - g.window.padding.top + ky * g.window.dilation_h;
    if (iy < 0 || iy >= g.height) continue;
    for (std::int32_t kx = 0; kx < g.kernel_w; ++kx) {
      const std::int32_t ix = ox * g.window.stride_w - g.window.padding.left + kx * g.window.dilation_w;
      if (ix < 0 || ix >= g.width) continue;
      const T* x = input + (std::int64_t{iy} * g.width + ix) * g.channels;
      const Weight* w = weights + static_cast<std::int64_t>(ky * g.kernel_w + kx) * g.out_channels;
      if (multiplier == 1) {
        for (std::int32_t ch = 0; ch < g.channels; ++ch) acc[ch] += (x[ch] - static_cast<Acc>(zero_point)) * w[ch];
        continue;
      }
      for (std::int32_t ch = 0; ch < g.out_channels; ++ch)
        acc[ch] += (x[ch / multiplier] - static_cast<Acc>(zero_point)) * w[ch];
    }
  }
}

}  // namespace

Kernel make_kernel(const Context& c, const Conv2D&) {
  const std::int32_t groups = c.input(0).shape[3] / c.input(1).shape[3];
  return c.is_float() ? float_conv(c, groups) : integer_conv(c, groups);
}

Kernel make_kernel(const Context& c, const DepthwiseConv2D& op) {
  const Geometry g = geometry(c);
  if (c.is_float()) {
    const FloatRange range = float_range(op.activation);
    return [=](const Arguments& a) {
      const float* bias = a.inputs.size() > 2 ? a.input<float>(2) : nullptr;
      float* out = a.out<float>();
      for (std::int32_t y = 0; y < g.out_height; ++y) {
        for (std::int32_t x = 0; x < g.out_width; ++x, out += g.out_channels) {
          for (std::int32_t ch = 0; ch < g.out_channels; ++ch) out[ch] = bias != nullptr ? bias[ch] : 0.0F;
          accumulate_depthwise(g, a.input<float>(0), 0, a.input<float>(1), y, x, out);
          for (std::int32_t ch = 0; ch < g.out_channels; ++ch) out[ch] = std::min(std::max(out[ch], range.low), range.high);
        }
      }
    };
  }
  if (std::int64_t{g.kernel_h} * g.kernel_w > 1 << 15) {
    throw InputError(c.place() + ": expected a window of at most 32768 values, got " +
                     std::to_string(std::int64_t{g.kernel_h} * g.kernel_w));
  }
  const std::int32_t zero_point = c.zero_point(c.input(0));
  const Requantizer requantizer(c, g.out_channels);
  return [=](const Arguments& a) {
    const auto* bias = a.inputs.size() > 2 ? a.input<std::int32_t>(2) : nullptr;
    std::vector<std::int32_t> acc(g.out_channels);
    auto* out = a.out<std::int8_t>();
    for (std::int32_t y = 0; y < g.out_height; ++y) {
      for (std::int32_t x = 0; x < g.out_width; ++x) {
        std::fill(acc.begin(), acc.end(), 0);
        accumulate_depthwise(g, a.input<std::int8_t>(0), zero_point, a.input<std::int8_t>(1), y, x, acc.data());
        for (std::int32_t ch = 0; ch < g.out_channels; ++ch) {
          *out++ = requantizer(std::int64_t{acc[ch]} + (bias != nullptr ? bias[ch] : 0), ch);
        }
      }
    }
  };
}

namespace {

/// Value of one output of a transposed convolution before bias: the sum over kernel positions whose input pixel exists.
template <class T, class Acc>
Acc transposed_sum(const Geometry& g, const T* input, Acc zero_point, const T* weights, std::int32_t oy, std::int32_t ox) {
  Acc sum = 0;
  for (std::int32_t ky = 0; ky < g.kernel_h; ++ky) {
    const std::int32_t up = oy + g.window.padding.top - ky * g.window.dilation_h;
    if (up < 0 || up % g.window.stride_h != 0 || up / g.window.stride_h >= g.height) continue;
    for (std::int32_t kx = 0; kx < g.kernel_w; ++kx) {
      const std::int32_t left = ox + g.window.padding.left - kx * g.window.dilation_w;
      if (left < 0 || left % g.window.stride_w != 0 || left / g.window.stride_w >= g.width) continue;
      const T* x = input + (std::int64_t{up / g.window.stride_h} * g.width + left / g.window.stride_w) * g.channels;
      const T* w = weights + static_cast<std::int64_t>(ky * g.kernel_w + kx) * g.channels;
      for (std::int32_t ch = 0; ch < g.channels; ++ch)
        sum += (static_cast<Acc>(x[ch]) - zero_point) * static_cast<Acc>(w[ch]);
    }
  }
  return sum;
}

}  // namespace

Kernel make_kernel(const Context& c, const TransposeConv& op) {
  const Geometry g = geometry(c);
  const std::int64_t per_channel = std::int64_t{g.kernel_h} * g.kernel_w * g.channels;
  const auto for_each_output = [g](const auto& compute) {
    std::int64_t i = 0;
    for (std::int32_t y = 0; y < g.out_height; ++y) {
      for (std::int32_t x = 0; x < g.out_width; ++x) {
        for (std::int32_t ch = 0; ch < g.out_channels; ++ch, ++i) compute(i, y, x, ch);
      }
    }
  };
  if (c.is_float()) {
    const FloatRange range = float_range(op.activation);
    return [=](const Arguments& a) {
      const float* bias = a.inputs.size() > 2 ? a.input<float>(2) : nullptr;
      for_each_output([&](std::int64_t i, std::int32_t y, std::int32_t x, std::int32_t ch) {
        const float sum = transposed_sum(g, a.input<float>(0), 0.0F, a.input<float>(1) + ch * per_channel, y, x);
        a.out<float>()[i] = std::clamp(sum + (bias != nullptr ? bias[ch] : 0.0F), range.low, range.high);
      });
    };
  }
  const std::int64_t zero_point = c.zero_point(c.input(0));
  const Requantizer requantizer(c, g.out_channels);
  return [=](const Arguments& a) {
    const auto* bias = a.inputs.size() > 2 ? a.input<std::int32_t>(2) : nullptr;
    for_each_output([&](std::int64_t i, std::int32_t y, std::int32_t x, std::int32_t ch) {
      const auto* w = a.input<std::int8_t>(1) + ch * per_channel;
      const std::int64_t sum = transposed_sum(g, a.input<std::int8_t>(0), zero_point, w, y, x);
      a.out<std::int8_t>()[i] = requantizer(sum + (bias != nullptr ? bias[ch] : 0), ch);
    });
  };
}

Kernel make_kernel(const Context& c, const FullyConnected& op) {
  const Shape& w = c.input(1).shape;
  const std::int32_t outputs = w[0], length = w[1];
  const std::int64_t rows = element_count(c.output().shape) / outputs;
  if (c.is_float()) {
    const FloatRange range = float_range(op.activation);
    const auto weights = prepared_weights<std::vector<float>, float>(
        c, [=](const float* values) { return transposed(values, outputs, length); });
    return [=](const Arguments& a) {
      const auto ready = weights(a);
      const float* bias = a.inputs.size() > 2 ? a.input<float>(2) : nullptr;
      for (std::int64_t r = 0; r < rows; ++r) {
        multiply_float(a.input<float>(0) + r * length, length, ready->data(), bias, outputs, range,
                       a.out<float>() + r * outputs);
      }
    };
  }
  const std::int32_t zero_point = c.zero_point(c.input(0));
  const Requantizer requantizer(c, outputs);
  const std::int64_t count = std::int64_t{outputs} * length;
  const auto weights = prepared_weights<std::vector<std::int16_t>, std::int8_t>(
      c, [=](const std::int8_t* values) { return widened(values, count); });
  return [=](const Arguments& a) {
    const auto ready = weights(a);
    const auto* bias = a.inputs.size() > 2 ? a.input<std::int32_t>(2) : nullptr;
    std::vector<std::int16_t> row(length);
    for (std::int64_t r = 0; r < rows; ++r) {
      const auto* x = a.input<std::int8_t>(0) + r * length;
      for (std::int32_t k = 0; k < length; ++k) row[k] = static_cast<std::int16_t>(x[k] - zero_point);
      for (std::int32_t i = 0; i < outputs; ++i) {
        const std::int64_t sum = dot(row.data(), ready->data() + std::int64_t{i} * length, length);
        a.out<std::int8_t>()[r * outputs + i] = requantizer(sum + (bias != nullptr ? bias[i] : 0), i);
      }
    }
  };
}

}  // namespace tinynas::kernels
