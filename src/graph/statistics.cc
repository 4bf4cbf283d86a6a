#include "graph/statistics.h"

#include <algorithm>
#include <numeric>
#include <variant>
#include <vector>

#include "graph/formats.h"
#include "graph/operators.h"
#include "graph/shape.h"

namespace tinynas {
namespace {

/// Operators [born, dies] during which a tensor exists; born -1: it is none of the activations.
struct Lifetime {
  std::int32_t born = -1, dies = -1;
};

/// Of every tensor; the graph's outputs live to the end.
std::vector<Lifetime> lifetimes(const Graph& graph) {
  const auto count = static_cast<std::int32_t>(graph.operators.size());
  std::vector<Lifetime> lives(graph.tensors.size());
  const auto live_at = [&](std::int32_t tensor, std::int32_t op) {
    if (tensor < 0 || graph.tensors[tensor].constant) return;
    auto& life = lives[tensor];
    if (life.born < 0) life.born = op;
    life.dies = op;
  };
  for (const auto t : graph.inputs) live_at(t, 0);
  for (std::int32_t i = 0; i < count; ++i) {
    for (const auto t : graph.operators[i].inputs) live_at(t, i);
    for (const auto t : graph.operators[i].outputs) live_at(t, i);
  }
  for (const auto t : graph.outputs) live_at(t, count - 1);
  return lives;
}

}  // namespace

std::int64_t params(const Graph& graph) {
  std::int64_t sum = weight_count(graph);
  for (const Operator& op : graph.operators) {
    if (!has_weights(op)) continue;
    if (!std::holds_alternative<FullyConnected>(op.kind)) {
      sum += 2 * static_cast<std::int64_t>(graph.tensors[op.outputs[0]].shape.back());
    } else if (op.inputs.size() > 2 && op.inputs[2] >= 0) {
      sum += element_count(graph.tensors[op.inputs[2]].shape);
    }
  }
  return sum;
}

std::int64_t act_bytes(const Graph& graph) {
  if (graph.operators.empty()) return 0;
  const auto lives = lifetimes(graph);
  std::vector<std::int64_t> change(graph.operators.size() + 1, 0);
  for (std::size_t t = 0; t < lives.size(); ++t) {
    if (lives[t].born < 0) continue;
    const auto bytes = byte_count(graph.tensors[t].shape, graph.tensors[t].dtype);
    change[lives[t].born] += bytes;
    change[lives[t].dies + 1] -= bytes;
  }
  std::partial_sum(change.begin(), change.end(), change.begin());
  return *std::max_element(change.begin(), change.end());
}

Statistics statistics(const Graph& graph) { return {graph_macs(graph), params(graph), act_bytes(graph)}; }

}  // namespace tinynas
