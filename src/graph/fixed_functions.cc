#include "graph/fixed_functions.h"

#include <algorithm>
#include <array>
#include <limits>

#include "graph/fixed_point.h"

namespace tinynas {
namespace {

constexpr std::int32_t kMax = std::numeric_limits<std::int32_t>::max();
constexpr std::int32_t kMin = std::numeric_limits<std::int32_t>::min();

/// Product in Q(n + m) of factors in Qn and Qm.
std::int32_t mul(std::int32_t a, std::int32_t b) { return saturating_rounding_doubling_high_mul(a, b); }

std::int32_t shift_left_saturating(std::int32_t x, std::int32_t shift) {
  return static_cast<std::int32_t>(std::clamp<std::int64_t>(std::int64_t{x} * (std::int64_t{1} << shift), kMin, kMax));
}

std::int32_t half_sum(std::int32_t a, std::int32_t b) {
  const std::int64_t sum = std::int64_t{a} + b;
  return static_cast<std::int32_t>((sum + (sum >= 0 ? 1 : -1)) / 2);
}

/// exp(a) in Q0 for a in [−1/4, 0) in Q0: the series around −1/8 up to the fourth power.
std::int32_t exp_on_last_quarter(std::int32_t a) {
  constexpr std::int32_t kExpOfMinusEighth = 1895147668;
  constexpr std::int32_t kOneThird = 715827883;
  const std::int32_t x = a + (1 << 28);  // a + 1/8
  const std::int32_t x2 = mul(x, x);
  const std::int32_t x3 = mul(x2, x);
  const std::int32_t x4_over_4 = rounding_divide_by_pot(mul(x2, x2), 2);
  const std::int32_t higher = rounding_divide_by_pot(mul(x4_over_4 + x3, kOneThird) + x2, 1);  // x^4/24 + x^3/6 + x^2/2
  return kExpOfMinusEighth + mul(kExpOfMinusEighth, x + higher);
}

std::int32_t exp_on_negative(std::int32_t a, std::int32_t integer_bits) {
  if (a == 0) return kMax;
  const std::int32_t fraction_bits = 31 - integer_bits;
  const std::int32_t quarter = 1 << (fraction_bits - 2);
  const std::int32_t last = (a & (quarter - 1)) - quarter;  // in [−1/4, 0)
  std::int32_t result = exp_on_last_quarter(shift_left_saturating(last, integer_bits));
  // exp of what is left, −(1/4, 1/2, 1, 2, 4, 8, 16) for each of its bits, in Q0.
  constexpr std::array<std::int32_t, 7> kFactors = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
  const std::int32_t left = last - a;
  for (std::int32_t i = 0; i < 7 && i - 2 < integer_bits; ++i) {
    if ((left & (1 << (fraction_bits - 2 + i))) != 0) result = mul(result, kFactors[i]);
  }
  return result;
}

/// Newton's iteration for 2 / (1 + a) in Q2, a in [0, 1] in Q0.
std::int32_t reciprocal_q2(std::int32_t a) {
  constexpr std::int32_t k48Over17 = 1515870810, kMinus32Over17 = -1010580540, kOneQ2 = 1 << 29;
  const std::int32_t half_denominator = half_sum(a, kMax);
  std::int32_t x = k48Over17 + mul(half_denominator, kMinus32Over17);
  for (std::int32_t i = 0; i < 3; ++i) {
    const std::int32_t error = kOneQ2 - mul(half_denominator, x);
    x += shift_left_saturating(mul(x, error), 2);
  }
  return x;
}

}  // namespace

std::int32_t exp_on_negative_q5(std::int32_t a) { return exp_on_negative(a, 5); }

std::int32_t one_over_one_plus_q0(std::int32_t a) { return shift_left_saturating(reciprocal_q2(a), 1); }

std::int32_t logistic_q4(std::int32_t a) {
  if (a == 0) return 1 << 30;
  const std::int32_t positive = one_over_one_plus_q0(exp_on_negative(a > 0 ? -a : a, 4));
  return a > 0 ? positive : kMax - positive;
}

std::int32_t tanh_q4(std::int32_t a) {
  if (a == 0) return 0;
  // (1 − exp(−2|a|)) / (1 + exp(−2|a|)); doubling is reading Q4 as Q5.
  const std::int32_t exponential = exp_on_negative(a > 0 ? -a : a, 5);
  const std::int32_t magnitude = shift_left_saturating(reciprocal_q2(exponential) - (1 << 29), 2);
  return a > 0 ? magnitude : -magnitude;
}

}  // namespace tinynas
