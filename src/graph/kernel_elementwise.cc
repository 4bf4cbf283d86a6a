// Element by element: ADD, MUL, PRELU, LEAKY_RELU and conversions.
#include "graph/kernel.h"

namespace tinynas::kernels {
namespace {

/// out = compute(a, b) for every pair of broadcast elements.
template <class T, class Compute>
void pairwise(const Arguments& args, const Shape& out, const Shape& a, const Shape& b, Compute compute) {
  const T *x = args.input<T>(0), *y = args.input<T>(1);
  T* result = args.out<T>();
  if (a == b) {
    const std::int64_t count = element_count(out);
    for (std::int64_t i = 0; i < count; ++i) result[i] = compute(x[i], y[i]);
    return;
  }
  for_each_pair(out, a, b, [&](std::int64_t i, std::int64_t ia, std::int64_t ib) { result[i] = compute(x[ia], y[ib]); });
}

template <class T, class Compute>
Kernel pair_kernel(const Context& c, Compute compute) {
  return [out = c.output().shape, a = c.input(0).shape, b = c.input(1).shape, compute](const Arguments& args) {
    pairwise<T>(args, out, a, b, compute);
  };
}

template <class T, class Compute>
Kernel unary_kernel(const Context& c, Compute compute) {
  return [count = element_count(c.output().shape), compute](const Arguments& a) {
    for (std::int64_t i = 0; i < count; ++i) a.out<T>()[i] = compute(a.input<T>(0)[i]);
  };
}

constexpr std::int32_t kAddShift = 20;  // headroom in which both summands meet

}  // namespace

Kernel make_kernel(const Context& c, const Add& op) {
  if (c.is_float()) {
    return pair_kernel<float>(
        c, [r = float_range(op.activation)](float x, float y) { return std::clamp(x + y, r.low, r.high); });
  }
  const auto scale = [&](const Tensor& t) { return static_cast<double>(c.scale(t)); };
  const double twice_max = 2 * std::max(scale(c.input(0)), scale(c.input(1)));
  const QuantizedMultiplier m1 = quantize_multiplier(scale(c.input(0)) / twice_max);
  const QuantizedMultiplier m2 = quantize_multiplier(scale(c.input(1)) / twice_max);
  const QuantizedMultiplier m_out = quantize_multiplier(twice_max / ((1 << kAddShift) * scale(c.output())));
  const std::int32_t z1 = c.zero_point(c.input(0)), z2 = c.zero_point(c.input(1)), z_out = c.zero_point(c.output());
  const ClampRange range = output_range(c);
  return pair_kernel<std::int8_t>(c, [=](std::int8_t x, std::int8_t y) {
    const std::int32_t a = multiply_by_quantized_multiplier((x - z1) * (1 << kAddShift), m1);
    const std::int32_t b = multiply_by_quantized_multiplier((y - z2) * (1 << kAddShift), m2);
    return static_cast<std::int8_t>(requantize(a + b, m_out, z_out, range));
  });
}

Kernel make_kernel(const Context& c, const Mul& op) {
  if (c.is_float()) {
    return pair_kernel<float>(
        c, [r = float_range(op.activation)](float x, float y) { return std::clamp(x * y, r.low, r.high); });
  }
  const auto scale = [&](const Tensor& t) { return static_cast<double>(c.scale(t)); };
  const QuantizedMultiplier m = quantize_multiplier(scale(c.input(0)) * scale(c.input(1)) / scale(c.output()));
  const std::int32_t z1 = c.zero_point(c.input(0)), z2 = c.zero_point(c.input(1)), z_out = c.zero_point(c.output());
  const ClampRange range = output_range(c);
  return pair_kernel<std::int8_t>(c, [=](std::int8_t x, std::int8_t y) {
    return static_cast<std::int8_t>(requantize((x - z1) * (y - z2), m, z_out, range));
  });
}

Kernel make_kernel(const Context& c, const PRelu&) {
  if (c.is_float()) {
    return pair_kernel<float>(c, [](float x, float alpha) { return x >= 0 ? x : x * alpha; });
  }
  const auto scale = [&](const Tensor& t) { return static_cast<double>(c.scale(t)); };
  const QuantizedMultiplier positive = quantize_multiplier(scale(c.input(0)) / scale(c.output()));
  const QuantizedMultiplier negative = quantize_multiplier(scale(c.input(0)) * scale(c.input(1)) / scale(c.output()));
  const std::int32_t z = c.zero_point(c.input(0)), z_alpha = c.zero_point(c.input(1)), z_out = c.zero_point(c.output());
  const ClampRange range = output_range(c);
  return pair_kernel<std::int8_t>(c, [=](std::int8_t q, std::int8_t alpha) {
    const std::int32_t x = q - z;
    return static_cast<std::int8_t>(x >= 0 ? requantize(x, positive, z_out, range)
                                           : requantize(x * (alpha - z_alpha), negative, z_out, range));
  });
}

Kernel make_kernel(const Context& c, const LeakyRelu& op) {
  if (c.is_float()) {
    return unary_kernel<float>(c, [alpha = op.alpha](float x) { return x > 0 ? x : x * alpha; });
  }
  const float in = c.scale(c.input(0)), out = c.scale(c.output());  // their products are rounded to float
  const QuantizedMultiplier positive = quantize_multiplier(static_cast<double>(in / out));
  const QuantizedMultiplier negative = quantize_multiplier(static_cast<double>(in * op.alpha / out));
  const std::int32_t z = c.zero_point(c.input(0)), z_out = c.zero_point(c.output());
  const ClampRange range = output_range(c);
  return unary_kernel<std::int8_t>(c, [=](std::int8_t q) {
    const std::int32_t x = q - z;
    return static_cast<std::int8_t>(requantize(x, x >= 0 ? positive : negative, z_out, range));
  });
}

namespace {

/// Calls f with a value of the type that holds `dtype` while it is computed with.
template <class F>
Kernel with_type(const Context& c, DType dtype, F f) {
  switch (dtype) {
    case DType::s8:
    case DType::s4:
      return f(std::int8_t{});
    case DType::u8:
      return f(std::uint8_t{});
    case DType::s16:
      return f(std::int16_t{});
    default:
      throw InputError(c.place() + ": expected a type of at most 16 bits, got " + std::string(dtype_name(dtype)));
  }
}

template <class To>
Kernel quantize_kernel(const Context& c, To) {
  const float scale = c.scale(c.output());
  const std::int32_t zero_point = c.zero_point(c.output());
  const ClampRange range = output_range(c);
  const std::int64_t count = element_count(c.output().shape);
  return [=](const Arguments& a) {
    for (std::int64_t i = 0; i < count; ++i) {
      // Clamped before the conversion to an integer, so that huge values and NaN have one defined result.
      const float q = std::round(a.input<float>(0)[i] / scale) + static_cast<float>(zero_point);
      const float clamped = std::isnan(q) ? static_cast<float>(zero_point)
                                          : std::clamp(q, static_cast<float>(range.low), static_cast<float>(range.high));
      a.out<To>()[i] = static_cast<To>(clamped);
    }
  };
}

template <class From, class To>
Kernel requantize_kernel(const Context& c, From, To) {
  const double ratio = static_cast<double>(c.scale(c.input(0))) / static_cast<double>(c.scale(c.output()));
  const QuantizedMultiplier m = quantize_multiplier(ratio);
  const std::int32_t z = c.zero_point(c.input(0)), z_out = c.zero_point(c.output());
  const ClampRange range = output_range(c);
  const std::int64_t count = element_count(c.output().shape);
  return [=](const Arguments& a) {
    for (std::int64_t i = 0; i < count; ++i)
      a.out<To>()[i] = static_cast<To>(requantize(a.input<From>(0)[i] - z, m, z_out, range));
  };
}

}  // namespace

Kernel make_kernel(const Context& c, const Quantize&) {
  return with_type(c, c.output().dtype, [&](auto to) -> Kernel {
    if (c.input(0).dtype == DType::f32) return quantize_kernel(c, to);
    return with_type(c, c.input(0).dtype, [&](auto from) -> Kernel { return requantize_kernel(c, from, to); });
  });
}

Kernel make_kernel(const Context& c, const Dequantize&) {
  return with_type(c, c.input(0).dtype, [&](auto from) -> Kernel {
    using From = decltype(from);
    const float scale = c.scale(c.input(0));
    const std::int32_t zero_point = c.zero_point(c.input(0));
    const std::int64_t count = element_count(c.output().shape);
    return [=](const Arguments& a) {
      for (std::int64_t i = 0; i < count; ++i)
        a.out<float>()[i] = scale * static_cast<float>(a.input<From>(0)[i] - zero_point);
    };
  });
}

}  // namespace tinynas::kernels
