#include "oracle/accounts/tinyengine.h"

#include <algorithm>
#include <numeric>
#include <variant>

#include "oracle/accounting.h"
#include "oracle/kernels/latency.h"
#include "oracle/lower_bound.h"
#include "oracle/rows.h"

namespace tinynas {
namespace {

constexpr std::size_t kLongestSkip = 4;  // operators of a block

/// Pad is fused into its reader, and a reshape moves nothing.
bool is_alias(const Operator& op) {
  return std::holds_alternative<Pad>(op.kind) || std::holds_alternative<Reshape>(op.kind);
}

bool in_place(const RowGraph& rows, const Operator& op, std::int32_t index, std::span<const std::int64_t> bytes) {
  if (is_alias(op)) return true;
  if (!std::holds_alternative<DepthwiseConv2D>(op.kind)) return false;
  const auto input = op.inputs.front();
  const auto& info = rows.tensor(input);
  return info.last_reader == index && !info.graph_input &&
         bytes[static_cast<std::size_t>(op.outputs.front())] <= bytes[static_cast<std::size_t>(input)];
}

std::vector<std::int64_t> whole_bytes(const RowGraph& rows) {
  std::vector<std::int64_t> bytes;
  for (const auto& tensor : rows.tensors) bytes.push_back(tensor.bytes);
  return bytes;
}

}  // namespace

std::int64_t tinyengine_activations(const Graph& graph, const RowGraph& rows, const TinyEngineRun& run,
                                    FirstFit& first_fit) {
  std::vector<std::int32_t> block_of(graph.tensors.size(), -1);
  first_fit.clear();
  const auto add = [&](std::int32_t tensor, std::int32_t lower, std::int32_t block, bool alias) {
    const auto upper = std::max(std::min(rows.tensor(tensor).last_reader, run.end), lower) + 1;
    if (alias) {
      first_fit.extend(block, upper);
    } else {
      first_fit.add_piece(block, run.bytes[static_cast<std::size_t>(tensor)], lower, upper);
    }
    block_of[static_cast<std::size_t>(tensor)] = block;
  };
  for (std::size_t t = 0; t < rows.tensors.size(); ++t) {
    const auto& tensor = rows.tensors[t];
    const bool before = tensor.producer < 0 ? tensor.graph_input : tensor.producer < run.first;
    const bool read = tensor.last_reader >= run.first || (run.first == 0 && tensor.graph_input);
    if (before && read && tensor.activation) {
      add(static_cast<std::int32_t>(t), run.first, first_fit.add_block(), false);
    }
  }
  for (auto i = run.first; i < run.end; ++i) {
    const Operator& op = graph.operators[static_cast<std::size_t>(i)];
    const auto block =
        in_place(rows, op, i, run.bytes) ? block_of[static_cast<std::size_t>(op.inputs.front())] : first_fit.add_block();
    add(op.outputs.front(), i, block, is_alias(op));
  }
  return first_fit.place();
}

TinyEngineBuffers tinyengine_buffers(const Graph& graph, const Operator& op) {
  const auto shape_of = [&](std::size_t input) -> const Shape& {
    return graph.tensors[static_cast<std::size_t>(op.inputs[input])].shape;
  };
  TinyEngineBuffers buffers;
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

std::vector<TinyEngineOperator> tinyengine_operators(const Graph& graph) {
  const auto rows = make_row_graph(graph);
  const auto bytes = whole_bytes(rows);
  std::vector<TinyEngineOperator> operators;
  for (std::int32_t i = 0; i < rows.operator_count(); ++i) {
    const auto& op = graph.operators[static_cast<std::size_t>(i)];
    const auto buffers = tinyengine_buffers(graph, op);
    const auto& info = rows.operators[static_cast<std::size_t>(i)];
    const auto& first_input = rows.tensor(rows.inputs(i).front().tensor);
    const auto skip = std::holds_alternative<Add>(op.kind) ? i - 1 - first_input.producer : 0;
    operators.push_back({rows.tensor(info.output).bytes, skip, in_place(rows, op, i, bytes), buffers.sbuf, buffers.kbuf});
  }
  return operators;
}

std::int64_t tinyengine_chain_bytes(std::span<const TinyEngineOperator* const> operators, std::int64_t image_bytes,
                                    FirstFit& first_fit) {
  first_fit.clear();
  first_fit.add_piece(first_fit.add_block(), image_bytes, 0, 1);
  const auto count = static_cast<std::int32_t>(operators.size());
  std::int32_t block = 0;
  std::int64_t sbuf = 0;
  std::int64_t kbuf = 0;
  for (std::int32_t i = 0; i < count; ++i) {
    const auto k = static_cast<std::size_t>(i);
    // Read by the next operator, and across a residual by an ADD a few places on; the output lives to the end.
    auto last_reader = std::min(i + 1, count);
    for (auto add = k + 2; add < operators.size() && add < k + 2 + kLongestSkip; ++add) {
      if (operators[add]->skip > 0 && add == k + 1 + static_cast<std::size_t>(operators[add]->skip)) {
        last_reader = static_cast<std::int32_t>(add);
      }
    }
    if (!operators[k]->in_place) block = first_fit.add_block();
    first_fit.add_piece(block, operators[k]->bytes, i, last_reader + 1);
    sbuf = std::max(sbuf, operators[k]->sbuf);
    kbuf = std::max(kbuf, operators[k]->kbuf);
  }
  return first_fit.place() + sbuf + kbuf;
}

Cost tinyengine_cost(const Graph& graph) {
  const auto rows = make_row_graph(graph);
  const auto bytes = whole_bytes(rows);
  Cost cost = make_cost(graph);
  FirstFit first_fit;
  cost.activation_bytes = tinyengine_activations(graph, rows, {0, rows.operator_count(), bytes}, first_fit);
  TinyEngineBuffers most;
  std::int64_t highest = -1;
  for (auto& layer : cost.layers) {
    const auto buffers = tinyengine_buffers(graph, graph.operators[static_cast<std::size_t>(layer.op)]);
    most.include(buffers);
    layer.sram_bytes = first_fit.live_bytes(layer.op) + buffers.bytes();
    if (layer.sram_bytes > highest) {
      highest = layer.sram_bytes;
      cost.peak_operator = layer.op;
    }
  }
  cost.scratch_bytes = most.bytes();
  cost.sram_bytes = cost.activation_bytes + cost.scratch_bytes;
  cost.lower_bound_bytes = lower_bound_bytes(graph, rows, false);
  add_flash(graph, kTinyEngineFlashPerChannel, cost);
  add_tinyengine_h743_latency(graph, cost);
  return cost;
}

}  // namespace tinynas
