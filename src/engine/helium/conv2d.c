/* Convolution: windows of some output pixels gathered one after the other, then multiplied as pixels are. */
#include <arm_mve.h>

#include "tinynas/helium.h"

/* One kernel row of some neighbouring windows. */
typedef struct {
  const int8_t* row; /* of the input; NULL: padding */
  int8_t* windows;   /* where the first one's kernel row goes */
  int32_t x, count;  /* first window and how many */
} task;

/* Windows that lie inside the map: their columns follow each other in the row. */
static void copy_inside(const tn_helium_conv2d_params* p, task t) {
  const tn_geometry* g = &p->geometry;
  const tn_helium_copy_args args = {t.row + (t.x * g->stride_w - g->pad_left) * p->input_c,
                                    t.windows,
                                    g->stride_w * p->input_c,
                                    p->window_bytes,
                                    t.count,
                                    g->kernel_w * p->input_c};
  tn_helium_copy(&args);
}

/* `bytes` bytes: those in [from, to) from the row, padding elsewhere. */
static void copy_padded(const int8_t* row, int8_t* window, int32_t from, int32_t to, int32_t bytes, int8x16_t padding) {
  for (; bytes > 0; bytes -= 16, row += 16, window += 16, from -= 16, to -= 16) {
    const mve_pred16_t below_to = vctp8q((uint32_t)(to > 0 ? to : 0)), below_from = vctp8q((uint32_t)(from > 0 ? from : 0));
    const mve_pred16_t inside = below_to & (mve_pred16_t)~below_from;
    vstrbq_p_s8(window, vpselq_s8(vldrbq_z_s8(row, inside), padding, inside), vctp8q((uint32_t)bytes));
  }
}

/* A window at the border or with dilated columns. */
static void copy_border(const tn_helium_conv2d_params* p, task t) {
  const tn_geometry* g = &p->geometry;
  const int8x16_t padding = vdupq_n_s8((int8_t)p->input_zero_point);
  const int32_t c = p->input_c, first = t.x * g->stride_w - g->pad_left;
  if (t.row == NULL) {
    copy_padded(t.windows, t.windows, 0, 0, g->kernel_w * c, padding);
  } else if (g->dilation_w == 1) {
    copy_padded(t.row + first * c, t.windows, -first * c, (g->input_w - first) * c, g->kernel_w * c, padding);
  } else {
    for (int32_t j = 0, x = first; j < g->kernel_w; ++j, x += g->dilation_w)
      copy_padded(t.row + x * c, t.windows + j * c, 0, x >= 0 && x < g->input_w ? c : 0, c, padding);
  }
}

/* Windows [x, x + pixels) of one output row. */
static void gather_row(const tn_helium_conv2d_params* p, const int8_t* const* rows, int32_t x, int32_t pixels,
                       int8_t* windows) {
  for (int32_t k = 0; k < p->geometry.kernel_h; ++k, windows += p->geometry.kernel_w * p->input_c) {
    task t = {rows[k * p->geometry.dilation_h], windows, x, 1};
    for (int32_t i = 0; i < pixels; i += t.count) {
      const int32_t inside = t.row == NULL ? 0 : p->inside_end - (x + i);
      t.x = x + i;
      t.windows = windows + i * p->window_bytes;
      t.count = 1;
      if (t.x < p->inside_begin || inside <= 0) {
        copy_border(p, t);
      } else {
        t.count = inside < pixels - i ? inside : pixels - i;
        copy_inside(p, t);
      }
    }
  }
}

/* Windows [first, first + pixels) of the step's output rows, counted from row r on. */
static void gather(const tn_helium_conv2d_params* p, const tn_step* step, int32_t r, int32_t first, int32_t pixels) {
  const int32_t width = step->x1 - step->x0;
  int8_t* windows = step->scratch;
  for (r += first / width, first %= width; pixels > 0; ++r, first = 0) {
    const int32_t count = width - first < pixels ? width - first : pixels;
    gather_row(p, step->input + r * p->geometry.stride_h, step->x0 + first, count, windows);
    windows += count * p->window_bytes;
    pixels -= count;
  }
}

void tn_helium_conv2d(const tn_step* step, const tn_helium_conv2d_params* p) {
  const int32_t out_c = p->matrix.output_c, width = step->x1 - step->x0;
  for (int32_t r = 0; r < step->rows;) {
    const int32_t rows = tn_helium_joined((const int8_t* const*)step->output + r, step->rows - r, width * out_c);
    for (int32_t i = 0; i < rows * width; i += p->windows) {
      const int32_t pixels = rows * width - i < p->windows ? rows * width - i : p->windows;
      gather(p, step, r, i, pixels);
      tn_helium_multiply(&p->matrix, step->scratch, p->window_bytes, pixels, step->output[r] + (step->x0 + i) * out_c);
    }
    r += rows;
  }
}
