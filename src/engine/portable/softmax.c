/* Softmax in TensorFlow Lite's fixed point: exponentials with 5 integer bits, their sum with 12, a reciprocal by Newton's
 * method. A Qn number has n integer bits and 31 - n fractional ones. */
#include "tinynas/reduce.h"
#include "tinynas/requantize.h"

#define INPUT_BITS 5
#define SUM_BITS 12

/* Product of two raw values, as SaturatingRoundingDoublingHighMul. */
static int32_t multiply(int32_t a, int32_t b) {
  if (a == INT32_MIN && b == INT32_MIN) return INT32_MAX;
  return tn_doubling_high_mul(a, b);
}

static int32_t saturating_shift_left(int32_t value, int32_t bits) {
  const int32_t limit = (int32_t)((UINT32_C(1) << (31 - bits)) - 1U);
  if (value > limit) return INT32_MAX;
  if (value < -limit) return INT32_MIN;
  return (int32_t)((uint32_t)value << bits);
}

/* exp(a) for a in [-1/4, 0), Q0: a polynomial around -1/8. */
static int32_t exp_of_quarter(int32_t a) {
  const int32_t eighth = INT32_C(1895147668); /* exp(-1/8) */
  const int32_t third = INT32_C(715827883);   /* 1/3 */
  const int32_t x = a + (INT32_C(1) << 28);
  const int32_t x2 = multiply(x, x);
  const int32_t x3 = multiply(x2, x);
  const int32_t x4_over_4 = tn_rounding_shift(multiply(x2, x2), 2);
  const int32_t tail = tn_rounding_shift(multiply(x4_over_4 + x3, third) + x2, 1);
  return eighth + multiply(eighth, x + tail);
}

/* exp(a) for a <= 0: a in Q5, the result in Q0. */
static int32_t exp_of_negative(int32_t a) {
  /* exp(-2^k) for k = -2 .. 4 */
  static const int32_t factors[] = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
  const int32_t quarter = INT32_C(1) << (31 - INPUT_BITS - 2);
  const int32_t rest = (a & (quarter - 1)) - quarter;
  const uint32_t remainder = (uint32_t)rest - (uint32_t)a;
  int32_t result = exp_of_quarter((int32_t)((uint32_t)rest << INPUT_BITS));
  for (int32_t k = 0; k < 7; ++k) {
    if ((remainder & ((uint32_t)quarter << k)) != 0) result = multiply(result, factors[k]);
  }
  return a == 0 ? INT32_MAX : result;
}

/* 1 / (1 + x) for x in [0, 1], Q0, by three Newton steps. */
static int32_t one_over_one_plus(int32_t x) {
  const int64_t sum = (int64_t)x + INT32_MAX;
  const int32_t half_denominator = (int32_t)((sum + (sum >= 0 ? 1 : -1)) / 2);
  int32_t value = INT32_C(1515870810) + multiply(half_denominator, INT32_C(-1010580540)); /* 48/17, -32/17 in Q2 */
  for (int32_t i = 0; i < 3; ++i) {
    const int32_t error = (INT32_C(1) << 29) - multiply(half_denominator, value);
    value += saturating_shift_left(multiply(value, error), 2);
  }
  return saturating_shift_left(value, 1);
}

static int32_t leading_zeros(uint32_t value) {
  int32_t count = 0;
  for (; count < 32 && (value & UINT32_C(0x80000000)) == 0; value <<= 1) ++count;
  return count;
}

/* exp((x - greatest) * beta * scale), 0 where it is too small to count. */
static int32_t exponential(const tn_softmax_params* p, int32_t difference) {
  if (difference < p->difference_min) return 0;
  return exp_of_negative(tn_requantize(difference, p->multiplier, p->shift));
}

static void softmax_pixel(const tn_softmax_params* p, const int8_t* in, int8_t* out) {
  int32_t most = -128, sum = 0;
  for (int32_t c = 0; c < p->depth; ++c) most = in[c] > most ? in[c] : most;
  for (int32_t c = 0; c < p->depth; ++c) sum += tn_rounding_shift(exponential(p, in[c] - most), SUM_BITS);
  const int32_t zeros = leading_zeros((uint32_t)sum);
  const int32_t inverse = one_over_one_plus((int32_t)(((uint32_t)sum << zeros) - (UINT32_C(1) << 31)));
  for (int32_t c = 0; c < p->depth; ++c) {
    const int32_t difference = in[c] - most;
    int32_t value = -128;
    if (difference >= p->difference_min) {
      value += tn_rounding_shift(multiply(inverse, exponential(p, difference)), SUM_BITS - zeros + 31 - 8);
    }
    out[c] = (int8_t)tn_clamp(value, -128, 127);
  }
}

void tn_softmax(const tn_step* step, const tn_softmax_params* params) {
  for (int32_t r = 0; r < step->rows; ++r) {
    for (int32_t x = step->x0; x < step->x1; ++x) {
      softmax_pixel(params, step->input[r] + x * params->depth, step->output[r] + x * params->depth);
    }
  }
}
