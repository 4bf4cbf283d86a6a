// SOFTMAX, LOGISTIC, TANH, HARD_SWISH.
#include <array>
#include <bit>

#include "graph/fixed_functions.h"
#include "graph/kernel.h"

namespace tinynas::kernels {
namespace {

constexpr std::int32_t kMinS8 = -128, kMaxS8 = 127;

/// Greatest input difference that still fits Q`integer_bits` after the multiplication.
std::int32_t input_radius(std::int32_t integer_bits, std::int32_t left_shift) {
  const double greatest = ((1 << integer_bits) - 1) * std::ldexp(1.0, 31 - integer_bits) / std::ldexp(1.0, left_shift);
  return static_cast<std::int32_t>(std::min(std::floor(greatest), 2147483647.0));
}

struct SoftmaxPlan {
  std::int64_t rows, depth;
  QuantizedMultiplier multiplier;
  std::int32_t least_difference;

  [[nodiscard]] std::int32_t exponential(std::int32_t difference) const {
    return exp_on_negative_q5(
        saturating_rounding_doubling_high_mul(shift_left_wrapping(difference, multiplier.shift), multiplier.multiplier));
  }
};

constexpr std::int32_t kSumIntegerBits = 12;

void softmax_row(const SoftmaxPlan& plan, const std::int8_t* x, std::int8_t* out) {
  const std::int32_t greatest = *std::max_element(x, x + plan.depth);
  std::int32_t sum = 0;  // of exponentials, in Q12
  for (std::int64_t i = 0; i < plan.depth; ++i) {
    if (x[i] - greatest < plan.least_difference) continue;
    sum += rounding_divide_by_pot(plan.exponential(x[i] - greatest), kSumIntegerBits);
  }
  const std::int32_t headroom = std::countl_zero(static_cast<std::uint32_t>(sum));
  const auto fraction = static_cast<std::int32_t>((static_cast<std::uint32_t>(sum) << headroom) - (1U << 31));
  const std::int32_t scale = one_over_one_plus_q0(fraction);
  const std::int32_t exponent = kSumIntegerBits - headroom + 31 - 8;
  for (std::int64_t i = 0; i < plan.depth; ++i) {
    std::int32_t value = kMinS8;
    if (x[i] - greatest >= plan.least_difference) {
      const std::int32_t product = saturating_rounding_doubling_high_mul(scale, plan.exponential(x[i] - greatest));
      value = std::min(rounding_divide_by_pot(product, exponent) + kMinS8, kMaxS8);
    }
    out[i] = static_cast<std::int8_t>(value);
  }
}

void softmax_row_float(float beta, std::int64_t depth, const float* x, float* out) {
  const float greatest = *std::max_element(x, x + depth);
  float sum = 0;
  for (std::int64_t i = 0; i < depth; ++i) {
    out[i] = std::exp((x[i] - greatest) * beta);
    sum += out[i];
  }
  for (std::int64_t i = 0; i < depth; ++i) out[i] /= sum;
}

/// An int8 function of one int8 value, as a table that the kernel looks up.
template <class Function>
Kernel table_kernel(const Context& c, Function function) {
  std::array<std::int8_t, 256> table{};
  for (std::int32_t q = kMinS8; q <= kMaxS8; ++q) table[static_cast<std::size_t>(q - kMinS8)] = function(q);
  return [table, count = element_count(c.output().shape)](const Arguments& a) {
    for (std::int64_t i = 0; i < count; ++i) {
      a.out<std::int8_t>()[i] = table[static_cast<std::size_t>(a.input<std::int8_t>(0)[i] - kMinS8)];
    }
  };
}

template <class Function>
Kernel float_kernel(const Context& c, Function function) {
  return [function, count = element_count(c.output().shape)](const Arguments& a) {
    for (std::int64_t i = 0; i < count; ++i) a.out<float>()[i] = function(a.input<float>(0)[i]);
  };
}

/// LOGISTIC and TANH: the input in Q4, a function into Q0, the output with 8 − `signed_bit` fractional bits.
Kernel sigmoid_kernel(const Context& c, std::int32_t (*function)(std::int32_t), std::int32_t output_bits,
                      std::int32_t output_zero) {
  constexpr std::int32_t kInputBits = 4;
  const double real = static_cast<double>(c.scale(c.input(0))) * (1 << (31 - kInputBits));
  const QuantizedMultiplier m = quantize_multiplier(real);
  int exponent = 0;  // of the multiplier before it saturates: a step above 8 leaves no input inside the radius
  static_cast<void>(std::frexp(real, &exponent));
  const std::int32_t radius = input_radius(kInputBits, exponent);
  const std::int32_t zero_point = c.zero_point(c.input(0));
  return table_kernel(c, [=](std::int32_t q) {
    const std::int32_t x = q - zero_point;
    if (x <= -radius) return static_cast<std::int8_t>(kMinS8);
    if (x >= radius) return static_cast<std::int8_t>(kMaxS8);
    const std::int32_t y =
        rounding_divide_by_pot(function(multiply_by_quantized_multiplier(x, m)), 31 - output_bits) + output_zero;
    return static_cast<std::int8_t>(std::clamp(y, kMinS8, kMaxS8));
  });
}

// The 16-bit helpers of HARD_SWISH.
std::int16_t saturate16(std::int64_t x) { return static_cast<std::int16_t>(std::clamp<std::int64_t>(x, -32768, 32767)); }

std::int16_t high_mul16(std::int16_t a, std::int16_t b) {
  if (a == b && a == -32768) return 32767;
  const std::int32_t product = a * b;
  return static_cast<std::int16_t>((product + (product >= 0 ? 1 << 14 : 1 - (1 << 14))) / (1 << 15));
}

std::int16_t truncating_high_mul16(std::int16_t a, std::int16_t b) {
  return a == b && a == -32768 ? std::int16_t{32767} : static_cast<std::int16_t>(a * b / (1 << 15));
}

/// RoundingDivideByPOT on 16 bits: from exponent 16 on its mask is all ones, which leaves the sign (1 for 0).
std::int32_t divide_by_pot16(std::int16_t x, std::int32_t exponent) {
  if (exponent < 16) return rounding_divide_by_pot(x, exponent);
  return x >= 0 ? 1 : -1;
}

std::int16_t multiplier16(std::int32_t multiplier) {
  constexpr std::int32_t kHalf = 1 << 15;
  if (multiplier >= std::numeric_limits<std::int32_t>::max() - kHalf) return 32767;
  return static_cast<std::int16_t>((multiplier + kHalf) >> 16);
}

struct HardSwishPlan {
  std::int32_t in_zero, out_zero, out_shift, relu_shift;
  std::int16_t out_multiplier, relu_multiplier;

  /// relu6(x + 3) / 6 in Q0 of 16 bits, from the input times 128.
  [[nodiscard]] std::int16_t gate(std::int16_t x) const {
    std::int16_t value = x;
    if (relu_shift > 0) value = saturate16(std::int64_t{value} << (relu_shift - 1));
    value = high_mul16(value, relu_multiplier);
    if (relu_shift > 0) value = saturate16(std::int64_t{value} * 2);
    if (relu_shift < 0) value = static_cast<std::int16_t>(divide_by_pot16(value, -relu_shift));
    return static_cast<std::int16_t>((value + (1 << 15)) >> 1);
  }
  [[nodiscard]] std::int8_t operator()(std::int32_t q) const {
    const auto x = static_cast<std::int16_t>((q - in_zero) * (1 << 7));
    const std::int16_t scaled = high_mul16(x, out_multiplier);
    const std::int16_t product = truncating_high_mul16(gate(x), scaled);
    const std::int32_t y = divide_by_pot16(product, -out_shift) + out_zero;
    return static_cast<std::int8_t>(std::clamp(y, kMinS8, kMaxS8));
  }
};

}  // namespace

Kernel make_kernel(const Context& c, const Softmax& op) {
  const std::int64_t depth = c.input(0).shape.back();
  const std::int64_t rows = element_count(c.input(0).shape) / depth;
  if (c.is_float()) {
    return [=, beta = op.beta](const Arguments& a) {
      for (std::int64_t r = 0; r < rows; ++r)
        softmax_row_float(beta, depth, a.input<float>(0) + r * depth, a.out<float>() + r * depth);
    };
  }
  constexpr std::int32_t kDifferenceBits = 5;
  const double real =
      static_cast<double>(op.beta) * static_cast<double>(c.scale(c.input(0))) * (1 << (31 - kDifferenceBits));
  if (!(real > 1.0))
    throw InputError(c.place() + ": expected beta times the input's scale above 2^-26, got " + std::to_string(real));
  if (depth >= 1 << kSumIntegerBits)
    throw InputError(c.place() + ": expected fewer than 4096 values a row, got " + std::to_string(depth));
  const QuantizedMultiplier m = quantize_multiplier(std::min(real, 2147483647.0));
  const SoftmaxPlan plan{rows, depth, m, -input_radius(kDifferenceBits, m.shift)};
  return [plan](const Arguments& a) {
    for (std::int64_t r = 0; r < plan.rows; ++r) {
      softmax_row(plan, a.input<std::int8_t>(0) + r * plan.depth, a.out<std::int8_t>() + r * plan.depth);
    }
  };
}

Kernel make_kernel(const Context& c, const Logistic&) {
  if (c.is_float()) return float_kernel(c, [](float x) { return 1.0F / (1.0F + std::exp(-x)); });
  return sigmoid_kernel(c, logistic_q4, 8, -128);
}

Kernel make_kernel(const Context& c, const Tanh&) {
  if (c.is_float()) return float_kernel(c, [](float x) { return std::tanh(x); });
  return sigmoid_kernel(c, tanh_q4, 7, 0);
}

Kernel make_kernel(const Context& c, const HardSwish&) {
  if (c.is_float()) {
    return float_kernel(c, [](float x) { return x * std::min(6.0F, std::max(0.0F, x + 3.0F)) / 6.0F; });
  }
  const float fine_scale = (1.0F / 128.0F) * c.scale(c.input(0));
  const QuantizedMultiplier out = quantize_multiplier(static_cast<double>(fine_scale / c.scale(c.output())));
  const QuantizedMultiplier relu = quantize_multiplier(static_cast<double>(fine_scale / (3.0F / 32768.0F)));
  if (out.shift > 0)
    throw InputError(c.place() + ": expected an output scale of at least 1/128 of the input's, got a smaller one");
  return table_kernel(c, HardSwishPlan{c.zero_point(c.input(0)), c.zero_point(c.output()), out.shift, relu.shift,
                                       multiplier16(out.multiplier), multiplier16(relu.multiplier)});
}

}  // namespace tinynas::kernels
