// Work of convolutions, 1x1 convolutions and fully connected layers: matrices times blocks of pixels.
#include <variant>

#include "oracle/kernels/dsp_bodies.h"
#include "oracle/kernels/kernel_run.h"

namespace tinynas {
namespace {

constexpr std::int32_t kChunkSteps = 32;  // of two channels' weights that dsp/tile.S keeps in registers; of four: half
constexpr std::int32_t kLanes = 16;       // input values of a step of Helium
constexpr std::int32_t kCopyBytes = 8;    // of a turn of the portable copy

/// Weights of one output channel as runs of values that follow each other in the map, and the columns of the output.
struct Matrix {
  std::int32_t runs = 1, run_length = 1, channels = 1, columns = 1;
  bool windows = false;  // gathered before they are multiplied

  [[nodiscard]] std::int32_t depth() const { return runs * run_length; }
};

/// Output columns whose windows lie between the left and the right border.
std::int32_t inside_columns(const KernelRun& run) {
  const auto& w = run.window.window;
  const std::int32_t room = run.shape.input_w + w.padding.left - (run.window.kernel_w - 1) * w.dilation_w - 1;
  if (room < 0) return 0;
  const auto end = std::min(run.shape.output_w, room / w.stride_w + 1);
  return std::max(0, end - static_cast<std::int32_t>(ceil_div(w.padding.left, w.stride_w)));
}

// DSP: tiles of pixels, gathered once, times pairs or fours of channels.

struct DspTiles {
  std::int32_t group_channels, tile_pixels;
  bool unpacks;       // weights of 4 bits
  bool blocks_alone;  // no single pixels
  bool planar;        // outputs
};

void dsp_tiles(const Matrix& m, const DspTiles& form, std::int64_t pixels, Terms& terms) {
  const std::int32_t steps = m.runs * tn_dsp_run_steps(m.run_length);
  const std::int64_t groups = ceil_div(m.channels, form.group_channels);
  const std::int64_t blocks = form.blocks_alone ? ceil_div(pixels, 4) : pixels / 4;
  const std::int64_t singles = form.blocks_alone ? 0 : pixels % 4;
  const std::int64_t tiles = pixels <= form.tile_pixels ? 1 : 1 + ceil_div(pixels - form.tile_pixels, form.tile_pixels & ~3);
  count(terms, Term::tile, tiles);
  count(terms, Term::group, tiles * groups);
  if (form.unpacks) count(terms, Term::group_step, tiles * groups * steps);
  count(terms, Term::block, blocks * groups);
  count(terms, Term::block_step, blocks * groups * steps);
  if (form.planar && !form.blocks_alone) count(terms, Term::separated, blocks * groups);
  count(terms, Term::part, singles * groups);
  count(terms, Term::part_step, singles * groups * steps);
  count(terms, Term::chunk, (blocks + singles) * groups * ((steps - 1) / (kChunkSteps * 2 / form.group_channels)));
  count(terms, Term::gather, (blocks + singles) * m.runs);
  count(terms, Term::gather_step, pixels * steps);
}

/// Copies of windows that dsp/conv2d.c makes for one output row.
void dsp_copies(const KernelRun& run, bool plain, Terms& terms) {
  const auto& s = run.shape;
  const std::int32_t left = run.window.window.padding.left;
  const std::int32_t most = tn_dsp_window_pixels(s.kernel_w, s.stride_w, s.kernel_h * s.input_c, s.output_w);
  std::int32_t copied_to = 0;
  for (std::int32_t x = 0, now = 0; x < s.output_w; x += now) {
    now = s.output_w - x < 4 ? 1 : 4;
    const std::int32_t first = x * s.stride_w - left;
    const bool inside = first >= 0 && first + tn_dsp_window_columns(s.kernel_w, s.stride_w, now) <= s.input_w;
    if ((plain && inside) || x + now <= copied_to) continue;
    const auto pixels = std::min(most, s.output_w - x);
    copied_to = x + pixels;
    count(terms, Term::border, s.kernel_h);
    count(terms, Term::border_byte,
          std::int64_t{s.kernel_h} * tn_dsp_window_columns(s.kernel_w, s.stride_w, pixels) * s.input_c);
  }
}

void dsp_matrix(const KernelRun& run, const Matrix& m, Terms& terms) {
  const std::int32_t steps = m.runs * tn_dsp_run_steps(m.run_length);
  const std::int32_t rows_at_once = m.windows ? 1 : run.shape.rows_at_once, bits = run.shape.weight_bits;
  const DspTiles form{dsp_body(run.graph, run.op) == DspBody::quads ? 4 : 2,
                      tn_dsp_tile_pixels(steps, m.columns, rows_at_once, bits), bits == 4,
                      dsp_weights_w16(run.graph, run.op, run.output), run.output == Layout::planar};
  if (!m.windows) {
    run.steps([&](std::int32_t /*y*/, std::int32_t rows) { dsp_tiles(m, form, std::int64_t{rows} * m.columns, terms); });
    return;
  }
  for (std::int32_t y = 0; y < run.rows; ++y) {
    dsp_tiles(m, form, m.columns, terms);
    dsp_copies(run, run.rows_inside(y, 1) == run.window.kernel_h, terms);
  }
}

// Helium: blocks of four pixels, the last one filled up, times pairs of channels.

void helium_multiply(const Matrix& m, std::int64_t pixels, Terms& terms) {
  const std::int64_t blocks = ceil_div(pixels, 4), pairs = ceil_div(m.channels, 2);
  count(terms, Term::tile, (pixels >= 4 ? 1 : 0) + (pixels % 4 != 0 ? 1 : 0));
  count(terms, Term::group, blocks);
  count(terms, Term::block, blocks * pairs);
  count(terms, Term::block_step, blocks * pairs * ceil_div(m.depth(), kLanes));
}

void helium_windows(const KernelRun& run, const Matrix& m, std::int32_t y, std::int32_t rows, Terms& terms) {
  const std::int64_t words = ceil_div(m.run_length, kLanes);
  for (std::int32_t r = y; r < y + rows; ++r) {
    const std::int64_t there = run.rows_inside(r, 1), inside = there * inside_columns(run);
    const std::int64_t border = std::int64_t{run.window.kernel_h} * m.columns - inside;
    count(terms, Term::gather, there);
    count(terms, Term::gather_step, inside * words);
    count(terms, Term::border, border);
    count(terms, Term::border_byte, border * words);
  }
}

void helium_matrix(const KernelRun& run, const Matrix& m, Terms& terms) {
  const std::int64_t most =
      m.windows ? tn_helium_windows(tn_helium_window_bytes(m.depth()), m.columns * run.shape.rows_at_once) : INT32_MAX;
  run.steps([&](std::int32_t y, std::int32_t rows) {
    for (auto left = std::int64_t{rows} * m.columns; left > 0; left -= most) {
      helium_multiply(m, std::min(left, most), terms);
    }
    if (m.windows) helium_windows(run, m, y, rows, terms);
  });
}

// Thumb-2 and portable: pairs of pixels times four channels; the channels behind them one by one.

void paired_matrix(const KernelRun& run, const Matrix& m, Terms& terms) {
  const std::int64_t groups = m.channels / 4, rest = m.channels % 4, depth = m.depth();
  run.steps([&](std::int32_t y, std::int32_t rows) {
    const std::int64_t pixels = std::int64_t{rows} * m.columns, pairs = pixels / 2, odd = pixels % 2;
    count(terms, Term::tile, pairs + odd);
    count(terms, Term::block, pairs * groups);
    count(terms, Term::block_step, pairs * groups * depth);
    count(terms, Term::part, odd * groups);
    count(terms, Term::part_step, odd * groups * depth);
    count(terms, Term::rest, pixels * rest);
    count(terms, Term::rest_step, pixels * rest * depth);
    if (!m.windows) return;
    count(terms, Term::gather, pixels * m.runs);
    for (auto r = y; r < y + rows; ++r) {
      const std::int64_t inside = std::int64_t{run.rows_inside(r, 1)} * inside_columns(run);
      const std::int64_t border = std::int64_t{m.runs} * m.columns - inside;
      count(terms, Term::gather_step, inside * (m.run_length / kCopyBytes + m.run_length % kCopyBytes));
      count(terms, Term::border, border);
      count(terms, Term::border_byte, border * m.run_length);
    }
  });
}

Matrix matrix_of(const KernelRun& run) {
  const auto& s = run.shape;
  if (std::holds_alternative<FullyConnected>(run.op.kind)) return {1, s.input_c, s.output_c, s.output_w, false};
  const bool pointwise = kernel_kind(run.graph, run.op) == TN_KIND_POINTWISE;
  return {s.kernel_h, s.kernel_w * s.input_c, s.output_c, s.output_w, !pointwise};
}

std::string name_of(const KernelRun& run, const Matrix& m) {
  if (std::holds_alternative<FullyConnected>(run.op.kind)) return "fully_connected";
  std::string name = m.windows ? "conv2d" : "pointwise";
  if (fused_activation(run.op.kind) == Activation::none) name += "_linear";
  return run.output == Layout::planar ? name + "_planar" : name;
}

}  // namespace

std::string matrix_work(const KernelRun& run, Terms& terms) {
  const bool dense = std::holds_alternative<FullyConnected>(run.op.kind);
  if ((!dense && !std::holds_alternative<Conv2D>(run.op.kind)) || run.shape.groups != 1) return "";
  const Matrix m = matrix_of(run);
  const std::string name = name_of(run, m);
  if (run.set == TN_SET_HELIUM && m.channels >= 2 && helium_serves_maps(run.graph, run.op)) {
    helium_matrix(run, m, terms);
    return m.depth() <= kLanes ? name + "_single" : name;
  }
  const bool dsp = run.set == TN_SET_DSP || run.set == TN_SET_HELIUM;
  if (dsp && dsp_body(run.graph, run.op) != DspBody::none) {
    dsp_matrix(run, m, terms);
    return run.set == TN_SET_HELIUM ? name + "_dsp" : name;
  }
  paired_matrix(run, m, terms);
  if (run.shape.input_bits == 4 || run.shape.weight_bits == 4 || run.shape.output_bits == 4)
    return "conv2d_portable";  // one body
  return dsp ? name + "_portable" : name;
}

}  // namespace tinynas
