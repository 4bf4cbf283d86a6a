/* Scratch of the Helium kernels; included by scratch.h only. Where the set has no body of its own the DSP one runs. */
#ifndef TINYNAS_SCRATCH_HELIUM_H
#define TINYNAS_SCRATCH_HELIUM_H

/* Bytes of gathered windows that a convolution multiplies at a time, unless four windows take more. */
#define TN_HELIUM_WINDOW_BYTES 2048

static inline int32_t tn_helium_window_bytes(int32_t length) { return tn_round_up4(length); }

/* Windows of output pixels gathered together: a multiple of four, no more than `most` rounded up. */
static inline int32_t tn_helium_windows(int32_t window_bytes, int32_t most) {
  int32_t pixels = (TN_HELIUM_WINDOW_BYTES / window_bytes) & ~3;
  pixels = pixels < 4 ? 4 : pixels;
  return pixels < ((most + 3) & ~3) ? pixels : (most + 3) & ~3;
}

/* Strips of a depthwise step (helium.h): eight padded planes. */
#define TN_HELIUM_STRIP_CHANNELS 8
#define TN_HELIUM_STRIP_BYTES 4096 /* unless one row or pair of rows takes more */
#define TN_HELIUM_STRIP_ROWS 16

/* Kernels and strides that strips serve; the others run without scratch. */
static inline int32_t tn_helium_has_strips(int32_t kernel_h, int32_t kernel_w, int32_t stride) {
  return kernel_h <= 7 && kernel_w <= 8 && stride <= 2;
}

typedef struct {
  int32_t pair;    /* 1: two output rows a pass */
  int32_t depth;   /* rows of a group, 2 or 4 */
  int32_t steps;   /* row groups under the windows of a pass */
  int32_t rows;    /* output rows whose strips are there together */
  int32_t groups;  /* for those rows */
  int32_t columns; /* of a strip */
} tn_helium_strips;

static inline int32_t tn_helium_strips_bytes(const tn_helium_strips* s) {
  return TN_HELIUM_STRIP_CHANNELS * s->groups * s->columns * s->depth;
}

/* For a step of `rows` output rows. */
static inline tn_helium_strips tn_helium_strips_of(int32_t kernel_h, int32_t kernel_w, int32_t stride, int32_t output_w,
                                                   int32_t rows) {
  tn_helium_strips s;
  s.pair = stride == 1 && rows > 1;
  s.depth = kernel_w <= 4 && kernel_h + s.pair <= 4 ? 4 : 2;
  s.steps = (kernel_h + s.pair + s.depth - 1) / s.depth;
  const int32_t block = s.pair ? 4 : 8;
  s.columns = ((output_w < block ? block : output_w) - 1) * stride + 16 / s.depth;
  s.rows = rows < TN_HELIUM_STRIP_ROWS ? rows : TN_HELIUM_STRIP_ROWS;
  for (;; s.rows = (s.rows - 1) & ~s.pair) {
    const int32_t passes = s.pair ? (s.rows + 1) / 2 : s.rows;
    s.groups = passes + s.steps - 1;
    if (s.rows <= 1 + s.pair || tn_helium_strips_bytes(&s) <= TN_HELIUM_STRIP_BYTES) return s;
  }
}

/* Rows of 4-bit values as bytes, with pointers to them; whole vectors of 32 are written and read. 0 values: none. */
static inline int32_t tn_helium_wide_bytes(int32_t rows, int32_t values) {
  return values == 0 ? 0 : tn_round_up4(rows * (4 + values) + 32);
}

typedef struct {
  int16_t kernel_h, stride_h;
  int32_t input_values, output_values; /* of a row of 4-bit values; 0: that map is of int8 */
} tn_helium_maps;

static inline tn_helium_maps tn_helium_maps_of(const tn_shape* s) {
  tn_helium_maps maps;
  maps.kernel_h = (int16_t)s->kernel_h;
  maps.stride_h = (int16_t)s->stride_h;
  maps.input_values = s->input_bits == 4 ? s->input_w * s->input_c : 0;
  maps.output_values = s->output_bits == 4 ? s->output_w * s->output_c : 0;
  return maps;
}

/* Whether the kernels of int8 maps compute on maps of 4 bits, widened for the step: rows of whole bytes, each of them under
 * a window. */
static inline int tn_helium_widens(tn_kind kind, const tn_shape* s) {
  const tn_helium_maps maps = tn_helium_maps_of(s);
  const int matrix = (kind == TN_KIND_POINTWISE || (kind == TN_KIND_CONV2D && s->groups == 1)) && s->output_c >= 2;
  return (matrix || (kind == TN_KIND_DEPTHWISE && s->output_c == s->input_c)) && s->dilation_h == 1 &&
         s->stride_h <= s->kernel_h && maps.input_values % 2 == 0 && maps.output_values % 2 == 0;
}

static inline int32_t tn_scratch_helium(tn_kind kind, const tn_shape* s) {
  int32_t bytes = 0;
  const int four_bit_maps = s->input_bits == 4 || s->output_bits == 4;
  if ((four_bit_maps && !tn_helium_widens(kind, s)) ||
      (s->output_c < 2 && kind != TN_KIND_DEPTHWISE)) { /* the matrix kernels take pairs of channels */
    bytes = tn_scratch_dsp(kind, s);
  } else if (kind == TN_KIND_CONV2D && s->groups == 1) {
    const int32_t window = tn_helium_window_bytes(s->kernel_h * s->kernel_w * s->input_c);
    bytes = window * tn_helium_windows(window, s->output_w * s->rows_at_once);
  } else if (kind == TN_KIND_DEPTHWISE) {
    const tn_helium_strips strips = tn_helium_strips_of(s->kernel_h, s->kernel_w, s->stride_w, s->output_w, s->rows_at_once);
    bytes = tn_helium_has_strips(s->kernel_h, s->kernel_w, s->stride_w) ? tn_helium_strips_bytes(&strips) : 0;
  } else if (kind != TN_KIND_POINTWISE && kind != TN_KIND_FULLY_CONNECTED) {
    bytes = tn_scratch_dsp(kind, s);
  }
  if (four_bit_maps && tn_helium_widens(kind, s)) {
    const tn_helium_maps maps = tn_helium_maps_of(s);
    bytes += tn_helium_wide_bytes((s->rows_at_once - 1) * s->stride_h + s->kernel_h, maps.input_values) +
             tn_helium_wide_bytes(s->rows_at_once, maps.output_values);
  }
  const int32_t portable = tn_scratch_portable(kind, s);
  return bytes > portable ? bytes : portable;
}

#endif
