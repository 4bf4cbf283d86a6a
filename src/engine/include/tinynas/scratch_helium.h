/* Scratch of the Helium kernels; included by scratch.h only. Where the set has no body of its own the DSP one runs. */
#ifndef TINYNAS_SCRATCH_HELIUM_H
#define TINYNAS_SCRATCH_HELIUM_H

/* Bytes of gathered windows that a convolution multiplies at a time, unless four windows take more. */
#define TN_HELIUM_WINDOW_BYTES 2048

/* Windows of output pixels gathered together: a multiple of four, no more than `width` rounded up. */
static inline int32_t tn_helium_windows(int32_t window_bytes, int32_t width) {
  int32_t pixels = (TN_HELIUM_WINDOW_BYTES / window_bytes) & ~3;
  pixels = pixels < 4 ? 4 : pixels;
  return pixels < ((width + 3) & ~3) ? pixels : (width + 3) & ~3;
}

/* Padded rows of 16 channels that a depthwise step copies: their columns, and the output rows that share them. */
#define TN_HELIUM_LANE_BYTES 4096
static inline int32_t tn_helium_lane_columns(int32_t kernel_w, int32_t stride, int32_t output_w) {
  return ((output_w < 4 ? 4 : output_w) - 1) * stride + kernel_w;
}
static inline int32_t tn_helium_lane_rows(int32_t kernel_h, int32_t stride, int32_t columns, int32_t rows) {
  const int32_t room = TN_HELIUM_LANE_BYTES / (16 * columns);
  const int32_t most = room < kernel_h ? 1 : (room - kernel_h) / stride + 1;
  return rows < most ? rows : most;
}

static inline int32_t tn_scratch_helium(tn_kind kind, const tn_shape* s) {
  if (s->weight_bits == 4) return tn_scratch_dsp(kind, s); /* runs those kernels */
  int32_t bytes = 0;
  if (kind == TN_KIND_CONV2D && s->groups == 1) {
    const int32_t window = s->kernel_h * s->kernel_w * s->input_c;
    bytes = tn_round_up4(window * tn_helium_windows(window, s->output_w));
  } else if (kind == TN_KIND_DEPTHWISE) {
    const int32_t columns = tn_helium_lane_columns(s->kernel_w, s->stride_w, s->output_w);
    const int32_t rows = tn_helium_lane_rows(s->kernel_h, s->stride_w, columns, s->rows_at_once);
    const int32_t strips = tn_scratch_dsp(kind, s);
    bytes = 16 * columns * ((rows - 1) * s->stride_w + s->kernel_h);
    bytes = bytes > strips ? bytes : strips;
  } else if (kind != TN_KIND_POINTWISE && kind != TN_KIND_FULLY_CONNECTED) {
    bytes = tn_scratch_dsp(kind, s);
  }
  const int32_t portable = tn_scratch_portable(kind, s);
  return bytes > portable ? bytes : portable;
}

#endif
