// What our kernels do for the operators of a plan, counted: the quantities that their instructions are a linear function
// of. bench/cortex_m/calibrate.py fits the factors, oracle/kernels/latency.h applies them.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"
#include "oracle/plan.h"

namespace tinynas {

/// Counts of one inference. A kernel has those of its family; all others stay 0.
///
/// Matrix kernels (convolution, pointwise, fully connected) multiply blocks of P pixels by G output channels, a step at a
/// time. P x G: DSP 4 x 2 (two input channels a step), Helium 4 x 2 (sixteen), Thumb-2 and portable 2 x 4 (one).
/// Depthwise kernels fill strips with some rows and columns of the map, then compute four neighbouring outputs of a channel
/// as a block (Helium: 4 or 8, Thumb-2: two pixels by four channels). DSP blocks of 4-bit weights, inputs and outputs have 4
/// x 4.
enum class Term : std::uint8_t {
  call,         // steps of the plan: calls of the kernel
  row_pointer,  // rows of inputs and output that the calls are handed
  row,          // output rows
  output,       // values
  input,        // values
  mac,          // multiply-accumulates; of a pool the values under its windows
  tile,         // fillings of working memory (Helium, Thumb-2, portable matrices: calls of the inner kernel)
  group,        // channel groups of every tile (depthwise: channels; Helium matrices: blocks of pixels)
  group_row,    // output rows of every group
  group_step,   // steps whose weights of 4 bits are unpacked for every group
  block,        // blocks
  block_step,   // steps of all blocks
  separated,    // blocks into planar rows whose channels' sums share a register: DSP matrices but those of few inputs
  part,         // what is left of pixels (columns) behind the last whole block
  part_step,
  rest,  // values of channels behind the last whole group
  rest_step,
  chunk,        // reloads of weights that registers cannot hold
  gather,       // runs of values brought from input rows
  gather_step,  // words of these runs
  border,       // windows, or runs of them, that meet padding
  border_byte,  // bytes copied or filled for them
};
inline constexpr std::array<std::string_view, 22> kTermNames = {
    "call",      "row_pointer", "row",    "output",      "input",     "mac",        "tile",      "group",
    "group_row", "group_step",  "block",  "block_step",  "separated", "part",       "part_step", "rest",
    "rest_step", "chunk",       "gather", "gather_step", "border",    "border_byte"};

using Terms = std::array<double, kTermNames.size()>;

/// One operator: the name of its kernel in the tables of factors and that kernel's terms, and what the generated network
/// does around the calls.
struct KernelWork {
  /// "pointwise", "depthwise_3x3_s1_planar", "add", "pixel_conv2d", ...; behind it "_w4", "_i4", "_o4" when the kernel is
  /// one for weights, inputs, outputs of 4 bits.
  std::string kernel;
  Terms terms{};
  std::string driver;  // "driver", "driver_pixels"
  Terms driver_terms{};
};

/// One entry per operator. `core` is as in ScheduleOptions; quantisation is not looked at, so that a graph without
/// constants' data has the same counts. Throws InputError for an unknown core.
[[nodiscard]] std::vector<KernelWork> kernel_work(const Graph& graph, const Plan& plan, const std::string& core);

}  // namespace tinynas
