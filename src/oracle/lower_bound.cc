#include "oracle/lower_bound.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "graph/operators.h"

namespace tinynas {
namespace {

struct Link {
  double input = 0, output = 0;  // bytes of the whole tensors
  double ring = 0;               // bytes of its input that the operator holds while its producer is in flight
  bool pushed = false;           // its input comes from a camera, which is in flight as well
  bool ends = false;             // what follows cannot start before this operator is finished
};

/// Bytes that a windowed operator must hold of its input between its producer's progress and its own.
double held_by_window(const Graph& graph, const Operator& op, const RowTensor& input, const Shape& shape) {
  const auto window = kernel_window(graph, op);
  if (!window || shape.size() != 4) return 0;
  const double pixel_bytes = static_cast<double>(input.bytes) / (static_cast<double>(shape[1]) * shape[2]);
  const double rows = std::min(window->kernel_h - window->window.stride_h, window->kernel_w - window->window.stride_w);
  const double pixels =
      std::min(rows * std::min(shape[1], shape[2]), std::floor(static_cast<double>(shape[1]) * shape[2] / 4));
  return std::max(0.0, pixels) * pixel_bytes;
}

/// The share of its input that a windowed operator reads at all: strides wider than the window leave gaps.
double share_read(const Graph& graph, const Operator& op) {
  const auto window = kernel_window(graph, op);
  if (!window) return 1;
  const auto along = [](std::int32_t kernel, std::int32_t stride) {
    return std::min(1.0, static_cast<double>(kernel) / stride);
  };
  return along(window->kernel_h, window->window.stride_h) * along(window->kernel_w, window->window.stride_w);
}

/// The operators from the image to the first output, each through its input with the latest producer.
std::vector<Link> main_chain(const Graph& graph, const RowGraph& rows, bool image_streamed) {
  std::vector<Link> chain;
  if (graph.outputs.empty()) return chain;
  double reader_share = 1;  // of the operator's output, by what reads it
  for (auto op = rows.tensor(graph.outputs.front()).producer; op >= 0;) {
    const RowAccess* latest = nullptr;
    for (const auto& access : rows.inputs(op)) {
      if (latest == nullptr || rows.tensor(access.tensor).producer > rows.tensor(latest->tensor).producer) latest = &access;
    }
    if (latest == nullptr) break;
    const auto& info = rows.operators[static_cast<std::size_t>(op)];
    const auto& input = rows.tensor(latest->tensor);
    Link link;
    const double share = share_read(graph, graph.operators[static_cast<std::size_t>(op)]);
    link.input = share * static_cast<double>(input.bytes);
    link.output = reader_share * static_cast<double>(rows.tensor(info.output).bytes);
    reader_share = share;
    // A pool over the whole map adds up what arrives.
    link.ring = info.mode == RowMode::accumulate
                    ? 0
                    : held_by_window(graph, graph.operators[static_cast<std::size_t>(op)], input,
                                     graph.tensors[static_cast<std::size_t>(latest->tensor)].shape);
    link.ends = info.mode != RowMode::rows;
    link.pushed = image_streamed && input.producer < 0;
    chain.push_back(link);
    op = input.producer;
  }
  std::reverse(chain.begin(), chain.end());
  return chain;
}

/// Least bytes around operator x at progress p.
double needed(const std::vector<Link>& chain, std::size_t x, double p) {
  double before = std::numeric_limits<double>::max();
  double rings = 0;
  for (auto i = x;; --i) {
    before = std::min(before, (1 - p) * chain[i].input + rings);
    rings += chain[i].ring;
    if (chain[i].pushed) before = std::min(before, rings);
    if (i == 0 || chain[i - 1].ends || rings >= before) break;
  }
  double after = std::numeric_limits<double>::max();
  rings = 0;
  for (auto j = x; j < chain.size(); ++j) {
    if (j > x) rings += chain[j].ring;
    after = std::min(after, chain[j].ends ? rings : p * chain[j].output + rings);
    if (chain[j].ends || rings >= after) break;
  }
  return before + after;
}

}  // namespace

std::int64_t lower_bound_bytes(const Graph& graph, const RowGraph& rows, bool image_streamed) {
  const auto chain = main_chain(graph, rows, image_streamed);
  double most = 0;
  for (std::size_t x = 0; x < chain.size(); ++x) {
    if (chain[x].ends) continue;
    for (const double p : {0.25, 0.375, 0.5, 0.625, 0.75}) most = std::max(most, needed(chain, x, p));
  }
  auto bound = static_cast<std::int64_t>(std::floor(most));
  if (!image_streamed) {
    for (const auto input : graph.inputs) bound = std::max(bound, rows.tensor(input).bytes);
  }
  return bound;
}

}  // namespace tinynas
