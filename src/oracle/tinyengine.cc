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

constexpr std::int64_t kAlignment = 4;
constexpr std::int64_t kFlashPerChannel = 8;  // int32 bias, float scale

/// One address taken over by a chain of tensors: a map, and what is computed in place of it.
struct Block {
  struct Piece {
    std::int64_t size = 0;
    std::int32_t lower = 0, upper = 0;  // operators [lower, upper)
  };
  std::vector<Piece> pieces;
  std::int64_t offset = 0;

  [[nodiscard]] std::int64_t size() const {
    std::int64_t most = 0;
    for (const auto& piece : pieces) most = std::max(most, piece.size);
    return most;
  }

  /// Bytes taken while operator `op` runs; a map and what replaces it share theirs.
  [[nodiscard]] std::int64_t size_at(std::int32_t op) const {
    std::int64_t most = 0;
    for (const auto& piece : pieces) {
      if (piece.lower <= op && op < piece.upper) most = std::max(most, piece.size);
    }
    return most;
  }
};

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

std::vector<Block> make_blocks(const Graph& graph, const RowGraph& rows) {
  std::vector<Block> blocks;
  std::vector<std::int32_t> block_of(graph.tensors.size(), -1);
  const auto add_piece = [&](std::int32_t tensor, std::int32_t lower, std::int32_t block, bool alias) {
    const auto& info = rows.tensor(tensor);
    const auto upper = std::max(info.last_reader, lower) + 1;
    auto& pieces = blocks[static_cast<std::size_t>(block)].pieces;
    if (!alias) {
      pieces.push_back({(info.bytes + kAlignment - 1) / kAlignment * kAlignment, lower, upper});
    } else {
      pieces.back().upper = std::max(pieces.back().upper, upper);
    }
    block_of[static_cast<std::size_t>(tensor)] = block;
  };
  const auto new_block = [&] {
    blocks.emplace_back();
    return static_cast<std::int32_t>(blocks.size()) - 1;
  };
  for (const auto input : graph.inputs) add_piece(input, 0, new_block(), false);
  for (std::int32_t i = 0; i < rows.operator_count(); ++i) {
    const Operator& op = graph.operators[static_cast<std::size_t>(i)];
    const bool taken_over = in_place(rows, op, i);
    const auto block = taken_over ? block_of[static_cast<std::size_t>(op.inputs.front())] : new_block();
    add_piece(op.outputs.front(), i, block, is_alias(op));
  }
  return blocks;
}

/// The lowest offset, from block's own upwards, at which it misses `other`; block's own if it does already.
std::int64_t above(const Block& block, const Block& other) {
  auto offset = block.offset;
  for (const auto& mine : block.pieces) {
    for (const auto& piece : other.pieces) {
      const bool together = mine.lower < piece.upper && piece.lower < mine.upper;
      const auto end = other.offset + piece.size;
      if (together && offset < end && other.offset < offset + mine.size) offset = end;
    }
  }
  return offset;
}

/// First fit, largest first; equal sizes in the order of their birth. Returns the bytes taken.
std::int64_t first_fit(std::vector<Block>& blocks) {
  std::vector<Block*> order;
  order.reserve(blocks.size());
  for (auto& block : blocks) order.push_back(&block);
  std::stable_sort(order.begin(), order.end(), [](const Block* a, const Block* b) { return a->size() > b->size(); });
  std::int64_t peak = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    auto& block = *order[i];
    for (std::int64_t before = -1; before != block.offset;) {
      before = block.offset;
      for (std::size_t j = 0; j < i; ++j) block.offset = above(block, *order[j]);
    }
    peak = std::max(peak, block.offset + block.size());
  }
  return peak;
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

Cost tinyengine_cost(const Graph& graph) {
  const auto rows = make_row_graph(graph);
  Cost cost = make_cost(graph, rows);
  auto blocks = make_blocks(graph, rows);
  cost.activation_bytes = first_fit(blocks);
  KernelBuffers most;
  std::int64_t highest = -1;
  for (std::size_t i = 0; i < graph.operators.size(); ++i) {
    const Operator& op = graph.operators[i];
    const auto buffers = kernel_buffers(graph, op);
    most.sbuf = std::max(most.sbuf, buffers.sbuf);
    most.kbuf = std::max(most.kbuf, buffers.kbuf);
    auto& layer = cost.layers[i];
    for (const auto& block : blocks) layer.sram_bytes += block.size_at(layer.op);
    layer.sram_bytes += buffers.sbuf + buffers.kbuf;
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
