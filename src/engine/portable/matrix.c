/* Pixels times output channels. */
#include "matrix.h"

/* On cores with 13 registers GCC keeps the sums in registers only when it does not reorder the loads. */
#if defined(__GNUC__) && !defined(__clang__) && defined(__arm__)
#define INNER_LOOP __attribute__((noinline, optimize("Os")))
#else
#define INNER_LOOP
#endif

/* sums[c] and sums[4 + c]: channel c of the pixels at x and y. */
static INNER_LOOP void dot_4_by_2(const int8_t* x, const int8_t* y, const int8_t* w, int32_t depth, int32_t* sums) {
  const int8_t* const end = w + 4 * depth;
  int32_t a0 = sums[0], a1 = sums[1], a2 = sums[2], a3 = sums[3];
  int32_t b0 = sums[0], b1 = sums[1], b2 = sums[2], b3 = sums[3];
#define TERM(i)                       \
  {                                   \
    const int32_t p = x[i], q = y[i]; \
    int32_t v = w[4 * (i)];           \
    a0 += p * v;                      \
    b0 += q * v;                      \
    v = w[4 * (i) + 1];               \
    a1 += p * v;                      \
    b1 += q * v;                      \
    v = w[4 * (i) + 2];               \
    a2 += p * v;                      \
    b2 += q * v;                      \
    v = w[4 * (i) + 3];               \
    a3 += p * v;                      \
    b3 += q * v;                      \
  }
  for (; end - w >= 16; x += 4, y += 4, w += 16) {
    TERM(0)
    TERM(1)
    TERM(2)
    TERM(3)
  }
  for (; w != end; ++x, ++y, w += 4) TERM(0)
#undef TERM
  sums[0] = a0;
  sums[1] = a1;
  sums[2] = a2;
  sums[3] = a3;
  sums[4] = b0;
  sums[5] = b1;
  sums[6] = b2;
  sums[7] = b3;
}

/* The same for one pixel. */
static INNER_LOOP void dot_4_by_1(const int8_t* x, const int8_t* w, int32_t depth, int32_t* sums) {
  const int8_t* const end = w + 4 * depth;
  int32_t a0 = sums[0], a1 = sums[1], a2 = sums[2], a3 = sums[3];
  for (; w != end; ++x, w += 4) {
    const int32_t p = *x;
    a0 += p * w[0];
    a1 += p * w[1];
    a2 += p * w[2];
    a3 += p * w[3];
  }
  sums[0] = a0;
  sums[1] = a1;
  sums[2] = a2;
  sums[3] = a3;
}

static tn_output_stage stage_of(const tn_pixel_pair* pair) {
  const tn_output_stage stage = {pair->bias, pair->multiplier, pair->shift, pair->zero_point, pair->low, pair->high};
  return stage;
}

void tn_blocks(const tn_pixel_pair* pair) {
  const tn_output_stage stage = stage_of(pair);
  const int8_t* weights = pair->weights;
  int32_t sums[2 * TN_BLOCK_CHANNELS];
  for (int32_t c = 0; c < TN_BLOCK_CHANNELS * pair->blocks; c += TN_BLOCK_CHANNELS) {
    for (int32_t i = 0; i < TN_BLOCK_CHANNELS; ++i) sums[i] = stage.bias[c + i];
    if (pair->pixels == 2) {
      dot_4_by_2(pair->pixel[0], pair->pixel[1], weights, pair->depth, sums);
      tn_finish_channels(&stage, c, TN_BLOCK_CHANNELS, sums + TN_BLOCK_CHANNELS, pair->output[1] + c);
    } else {
      dot_4_by_1(pair->pixel[0], weights, pair->depth, sums);
    }
    tn_finish_channels(&stage, c, TN_BLOCK_CHANNELS, sums, pair->output[0] + c);
    weights += TN_BLOCK_CHANNELS * pair->depth;
  }
}

/* The last block, of fewer channels: one pixel. */
static void multiply_rest(const tn_matrix* matrix, int32_t pixel) {
  const tn_pixel_pair* pair = &matrix->pair;
  const tn_output_stage stage = stage_of(pair);
  const int32_t first = TN_BLOCK_CHANNELS * pair->blocks, count = matrix->channels - first;
  const int8_t* x = pair->pixel[pixel];
  for (int32_t c = 0; c < count; ++c) {
    const int8_t* weight = pair->weights + first * pair->depth + c;
    int32_t acc = stage.bias[first + c];
    for (int32_t i = 0; i < pair->depth; ++i, weight += count) acc += x[i] * *weight;
    pair->output[pixel][first + c] = tn_finish(&stage, first + c, acc);
  }
}

tn_matrix tn_matrix_of(tn_blocks_kernel* kernel, const tn_output_stage* stage, const int8_t* weights, int32_t depth,
                       int32_t first, int32_t channels) {
  const tn_pixel_pair pair = {.weights = weights,
                              .bias = stage->bias + first,
                              .multiplier = stage->multiplier + first,
                              .shift = stage->shift + first,
                              .zero_point = stage->zero_point,
                              .low = stage->low,
                              .high = stage->high,
                              .depth = depth,
                              .blocks = channels / TN_BLOCK_CHANNELS};
  const tn_matrix matrix = {kernel, pair, channels};
  return matrix;
}

void tn_multiply(const tn_matrix* matrix) {
  if (matrix->pair.blocks > 0) matrix->kernel(&matrix->pair);
  if (matrix->channels % TN_BLOCK_CHANNELS == 0) return;
  for (int32_t i = 0; i < matrix->pair.pixels; ++i) multiply_rest(matrix, i);
}
