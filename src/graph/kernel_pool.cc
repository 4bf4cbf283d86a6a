// Operators that reduce: pools, mean, maximum.
#include "graph/kernel.h"

namespace tinynas::kernels {
namespace {

struct PoolGeometry {
  std::int32_t height, width, channels, out_height, out_width, kernel_h, kernel_w;
  Window window;
};

PoolGeometry pool_geometry(const Context& c) {
  const Shape &x = c.input(0).shape, &y = c.output().shape;
  const KernelWindow k = *kernel_window(c.graph, c.op);
  return {x[1], x[2], x[3], y[1], y[2], k.kernel_h, k.kernel_w, k.window};
}

/// out = finish(fold over the window's real values from `start` with `step`, how many there are), per channel.
template <class T, class Acc, class Step, class Finish>
void pool(const PoolGeometry& g, const Arguments& a, Acc start, Step step, Finish finish) {
  const T* input = a.input<T>(0);
  T* out = a.out<T>();
  std::vector<Acc> acc(g.channels);
  for (std::int32_t y = 0; y < g.out_height; ++y) {
    const std::int32_t top = y * g.window.stride_h - g.window.padding.top;
    const std::int32_t y0 = std::max(top, 0), y1 = std::min(top + g.kernel_h, g.height);
    for (std::int32_t x = 0; x < g.out_width; ++x) {
      const std::int32_t left = x * g.window.stride_w - g.window.padding.left;
      const std::int32_t x0 = std::max(left, 0), x1 = std::min(left + g.kernel_w, g.width);
      std::fill(acc.begin(), acc.end(), start);
      for (std::int32_t iy = y0; iy < y1; ++iy) {
        for (std::int32_t ix = x0; ix < x1; ++ix) {
          const T* pixel = input + (std::int64_t{iy} * g.width + ix) * g.channels;
          for (std::int32_t ch = 0; ch < g.channels; ++ch) acc[ch] = step(acc[ch], pixel[ch]);
        }
      }
      const std::int64_t count = std::int64_t{y1 - y0} * (x1 - x0);
      for (std::int32_t ch = 0; ch < g.channels; ++ch) *out++ = finish(acc[ch], count);
    }
  }
}

/// Flat index of the output element that every input element goes to.
std::vector<std::int64_t> reduction_targets(const Shape& x, const std::vector<std::int32_t>& axes,
                                            const std::string& place) {
  Shape kept = x;
  for (const std::int32_t axis : axes) kept[resolve_axis(axis, x.size(), place)] = 1;
  std::vector<std::int64_t> targets(static_cast<std::size_t>(element_count(x)));
  for_each_pair(x, x, kept, [&](std::int64_t i, std::int64_t, std::int64_t target) { targets[i] = target; });
  return targets;
}

/// The multiplier of a mean over n values of a requantisation by `m`: the division is folded into it, the shift as wide as
/// fits.
QuantizedMultiplier mean_multiplier(QuantizedMultiplier m, std::int64_t n) {
  std::int32_t shift = 0;
  while (shift < 62 && (std::int64_t{1} << (shift + 1)) <= n) ++shift;  // floor(log2 n)
  shift = std::min({shift, 32, 31 + m.shift});
  return {static_cast<std::int32_t>((std::int64_t{m.multiplier} << shift) / n), m.shift - shift};
}

}  // namespace

Kernel make_kernel(const Context& c, const AveragePool& op) {
  const PoolGeometry g = pool_geometry(c);
  if (c.is_float()) {
    const FloatRange range = float_range(op.activation);
    return [=](const Arguments& a) {
      pool<float, float>(
          g, a, 0.0F, [](float acc, float v) { return acc + v; },
          [&](float acc, std::int64_t n) { return std::clamp(acc / static_cast<float>(n), range.low, range.high); });
    };
  }
  const ClampRange range = output_range(c);
  return [=](const Arguments& a) {
    pool<std::int8_t, std::int64_t>(
        g, a, std::int64_t{0}, [](std::int64_t acc, std::int8_t v) { return acc + v; },
        [&](std::int64_t acc, std::int64_t n) {  // to nearest, ties away from zero
          const std::int64_t mean = acc > 0 ? (acc + n / 2) / n : (acc - n / 2) / n;
          return static_cast<std::int8_t>(std::clamp<std::int64_t>(mean, range.low, range.high));
        });
  };
}

Kernel make_kernel(const Context& c, const MaxPool& op) {
  const PoolGeometry g = pool_geometry(c);
  if (c.is_float()) {
    const FloatRange range = float_range(op.activation);
    return [=](const Arguments& a) {
      pool<float, float>(
          g, a, std::numeric_limits<float>::lowest(), [](float acc, float v) { return std::max(acc, v); },
          [&](float acc, std::int64_t) { return std::clamp(acc, range.low, range.high); });
    };
  }
  const ClampRange range = output_range(c);
  return [=](const Arguments& a) {
    pool<std::int8_t, std::int32_t>(
        g, a, -128, [](std::int32_t acc, std::int8_t v) { return std::max<std::int32_t>(acc, v); },
        [&](std::int32_t acc, std::int64_t) { return static_cast<std::int8_t>(std::clamp(acc, range.low, range.high)); });
  };
}

Kernel make_kernel(const Context& c, const Mean& op) {
  const auto targets = reduction_targets(c.input(0).shape, op.axes, c.place());
  const auto outputs = static_cast<std::size_t>(element_count(c.output().shape));
  const auto n = static_cast<std::int64_t>(targets.size() / outputs);
  if (c.is_float()) {
    return [=](const Arguments& a) {
      float* out = a.out<float>();
      std::fill(out, out + outputs, 0.0F);
      for (std::size_t i = 0; i < targets.size(); ++i) out[targets[i]] += a.input<float>(0)[i];
      for (std::size_t i = 0; i < outputs; ++i) out[i] /= static_cast<float>(n);
    };
  }
  const std::int32_t in_zero = c.zero_point(c.input(0)), out_zero = c.zero_point(c.output());
  const double ratio = static_cast<double>(c.scale(c.input(0))) / static_cast<double>(c.scale(c.output()));
  const QuantizedMultiplier m = mean_multiplier(quantize_multiplier(ratio), n);
  const ClampRange range = output_range(c);
  return [=](const Arguments& a) {
    std::vector<std::int64_t> sums(outputs, -in_zero * n);
    for (std::size_t i = 0; i < targets.size(); ++i) sums[targets[i]] += a.input<std::int8_t>(0)[i];
    for (std::size_t i = 0; i < outputs; ++i) {
      a.out<std::int8_t>()[i] = static_cast<std::int8_t>(requantize(static_cast<std::int32_t>(sums[i]), m, out_zero, range));
    }
  };
}

namespace {

template <class T>
Kernel reduce_max(std::vector<std::int64_t> targets, std::size_t outputs) {
  return [targets = std::move(targets), outputs](const Arguments& a) {
    T* out = a.out<T>();
    std::fill(out, out + outputs, std::numeric_limits<T>::lowest());
    for (std::size_t i = 0; i < targets.size(); ++i) out[targets[i]] = std::max(out[targets[i]], a.input<T>(0)[i]);
  };
}

}  // namespace

Kernel make_kernel(const Context& c, const ReduceMax& op) {
  auto targets = reduction_targets(c.input(0).shape, op.axes, c.place());
  const auto outputs = static_cast<std::size_t>(element_count(c.output().shape));
  return c.is_float() ? reduce_max<float>(std::move(targets), outputs)
                      : reduce_max<std::int8_t>(std::move(targets), outputs);
}

namespace {

template <class T, class Index>
void arg_max(const Arguments& a, std::int64_t outer, std::int64_t size, std::int64_t inner) {
  const T* x = a.input<T>(0);
  for (std::int64_t o = 0; o < outer; ++o) {
    for (std::int64_t i = 0; i < inner; ++i) {
      std::int64_t best = 0;  // the first of equal ones
      for (std::int64_t k = 1; k < size; ++k) {
        if (x[(o * size + k) * inner + i] > x[(o * size + best) * inner + i]) best = k;
      }
      a.out<Index>()[o * inner + i] = static_cast<Index>(best);
    }
  }
}

}  // namespace

Kernel make_kernel(const Context& c, const ArgMax& op) {
  const Shape& x = c.input(0).shape;
  const auto axis = static_cast<std::size_t>(resolve_axis(op.axis, x.size(), c.place()));
  std::int64_t outer = 1, inner = 1;
  for (std::size_t d = 0; d < x.size(); ++d) (d < axis ? outer : inner) *= d == axis ? 1 : x[d];
  const std::int64_t size = x[axis];
  const bool real = c.input(0).dtype == DType::f32, wide = c.output().dtype == DType::s64;
  return [=](const Arguments& a) {
    if (real)
      return wide ? arg_max<float, std::int64_t>(a, outer, size, inner)
                  : arg_max<float, std::int32_t>(a, outer, size, inner);
    return wide ? arg_max<std::int8_t, std::int64_t>(a, outer, size, inner)
                : arg_max<std::int8_t, std::int32_t>(a, outer, size, inner);
  };
}

}  // namespace tinynas::kernels
