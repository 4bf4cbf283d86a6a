// Work of depthwise convolutions: strips of some rows and columns of a channel, or lists of taps.
#include <variant>

#include "oracle/kernels/dsp_bodies.h"
#include "oracle/kernels/kernel_run.h"

namespace tinynas {
namespace {

/// Channels whose planar rows are unpacked together for `columns` columns of the output.
std::int32_t channels_together(const KernelRun& run, std::int32_t columns) {
  const auto& s = run.shape;
  if (columns != s.output_w) return 1;
  return tn_dsp_channels_together(s.input_c, s.input_w, s.pad_left, (columns - 1) * s.stride_w + s.kernel_w - s.pad_left);
}

/// One strip: output rows [y, y + rows) of some columns.
void dsp_strip(const KernelRun& run, std::int32_t y, std::int32_t rows, std::int32_t columns, Terms& terms) {
  const std::int32_t k = run.shape.kernel_h, stride = run.shape.stride_w, c = run.shape.input_c;
  const bool planar = run.input == Layout::planar;
  const std::int64_t channels = planar ? c : ceil_div(c, TN_DSP_STRIP_CHANNELS) * TN_DSP_STRIP_CHANNELS;
  const std::int64_t there = run.rows_inside(y, rows), strip_rows = (rows - 1) * stride + k;
  const std::int64_t words = ceil_div(std::min((columns - 1) * stride + k, run.shape.input_w), planar ? 4 : 2);
  const std::int64_t tail = columns % 4, fills = channels / (planar ? channels_together(run, columns) : 1);
  count(terms, Term::tile, 1);
  count(terms, Term::group, channels);
  count(terms, Term::group_row, channels * rows);
  count(terms, Term::block, channels * rows * (columns / 4));
  count(terms, Term::part, channels * rows * (tail / 2 + tail % 2));
  count(terms, Term::gather, fills * there);
  count(terms, Term::gather_step, channels * there * words);
  count(terms, Term::border, channels * (strip_rows - there));
}

void dsp_strips(const KernelRun& run, Terms& terms) {
  const std::int32_t longest = tn_dsp_strip_outputs(run.shape.stride_w);
  run.steps([&](std::int32_t y, std::int32_t count_rows) {
    const std::int32_t most = tn_dsp_strip_output_rows(run.shape.kernel_h, run.shape.stride_w, count_rows);
    for (std::int32_t r = 0; r < count_rows; r += most) {
      for (std::int32_t x = 0; x < run.shape.output_w; x += longest) {
        dsp_strip(run, y + r, std::min(most, count_rows - r), std::min(longest, run.shape.output_w - x), terms);
      }
    }
  });
}

/// Output rows [y, y + rows): eight channels at a time into planes, then channel by channel in passes of a row or two.
void helium_strip(const KernelRun& run, const tn_helium_strips& strips, std::int32_t y, std::int32_t rows, Terms& terms) {
  const std::int64_t c = run.shape.output_c, groups = ceil_div(c, TN_HELIUM_STRIP_CHANNELS);
  const std::int32_t passes = strips.pair != 0 ? (rows + 1) / 2 : rows, block = strips.pair != 0 ? 4 : 8;
  const std::int64_t pairs = ceil_div(run.rows_inside(y, rows), 2);
  const std::int64_t blocks = c * passes * ceil_div(run.shape.output_w, block);
  count(terms, Term::tile, 1);
  count(terms, Term::border_byte, tn_helium_strips_bytes(&strips));
  count(terms, Term::group, groups);
  count(terms, Term::gather, groups * pairs);
  count(terms, Term::gather_step, groups * pairs * std::min(run.shape.input_w, strips.columns - run.shape.pad_left));
  count(terms, Term::group_row, groups * passes);
  count(terms, Term::rest, c * passes);
  count(terms, Term::block, blocks);
  count(terms, Term::block_step, blocks * strips.steps);
}

std::string helium_strips(const KernelRun& run, Terms& terms) {
  const auto& s = run.shape;
  const auto strips = tn_helium_strips_of(s.kernel_h, s.kernel_w, s.stride_w, s.output_w, s.rows_at_once);
  run.steps([&](std::int32_t y, std::int32_t rows) {
    for (std::int32_t r = 0; r < rows; r += strips.rows) {
      helium_strip(run, strips, y + r, std::min(strips.rows, rows - r), terms);
    }
  });
  return "depthwise_" + std::string(strips.pair != 0 ? "pair" : "row" + std::to_string(s.stride_w)) + "_d" +
         std::to_string(strips.depth);
}

/// Lists of the taps of two pixels, then four channels at a time.
void thumb2_taps(const KernelRun& run, Terms& terms) {
  const std::int64_t c = run.shape.output_c, taps = std::int64_t{run.shape.kernel_h} * run.shape.kernel_w;
  run.steps([&](std::int32_t /*y*/, std::int32_t rows) {
    const std::int64_t pixels = std::int64_t{rows} * run.shape.output_w, pairs = ceil_div(pixels, 2);
    count(terms, Term::border_byte, c);
    count(terms, Term::tile, pairs);
    count(terms, Term::gather, 2 * pairs * run.shape.kernel_h);
    count(terms, Term::gather_step, 2 * pairs * taps);
    count(terms, Term::block, pairs * (c / 4));
    count(terms, Term::block_step, pairs * (c / 4) * taps);
    count(terms, Term::rest, pixels * (c % 4));
    count(terms, Term::rest_step, pixels * (c % 4) * taps);
  });
}

}  // namespace

bool helium_has_strips(const KernelRun& run) {
  const Window& w = run.window.window;
  return w.dilation_h == 1 && w.dilation_w == 1 && w.stride_h == w.stride_w &&
         std::int64_t{run.shape.output_w} * run.shape.output_c <= 65535 &&
         tn_helium_has_strips(run.shape.kernel_h, run.shape.kernel_w, w.stride_w) != 0;
}

std::string depthwise_work(const KernelRun& run, Terms& terms) {
  if (!std::holds_alternative<DepthwiseConv2D>(run.op.kind)) return "";
  const bool multiplied = run.shape.output_c != run.shape.input_c;
  const bool helium = run.set == TN_SET_HELIUM && helium_serves_maps(run.graph, run.op);
  if (helium && !multiplied && helium_has_strips(run)) return helium_strips(run, terms);
  const bool dsp = run.set == TN_SET_DSP || (run.set == TN_SET_HELIUM && !helium);
  if (dsp && dsp_body(run.graph, run.op) == DspBody::lanes) {
    const bool planar = run.input == Layout::planar;
    if (planar && dsp_map_3x3(run.graph, run.op, run.shape.rows_at_once)) {
      count(terms, Term::group, run.shape.input_c);
      return "depthwise_map_3x3";
    }
    if (planar && dsp_rows_in_place(run.graph, run.op)) {
      const std::int64_t rows = std::int64_t{run.rows} * run.shape.input_c;
      count(terms, Term::group_row, rows);
      count(terms, Term::block, rows * (run.shape.output_w / 4));
      count(terms, Term::part, rows * (run.shape.output_w % 4 / 2));
      return "depthwise_rows_3x3_s2";
    }
    dsp_strips(run, terms);
    const std::string k = std::to_string(run.shape.kernel_h), stride = std::to_string(run.shape.stride_w);
    return "depthwise_" + k + "x" + k + "_s" + stride + (planar ? "_planar" : "") +
           (planar && dsp_whole_rows(run.graph, run.op) ? "_rows" : "") +
           (planar && dsp_map_7x7(run.graph, run.op, run.shape.rows_at_once) ? "_map" : "");
  }
  if (run.set == TN_SET_THUMB2 && !multiplied && run.shape.input_c >= 4 && run.shape.weight_bits == 8 &&
      run.shape.input_bits == 8 && run.shape.output_bits == 8) {
    thumb2_taps(run, terms);
    return "depthwise_taps";
  }
  return "";
}

}  // namespace tinynas
