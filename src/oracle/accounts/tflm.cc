#include "oracle/accounts/tflm.h"

#include <algorithm>
#include <numeric>
#include <variant>
#include <vector>

#include "graph/operators.h"
#include "oracle/accounting.h"
#include "oracle/lower_bound.h"
#include "oracle/packing/planner.h"
#include "oracle/rows.h"

namespace tinynas {
namespace {

constexpr std::int64_t kAlignment = 16;
constexpr double kFlashPerChannel = 28.2;
constexpr double kFlashPerOperator = 736;
constexpr std::int64_t kMetadataPerChannel = 8, kMetadataPerOperator = 150, kMetadata = 285;

/// Steps of the interpreter: an operator, or the PAD in front of it.
struct Steps {
  std::vector<std::int32_t> of_operator;  // step of each operator
  std::vector<bool> padded;               // a PAD stands in the step before
  std::int32_t count = 0;
};

std::int32_t same_padding(std::int32_t input, std::int32_t output, std::int32_t kernel, std::int32_t stride) {
  return std::max(0, (output - 1) * stride + kernel - input);
}

/// Whether the window's padding is what TensorFlow calls SAME (or none), so that the convolution pads by itself.
bool pads_by_itself(const Graph& graph, const Operator& op) {
  const auto window = kernel_window(graph, op);
  if (!window) return true;
  const auto& p = window->window.padding;
  if (p.top == 0 && p.left == 0 && p.bottom == 0 && p.right == 0) return true;
  const auto& in = graph.tensors[static_cast<std::size_t>(op.inputs.front())].shape;
  const auto& out = graph.tensors[static_cast<std::size_t>(op.outputs.front())].shape;
  const auto extent_h = (window->kernel_h - 1) * window->window.dilation_h + 1;
  const auto extent_w = (window->kernel_w - 1) * window->window.dilation_w + 1;
  const auto rows = same_padding(in[1], out[1], extent_h, window->window.stride_h);
  const auto columns = same_padding(in[2], out[2], extent_w, window->window.stride_w);
  return p.top == rows / 2 && p.left == columns / 2;
}

Steps make_steps(const Graph& graph) {
  Steps steps;
  for (const auto& op : graph.operators) {
    steps.padded.push_back(!pads_by_itself(graph, op));
    if (steps.padded.back()) ++steps.count;
    steps.of_operator.push_back(steps.count++);
  }
  return steps;
}

std::int64_t padded_bytes(const Graph& graph, const Operator& op) {
  const auto& tensor = graph.tensors[static_cast<std::size_t>(op.inputs.front())];
  const auto padding = kernel_window(graph, op)->window.padding;
  const auto height = std::int64_t{tensor.shape[1]} + padding.top + padding.bottom;
  const auto width = std::int64_t{tensor.shape[2]} + padding.left + padding.right;
  return value_bytes(tensor.dtype, height * width * tensor.shape[3]);
}

/// CMSIS-NN's im2col buffer of a convolution with a window: two columns of int16.
std::int64_t scratch_of(const Graph& graph, const Operator& op) {
  if (!std::holds_alternative<Conv2D>(op.kind)) return 0;
  const auto& weights = graph.tensors[static_cast<std::size_t>(op.inputs[1])].shape;
  const std::int64_t window = std::int64_t{weights[1]} * weights[2];
  return window > 1 ? 4 * window * weights[3] : 0;
}

std::vector<PackItem> planned_buffers(const Graph& graph, const RowGraph& rows, const Steps& steps) {
  std::vector<PackItem> items;
  const auto first_use = [&](std::int32_t op) {
    const auto i = static_cast<std::size_t>(op);
    return steps.of_operator[i] - (steps.padded[i] ? 1 : 0);
  };
  for (std::size_t t = 0; t < rows.tensors.size(); ++t) {
    const auto& tensor = rows.tensors[t];
    if (!tensor.activation || (tensor.producer < 0 && !tensor.graph_input)) continue;
    const auto born = tensor.producer < 0 ? 0 : steps.of_operator[static_cast<std::size_t>(tensor.producer)];
    auto dies = born;
    for (const auto reader : tensor.readers) {
      // A convolution behind its own PAD reads the padded copy.
      const auto& inputs = graph.operators[static_cast<std::size_t>(reader)].inputs;
      const bool copied = steps.padded[static_cast<std::size_t>(reader)] && inputs.front() == static_cast<std::int32_t>(t);
      dies = std::max(dies, copied ? first_use(reader) : steps.of_operator[static_cast<std::size_t>(reader)]);
    }
    if (tensor.graph_output) dies = steps.count - 1;
    items.push_back({tensor.bytes, born, dies + 1});
  }
  for (std::size_t i = 0; i < graph.operators.size(); ++i) {
    const auto& op = graph.operators[i];
    const auto step = steps.of_operator[i];
    if (steps.padded[i]) items.push_back({padded_bytes(graph, op), step - 1, step + 1});
    if (const auto scratch = scratch_of(graph, op); scratch > 0) items.push_back({scratch, step, step + 1});
  }
  return items;
}

}  // namespace

Cost tflm_cost(const Graph& graph) {
  const auto rows = make_row_graph(graph);
  const auto steps = make_steps(graph);
  Cost cost = make_cost(graph);
  auto items = planned_buffers(graph, rows, steps);
  for (auto& item : items) item.size = (item.size + kAlignment - 1) / kAlignment * kAlignment;
  std::vector<std::int32_t> order(items.size());
  std::iota(order.rbegin(), order.rend(), 0);  // among equals its planner takes the last one first
  std::stable_sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
    return items[static_cast<std::size_t>(a)].size > items[static_cast<std::size_t>(b)].size;
  });
  cost.activation_bytes = pack_in_order(items, order, kAlignment).bytes;
  std::int64_t channels = 0;
  std::int64_t highest = -1;
  for (auto& layer : cost.layers) {
    const auto i = static_cast<std::size_t>(layer.op);
    const auto& op = graph.operators[i];
    for (const auto& item : items) {
      if (item.lower <= steps.of_operator[i] && steps.of_operator[i] < item.upper) layer.sram_bytes += item.size;
    }
    if (layer.sram_bytes > highest) {
      highest = layer.sram_bytes;
      cost.peak_operator = layer.op;
    }
    channels += weight_channels(graph, op);
    layer.flash_bytes =
        weight_bytes(graph, op) +
        static_cast<std::int64_t>(kFlashPerChannel * static_cast<double>(weight_channels(graph, op)) + kFlashPerOperator);
    cost.flash_bytes += layer.flash_bytes;
  }
  cost.scratch_bytes = kMetadataPerChannel * channels + kMetadataPerOperator * steps.count + kMetadata;
  cost.sram_bytes = cost.activation_bytes + cost.scratch_bytes;
  cost.lower_bound_bytes = lower_bound_bytes(graph, rows, false);
  return cost;
}

}  // namespace tinynas
