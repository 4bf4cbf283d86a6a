#include "oracle/tinyengine.h"

#include <algorithm>
#include <numeric>
#include <variant>

#include "oracle/accounting.h"
#include "oracle/latency.h"
#include "oracle/lower_bound.h"
#include "oracle/rows.h"

namespace tinynas {
namespace {

constexpr std::int64_t kFlashPerChannel = 8;  // int32 bias, float scale
constexpr std::size_t kLongestSkip = 4;       // operators of a block

/// Pad is fused into its reader, and a reshape moves nothing.
bool is_alias(const Operator& op) {
  return std::holds_alternative<Pad>(op.kind) || std::holds_alternative<Reshape>(op.kind);
}

bool in_place(const RowGraph& rows, const Operator& op, std::int32_t index) {
  if (is_alias(op)) return true;
  if (!std::holds_alternative<DepthwiseConv2D>(op.kind)) return false;
  const auto& input = rows.tensor(op.inputs.front());
  const auto& output = rows.tensor(op.outputs.front());
  return input.last_reader == index && !input.graph_input && output.bytes <= input.bytes;
}

void add_blocks(const Graph& graph, const RowGraph& rows, FirstFit& first_fit) {
  std::vector<std::int32_t> block_of(graph.tensors.size(), -1);
  const auto add = [&](std::int32_t tensor, std::int32_t lower, std::int32_t block, bool alias) {
    const auto& info = rows.tensor(tensor);
    const auto upper = std::max(info.last_reader, lower) + 1;
    if (alias) {
      first_fit.extend(block, upper);
    } else {
      first_fit.add_piece(block, info.bytes, lower, upper);
    }
    block_of[static_cast<std::size_t>(tensor)] = block;
  };
  for (const auto input : graph.inputs) add(input, 0, first_fit.add_block(), false);
  for (std::int32_t i = 0; i < rows.operator_count(); ++i) {
    const Operator& op = graph.operators[static_cast<std::size_t>(i)];
    const auto block = in_place(rows, op, i) ? block_of[static_cast<std::size_t>(op.inputs.front())] : first_fit.add_block();
    add(op.outputs.front(), i, block, is_alias(op));
  }
}

struct KernelBuffers {
  std::int64_t sbuf = 0, kbuf = 0;
};

KernelBuffers kernel_buffers(const Graph& graph, const Operator& op) {
  const auto shape_of = [&](std::size_t input) -> const Shape& {
    return graph.tensors[static_cast<std::size_t>(op.inputs[input])].shape;
  };
  KernelBuffers buffers;
  if (std::holds_alternative<Conv2D>(op.kind)) {
    const auto& weights = shape_of(1);
    const std::int64_t filter = std::int64_t{weights[1]} * weights[2] * weights[3];
    buffers.sbuf = 4 * filter;  // two im2col columns of int16
    if (weights[1] * weights[2] > 1) buffers.kbuf = 2 * filter * weights[0];
  } else if (std::holds_alternative<FullyConnected>(op.kind)) {
    buffers.sbuf = 4LL * shape_of(1)[1];
  } else if (std::holds_alternative<DepthwiseConv2D>(op.kind)) {
    const auto& input = shape_of(0);
    const auto& weights = shape_of(1);
    buffers.sbuf = 2LL * (input[1] + weights[1] / 2 * 2) * (input[2] + weights[2] / 2 * 2);
  }
  return buffers;
}

}  // namespace

std::vector<TinyEngineOperator> tinyengine_operators(const Graph& graph) {
  const auto rows = make_row_graph(graph);
  std::vector<TinyEngineOperator> operators;
  for (std::int32_t i = 0; i < rows.operator_count(); ++i) {
    const auto& op = graph.operators[static_cast<std::size_t>(i)];
    const auto buffers = kernel_buffers(graph, op);
    operators.push_back({in_place(rows, op, i), buffers.sbuf, buffers.kbuf});
  }
  return operators;
}

std::int64_t tinyengine_chain_bytes(ChainView links, std::span<const TinyEngineOperator* const> operators,
                                    std::int64_t image_bytes, FirstFit& first_fit) {
  first_fit.clear();
  first_fit.add_piece(first_fit.add_block(), image_bytes, 0, 1);
  const auto count = static_cast<std::int32_t>(links.size());
  std::int32_t block = 0;
  std::int64_t sbuf = 0;
  std::int64_t kbuf = 0;
  for (std::int32_t i = 0; i < count; ++i) {
    const auto k = static_cast<std::size_t>(i);
    // Read by the next operator, and across a residual by an ADD a few places on; the output lives to the end.
    auto last_reader = std::min(i + 1, count);
    for (auto add = k + 2; add < links.size() && add < k + 2 + kLongestSkip; ++add) {
      if (links[add]->skip > 0 && add == k + 1 + static_cast<std::size_t>(links[add]->skip)) {
        last_reader = static_cast<std::int32_t>(add);
      }
    }
    if (!operators[k]->in_place) block = first_fit.add_block();
    first_fit.add_piece(block, links[k]->bytes, i, last_reader + 1);
    sbuf = std::max(sbuf, operators[k]->sbuf);
    kbuf = std::max(kbuf, operators[k]->kbuf);
  }
  return first_fit.place() + sbuf + kbuf;
}

Cost tinyengine_cost(const Graph& graph) {
  const auto rows = make_row_graph(graph);
  Cost cost = make_cost(graph, rows);
  FirstFit first_fit;
  add_blocks(graph, rows, first_fit);
  cost.activation_bytes = first_fit.place();
  KernelBuffers most;
  std::int64_t highest = -1;
  for (std::size_t i = 0; i < graph.operators.size(); ++i) {
    const Operator& op = graph.operators[i];
    const auto buffers = kernel_buffers(graph, op);
    most.sbuf = std::max(most.sbuf, buffers.sbuf);
    most.kbuf = std::max(most.kbuf, buffers.kbuf);
    auto& layer = cost.layers[i];
    layer.sram_bytes = first_fit.live_bytes(layer.op) + buffers.sbuf + buffers.kbuf;
    layer.flash_bytes = weight_bytes(graph, op) + kFlashPerChannel * weight_channels(graph, op);
    cost.flash_bytes += layer.flash_bytes;
    if (layer.sram_bytes > highest) {
      highest = layer.sram_bytes;
      cost.peak_operator = layer.op;
    }
  }
  cost.scratch_bytes = most.sbuf + most.kbuf;
  cost.sram_bytes = cost.activation_bytes + cost.scratch_bytes;
  cost.lower_bound_bytes = lower_bound_bytes(graph, rows, false);
  add_tinyengine_h743_latency(graph, cost);
  return cost;
}

}  // namespace tinynas
