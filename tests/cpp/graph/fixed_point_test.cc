#include "graph/fixed_point.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "graph/fixed_functions.h"

namespace tinynas {
namespace {

/// floor((acc·m + 2^30 − [acc < 0]·2^31 + 2^(30+e)) / 2^(31+e)): double rounding in one expression.
std::int32_t closed_form(std::int32_t acc, std::int32_t m, std::int32_t e) {
  const std::int64_t one = 1;
  const std::int64_t sum = static_cast<std::int64_t>(acc) * m + (one << 30) - (acc < 0 ? one << 31 : 0) + (one << (30 + e));
  return static_cast<std::int32_t>(sum >> (31 + e));
}

TEST(FixedPoint, DoubleRoundingEqualsItsClosedForm) {
  std::mt19937_64 rng(1);
  for (std::int32_t i = 0; i < 2000000; ++i) {
    const auto m = static_cast<std::int32_t>((1 << 30) + rng() % (1U << 30));
    const auto e = static_cast<std::int32_t>(1 + rng() % 20);
    auto acc = static_cast<std::int32_t>(rng() >> (33 + rng() % 20)) * (rng() % 2 == 0 ? 1 : -1);
    if (acc % 4 == 0 && m != 0) acc = acc / 4 * 4;  // products near ties occur by the many small accumulators
    ASSERT_EQ(multiply_by_quantized_multiplier(acc, {m, -e}), closed_form(acc, m, e)) << acc << ' ' << m << ' ' << e;
  }
}

TEST(FixedPoint, TiesRoundAwayFromZero) {
  EXPECT_EQ(rounding_divide_by_pot(5, 1), 3);
  EXPECT_EQ(rounding_divide_by_pot(-5, 1), -3);
  EXPECT_EQ(rounding_divide_by_pot(6, 2), 2);
  EXPECT_EQ(rounding_divide_by_pot(-6, 2), -2);
  EXPECT_EQ(rounding_divide_by_pot(-7, 0), -7);
  EXPECT_EQ(saturating_rounding_doubling_high_mul(INT32_MIN, INT32_MIN), INT32_MAX);
  EXPECT_EQ(saturating_rounding_doubling_high_mul(1 << 30, 3), 2);    // 1.5
  EXPECT_EQ(saturating_rounding_doubling_high_mul(1 << 30, -3), -1);  // −1.5: towards zero
}

TEST(FixedPoint, MultipliersKeepTheirValue) {
  std::mt19937 rng(2);
  std::uniform_real_distribution<double> exponent(-30, 10);
  for (std::int32_t i = 0; i < 10000; ++i) {
    const double real = std::exp2(exponent(rng));
    const QuantizedMultiplier q = quantize_multiplier(real);
    ASSERT_GE(q.multiplier, 1 << 30);
    ASSERT_NEAR(std::ldexp(q.multiplier, q.shift - 31) / real, 1.0, 1e-9);
  }
  EXPECT_EQ(quantize_multiplier(0.0).multiplier, 0);
  EXPECT_EQ(quantize_multiplier(std::exp2(-40)).multiplier, 0);
  EXPECT_EQ(quantize_multiplier(0.5).multiplier, 1 << 30);
  EXPECT_EQ(quantize_multiplier(0.5).shift, 0);
  EXPECT_EQ(quantize_multiplier(1.0 - 1e-12).multiplier, 1 << 30);  // rounds up into the next power of two
  EXPECT_EQ(quantize_multiplier(1.0 - 1e-12).shift, 1);
}

TEST(FixedPoint, ActivationRangesAreCutInTheOutputsScale) {
  const ClampRange s8{-128, 127};
  EXPECT_EQ(activation_range(Activation::none, 0.1F, 3, s8).low, -128);
  EXPECT_EQ(activation_range(Activation::relu, 0.1F, 3, s8).low, 3);
  EXPECT_EQ(activation_range(Activation::relu, 0.1F, 3, s8).high, 127);
  EXPECT_EQ(activation_range(Activation::relu6, 0.1F, 3, s8).high, 63);
  EXPECT_EQ(activation_range(Activation::relu6, 6.0F / 255, -128, s8).high, 127);
  EXPECT_EQ(activation_range(Activation::relu6, 1e-30F, -128, s8).high, 127);  // no overflow
}

TEST(FixedFunctions, FollowTheRealOnes) {
  for (std::int32_t i = 0; i <= 4000; ++i) {
    const double x = -16.0 + i * 0.008;
    const auto q4 = static_cast<std::int32_t>(std::min(std::ldexp(x, 27), 2147483647.0));
    EXPECT_NEAR(std::ldexp(logistic_q4(q4), -31), 1 / (1 + std::exp(-x)), 2e-7) << x;
    EXPECT_NEAR(std::ldexp(tanh_q4(q4), -31), std::tanh(x), 4e-7) << x;
    const double negative = -30.0 * i / 4000;
    EXPECT_NEAR(std::ldexp(exp_on_negative_q5(static_cast<std::int32_t>(std::ldexp(negative, 26))), -31), std::exp(negative),
                4e-7);
  }
}

}  // namespace
}  // namespace tinynas
