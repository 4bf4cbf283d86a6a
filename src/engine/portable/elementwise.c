/* ADD, MUL, tables, PReLU. */
#include "tinynas/elementwise.h"

#include "finish.h"

/* Bits that TensorFlow Lite adds to both inputs before they are brought to their common scale. */
#define ADD_LEFT_SHIFT 20

/* tn_requantize by a factor whose shift is not positive, as constants: with e = -shift it is
 *
 *     floor((2 acc * m + 2^31 + [e > 0] * (2^(31 + e) - [acc < 0] * 2^32)) / 2^(32 + e)),     |acc| < 2^30
 */
typedef struct {
  int32_t multiplier, addend, sign, shift;
} factor;

static factor factor_of(int32_t multiplier, int32_t shift) {
  const factor f = {multiplier, shift < 0 ? INT32_C(1) << (-shift - 1) : 0, shift < 0 ? -1 : 0, -shift};
  return f;
}

/* From 2 acc. */
static inline int32_t scale(int32_t twice, const factor* f) {
  const int64_t nudge =
      (int64_t)(((uint64_t)(uint32_t)(f->addend + ((twice >> 31) & f->sign)) << 32) | UINT32_C(0x80000000));
  return (int32_t)(((int64_t)twice * f->multiplier + nudge) >> 32) >> f->shift;
}

/* A row of values in steps of `first_step` and `second_step`. The inputs' shifts are never positive: their common scale is
 * at least twice theirs. */
static void add_run(const tn_add_params* p, const int8_t* a, const int8_t* b, int32_t count, int8_t* out) {
  const factor first = factor_of(p->first_multiplier, p->first_shift),
               second = factor_of(p->second_multiplier, p->second_shift),
               sum = factor_of(p->output_multiplier, p->output_shift);
  const int32_t first_zero = p->first_zero_point * (1 << (ADD_LEFT_SHIFT + 1)),
                second_zero = p->second_zero_point * (1 << (ADD_LEFT_SHIFT + 1));
  const int32_t first_step = p->first.channel_stride, second_step = p->second.channel_stride;
  const int32_t zero_point = p->output_zero_point, low = p->low, high = p->high;
  const int left = p->output_shift > 0;
  for (; count > 0; --count, a += first_step, b += second_step) {
    const int32_t x = *a * (1 << (ADD_LEFT_SHIFT + 1)) - first_zero, y = *b * (1 << (ADD_LEFT_SHIFT + 1)) - second_zero;
    const int32_t total = scale(x, &first) + scale(y, &second);
    const int32_t value = left ? tn_requantize(total, sum.multiplier, p->output_shift) : scale(2 * total, &sum);
    *out++ = (int8_t)tn_clamp(value + zero_point, low, high);
  }
}

void tn_add(const tn_step* step, const tn_add_params* params) {
  const int32_t channels = params->channels;
  const int dense = params->first.pixel_stride == channels && params->second.pixel_stride == channels &&
                    params->first.channel_stride == 1 && params->second.channel_stride == 1;
  const int32_t run = dense ? channels * (step->x1 - step->x0) : channels; /* values of one call */
  for (int32_t r = 0; r < step->rows; ++r) {
    for (int32_t x = step->x0; x < step->x1; x += dense ? step->x1 : 1) {
      add_run(params, step->input[r] + x * params->first.pixel_stride, step->second[r] + x * params->second.pixel_stride,
              run, step->output[r] + x * channels);
    }
  }
}

void tn_mul(const tn_step* step, const tn_mul_params* params) {
  for (int32_t r = 0; r < step->rows; ++r) {
    int8_t* out = step->output[r] + step->x0 * params->channels;
    for (int32_t x = step->x0; x < step->x1; ++x) {
      const int8_t* a = step->input[r] + x * params->first.pixel_stride;
      const int8_t* b = step->second[r] + x * params->second.pixel_stride;
      for (int32_t c = 0; c < params->channels; ++c, a += params->first.channel_stride, b += params->second.channel_stride) {
        const int32_t product = (*a - params->first_zero_point) * (*b - params->second_zero_point);
        const int32_t value =
            tn_requantize_fast(product, params->output_multiplier, params->output_shift) + params->output_zero_point;
        *out++ = (int8_t)tn_clamp(value, params->low, params->high);
      }
    }
  }
}

void tn_lookup(const tn_step* step, const tn_lookup_params* params) {
  for (int32_t r = 0; r < step->rows; ++r) {
    for (int32_t i = step->x0 * params->values; i < step->x1 * params->values; ++i) {
      step->output[r][i] = (int8_t)params->table[(uint8_t)step->input[r][i]];
    }
  }
}

void tn_prelu(const tn_step* step, const tn_prelu_params* params) {
  for (int32_t r = 0; r < step->rows; ++r) {
    for (int32_t x = step->x0; x < step->x1; ++x) {
      for (int32_t c = 0; c < params->channels; ++c) {
        const int32_t at = x * params->channels + c;
        const int32_t value = step->input[r][at] - params->input_zero_point;
        const int32_t slope = params->alpha[c] - params->alpha_zero_point;
        const int32_t result = value >= 0 ? tn_requantize_fast(value, params->identity_multiplier, params->identity_shift)
                                          : tn_requantize_fast(value * slope, params->slope_multiplier, params->slope_shift);
        step->output[r][at] = (int8_t)tn_clamp(result + params->output_zero_point, -128, 127);
      }
    }
  }
}
