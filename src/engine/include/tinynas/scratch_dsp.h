/* Scratch of the DSP kernels; included by scratch.h only. What the set has no body for runs the portable one. */
#ifndef TINYNAS_SCRATCH_DSP_H
#define TINYNAS_SCRATCH_DSP_H

/* Gathered activations that a tile of pixels may take, unless four pixels take more. */
#define TN_DSP_TILE_BYTES 3072
/* The same with weights of 4 bits, which are expanded anew for every tile. */
#define TN_DSP_TILE_S4_BYTES 6144
/* Words of expanded pairs, unless one pair takes more, and at most so many pairs; before them TN_DSP_LEAD, in each a header. */
#define TN_DSP_EXPANDED_WORDS 384
#define TN_DSP_EXPANDED_PAIRS 8
#define TN_DSP_LEAD 10
#define TN_DSP_PAIR_HEADER 12
/* Strips of the depthwise kernels: bytes of a row, rows, channels that are unpacked together. */
#define TN_DSP_STRIP_ROW 96
#define TN_DSP_STRIP_ROWS 13
#define TN_DSP_STRIP_CHANNELS 4

/* Steps of two input channels for a run of `length` values (dsp/gather.S). */
static inline int32_t tn_dsp_run_steps(int32_t length) { return length / 4 * 2 + (length % 4 + 1) / 2; }

/* Pixels gathered together when rows of `width` pixels with `steps` steps are computed: several whole rows, or part of one.
 */
static inline int32_t tn_dsp_tile_pixels(int32_t steps, int32_t width, int32_t rows, int32_t weight_bits) {
  int32_t pixels = (weight_bits == 4 ? TN_DSP_TILE_S4_BYTES : TN_DSP_TILE_BYTES) / (4 * steps);
  if (pixels >= width) return pixels / width < rows ? pixels / width * width : rows * width;
  pixels &= ~3;
  pixels = pixels < 4 ? 4 : pixels;
  return pixels < width ? pixels : width;
}

/* Pairs of channels whose weights of 4 bits are expanded together, and the bytes behind the tile that they take. */
static inline int32_t tn_dsp_expanded_pairs(int32_t steps) {
  const int32_t pairs = TN_DSP_EXPANDED_WORDS / (TN_DSP_PAIR_HEADER + steps);
  return pairs < 1 ? 1 : (pairs > TN_DSP_EXPANDED_PAIRS ? TN_DSP_EXPANDED_PAIRS : pairs);
}
static inline int32_t tn_dsp_expanded_bytes(int32_t steps, int32_t weight_bits) {
  if (weight_bits != 4) return 0;
  return 4 * (TN_DSP_LEAD + tn_dsp_expanded_pairs(steps) * (TN_DSP_PAIR_HEADER + steps));
}

/* Four neighbouring windows of one kernel row, their padding filled in. */
static inline int32_t tn_dsp_window_bytes(int32_t kernel_w, int32_t stride_w, int32_t input_c) {
  return tn_round_up4((3 * stride_w + kernel_w) * input_c);
}

/* Output rows that the strips of a depthwise step hold, and the input rows under them. */
static inline int32_t tn_dsp_strip_output_rows(int32_t kernel, int32_t stride, int32_t rows) {
  const int32_t most = (TN_DSP_STRIP_ROWS - kernel) / stride + 1;
  return rows < most ? rows : most;
}
static inline int32_t tn_dsp_strip_rows(int32_t kernel, int32_t stride, int32_t rows) {
  return (tn_dsp_strip_output_rows(kernel, stride, rows) - 1) * stride + kernel;
}

/* Words of a strip row that `outputs` outputs read, and whether four strips fit side by side into TN_DSP_STRIP_ROW. */
static inline int32_t tn_dsp_strip_words(int32_t kernel, int32_t stride, int32_t outputs) {
  return ((outputs - 1) * stride + kernel + 2) / 2;
}
static inline int32_t tn_dsp_strips_narrow(int32_t words) { return 4 * words * TN_DSP_STRIP_CHANNELS <= TN_DSP_STRIP_ROW; }

/* The last output of the last strip may read a few words more, whose values do not matter. */
static inline int32_t tn_dsp_strips_bytes(int32_t kernel, int32_t stride, int32_t width, int32_t rows) {
  const int32_t strips = tn_dsp_strips_narrow(tn_dsp_strip_words(kernel, stride, width)) ? 1 : TN_DSP_STRIP_CHANNELS;
  return strips * TN_DSP_STRIP_ROW * tn_dsp_strip_rows(kernel, stride, rows) + 16;
}

static inline int32_t tn_scratch_dsp(tn_kind kind, const tn_shape* s) {
  int32_t bytes = 0;
  if (kind == TN_KIND_POINTWISE || kind == TN_KIND_FULLY_CONNECTED) {
    const int32_t width = kind == TN_KIND_POINTWISE ? s->output_w : 1;
    const int32_t steps = tn_dsp_run_steps(s->input_c);
    bytes = 4 * steps * tn_dsp_tile_pixels(steps, width, s->rows_at_once, s->weight_bits);
    bytes += tn_dsp_expanded_bytes(steps, s->weight_bits);
  } else if (kind == TN_KIND_CONV2D && s->groups == 1) {
    const int32_t steps = s->kernel_h * tn_dsp_run_steps(s->kernel_w * s->input_c);
    const int32_t window = tn_dsp_window_bytes(s->kernel_w, s->stride_w, s->input_c);
    const int32_t expanded = tn_dsp_expanded_bytes(steps, s->weight_bits); /* when the window has been gathered */
    bytes = 4 * steps * tn_dsp_tile_pixels(steps, s->output_w, 1, s->weight_bits) + (window > expanded ? window : expanded);
  } else if (kind == TN_KIND_DEPTHWISE && s->kernel_h == s->kernel_w && s->kernel_h <= 7) {
    bytes = tn_dsp_strips_bytes(s->kernel_h, s->stride_w, s->output_w, s->rows_at_once);
  }
  const int32_t portable = tn_scratch_portable(kind, s);
  return bytes > portable ? bytes : portable;
}

#endif
