/* Scratch of the DSP kernels; included by scratch.h only. What the set has no body for runs the portable one. */
#ifndef TINYNAS_SCRATCH_DSP_H
#define TINYNAS_SCRATCH_DSP_H

/* Gathered activations that a tile of pixels may take, unless four pixels take more. */
#define TN_DSP_TILE_BYTES 3072
/* The same with weights of 4 bits, which are unpacked anew for every tile: in steps of one row and of several, which are
 * only computed where memory allows. */
#define TN_DSP_TILE_S4_BYTES 6144
#define TN_DSP_TILE_S4_ROWS_BYTES 12288
/* Words of unpacked pairs of output channels, unless one pair takes more; words in front of a pair's weights. */
#define TN_DSP_EXPANDED_WORDS 384
#define TN_DSP_PAIR_HEADER 10
/* Copied windows of a whole row of pixels may take as much. */
#define TN_DSP_WINDOW_BYTES 512
/* Strips of the depthwise kernels: bytes of a row, rows, channels that are unpacked together. */
#define TN_DSP_STRIP_ROW 96
#define TN_DSP_STRIP_ROWS 13
#define TN_DSP_STRIP_CHANNELS 4

/* Steps of two input channels for a run of `length` values (dsp/gather.S). */
static inline int32_t tn_dsp_run_steps(int32_t length) { return length / 4 * 2 + (length % 4 + 1) / 2; }

/* A tile of gathered pixels: words for the steps and for the address of the output. */
static inline int32_t tn_dsp_tile_bytes(int32_t steps, int32_t pixels) { return 4 * (steps + 1) * pixels; }

/* Pixels of a tile when `rows` rows of `width` are computed in a step: all of them, or whole blocks of four and, with
 * weights of 4 bits, what fits behind them. */
static inline int32_t tn_dsp_tile_pixels(int32_t steps, int32_t width, int32_t rows, int32_t weight_bits) {
  const int32_t bytes_s4 = rows > 1 ? TN_DSP_TILE_S4_ROWS_BYTES : TN_DSP_TILE_S4_BYTES;
  const int32_t fit =
      weight_bits == 4 ? bytes_s4 / tn_dsp_tile_bytes(steps, 1) : TN_DSP_TILE_BYTES / tn_dsp_tile_bytes(steps, 4) * 4;
  const int32_t most = fit > 4 ? fit : 4;
  return width * rows < most ? width * rows : most;
}

/* Words in front of the first pair of a packed matrix: a chunk of 32 weights that ends with the first (steps - 1) % 32 + 1
 * is loaded as a whole, 10 words of it from the pair's header. */
static inline int32_t tn_dsp_lead(int32_t steps) {
  const int32_t lead = 32 - TN_DSP_PAIR_HEADER - ((steps - 1) % 32 + 1);
  return lead > 0 ? lead : 0;
}

/* Pairs of channels whose weights of 4 bits are unpacked together, and the bytes in front of the tile that they take.
 * `map_bits`: 4 when inputs and outputs have 4 bits. */
static inline int32_t tn_dsp_expanded_pairs(int32_t steps) {
  const int32_t pairs = TN_DSP_EXPANDED_WORDS / (TN_DSP_PAIR_HEADER + steps);
  return pairs > 1 ? pairs : 1;
}
static inline int32_t tn_dsp_expanded_bytes(int32_t steps, int32_t map_bits, int32_t weight_bits) {
  if (weight_bits != 4) return 0;
  if (map_bits == 4) return 128 * ((steps + 15) / 16); /* of one four of channels: whole chunks of 16 steps */
  return 4 * (tn_dsp_lead(steps) + tn_dsp_expanded_pairs(steps) * (TN_DSP_PAIR_HEADER + steps));
}
static inline int32_t tn_dsp_matrix_bytes(const tn_shape* s, int32_t steps, int32_t width, int32_t rows) {
  const int32_t map_bits = s->input_bits == 4 && s->output_bits == 4 ? 4 : 8;
  return tn_dsp_expanded_bytes(steps, map_bits, s->weight_bits) +
         tn_dsp_tile_bytes(steps, tn_dsp_tile_pixels(steps, width, rows, s->weight_bits));
}

/* Columns under the windows of `pixels` neighbouring pixels. */
static inline int32_t tn_dsp_window_columns(int32_t kernel_w, int32_t stride_w, int32_t pixels) {
  return (pixels - 1) * stride_w + kernel_w;
}

/* Pixels whose windows are copied together where they meet padding: a whole row of `width` when that takes little, else a
 * block of four. `row_values`: values of a kernel column, that is kernel height times channels. */
static inline int32_t tn_dsp_window_pixels(int32_t kernel_w, int32_t stride_w, int32_t row_values, int32_t width) {
  const int32_t bytes = row_values * tn_dsp_window_columns(kernel_w, stride_w, width);
  return bytes <= TN_DSP_WINDOW_BYTES || width < 4 ? width : 4;
}

/* Copies of windows, and pointers to their rows. */
static inline int32_t tn_dsp_window_bytes(const tn_shape* s) {
  const int32_t pixels = tn_dsp_window_pixels(s->kernel_w, s->stride_w, s->kernel_h * s->input_c, s->output_w);
  const int32_t row = tn_dsp_window_columns(s->kernel_w, s->stride_w, pixels) * s->input_c;
  return 4 * s->kernel_h + tn_round_up4(s->kernel_h * row);
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

/* Channels of whole planar rows that are unpacked together, their strips side by side behind a left padding of `pad_left`
 * columns: several where the columns that a plane's last word lacks are padding enough between two of them. `end`: columns
 * from the map's first on that the outputs read. */
static inline int32_t tn_dsp_channels_together(int32_t channels, int32_t columns, int32_t pad_left, int32_t end) {
  const int32_t words = (columns + 3) / 4, left = (pad_left + 1) / 2, right = end - columns;
  int32_t together = right < 0 || 4 * words < columns + (right > pad_left ? right : pad_left) ? 1 : 8;
  while (channels % together != 0 || (together > 1 && 4 * (left + 2 * words * together) > TN_DSP_STRIP_ROW)) together /= 2;
  return together;
}

/* The last output of the last strip may read a few words more, whose values do not matter. */
static inline int32_t tn_dsp_strips_bytes(int32_t kernel, int32_t stride, int32_t width, int32_t rows) {
  const int32_t strips = tn_dsp_strips_narrow(tn_dsp_strip_words(kernel, stride, width)) ? 1 : TN_DSP_STRIP_CHANNELS;
  return strips * TN_DSP_STRIP_ROW * tn_dsp_strip_rows(kernel, stride, rows) + 16;
}

/* Outputs of four channels before they are packed to 4 bits, in front of the strips. */
static inline int32_t tn_dsp_staged_bytes(int32_t outputs) { return TN_DSP_STRIP_CHANNELS * outputs; }

/* Outputs of a strip row at most. */
static inline int32_t tn_dsp_strip_outputs(int32_t stride) { return 40 / stride; }

static inline int32_t tn_scratch_dsp(tn_kind kind, const tn_shape* s) {
  int32_t bytes = 0;
  if (kind == TN_KIND_POINTWISE || kind == TN_KIND_FULLY_CONNECTED) {
    const int32_t width = kind == TN_KIND_POINTWISE ? s->output_w : 1;
    const int32_t steps = tn_dsp_run_steps(s->input_c);
    bytes = tn_dsp_matrix_bytes(s, steps, width, s->rows_at_once);
  } else if (kind == TN_KIND_CONV2D && s->groups == 1) {
    const int32_t steps = s->kernel_h * tn_dsp_run_steps(s->kernel_w * s->input_c);
    bytes = tn_dsp_matrix_bytes(s, steps, s->output_w, 1) + tn_dsp_window_bytes(s);
    if (s->output_bits == 4) bytes += tn_round_up4(s->output_w * s->output_c); /* a row before it is packed */
  } else if (kind == TN_KIND_DEPTHWISE && s->kernel_h == s->kernel_w && s->kernel_h <= 7) {
    bytes = tn_dsp_strips_bytes(s->kernel_h, s->stride_w, s->output_w, s->rows_at_once);
    if (s->output_bits == 4) {
      const int32_t most = tn_dsp_strip_outputs(s->stride_w), outputs = s->output_w < most ? s->output_w : most;
      bytes += tn_dsp_staged_bytes(outputs * tn_dsp_strip_output_rows(s->kernel_h, s->stride_w, s->rows_at_once));
    }
  }
  const int32_t portable = tn_scratch_portable(kind, s);
  return bytes > portable ? bytes : portable;
}

#endif
