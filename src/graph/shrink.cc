#include "graph/shrink.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "graph/interpreter.h"
#include "graph/operators.h"
#include "graph/shape.h"
#include "graph/validate.h"

namespace tinynas {
namespace {

using Flags = std::vector<bool>;

/// How an operator relates the channels of its first input to those of its output.
enum class Role {
  mixes,  // a convolution without groups: reads any channels, writes any
  reads,  // fully connected: may lose input channels, keeps its outputs
  keeps,  // channel c of the output comes from channel c of the inputs
  other,  // needs everything
};

struct RoleOf {
  const Graph& graph;
  const Operator& op;

  [[nodiscard]] const Shape& x() const { return graph.tensors[op.inputs[0]].shape; }
  [[nodiscard]] const Shape& y() const { return graph.tensors[op.outputs[0]].shape; }
  [[nodiscard]] bool constants() const {
    for (std::size_t i = 1; i < op.inputs.size(); ++i) {
      if (op.inputs[i] >= 0 && !graph.tensors[op.inputs[i]].constant) return false;
    }
    return true;
  }
  Role operator()(const Conv2D&) const {
    return constants() && graph.tensors[op.inputs[1]].shape[3] == x()[3] ? Role::mixes : Role::other;
  }
  Role operator()(const FullyConnected&) const {
    return constants() && graph.tensors[op.inputs[1]].shape[1] == x().back() ? Role::reads : Role::other;
  }
  Role operator()(const DepthwiseConv2D&) const { return constants() && x()[3] == y()[3] ? Role::keeps : Role::other; }
  Role operator()(const Add&) const {
    return x() == graph.tensors[op.inputs[1]].shape && !constants() ? Role::keeps : Role::other;
  }
  Role operator()(const AveragePool&) const { return Role::keeps; }
  Role operator()(const MaxPool&) const { return Role::keeps; }
  Role operator()(const ResizeNearest&) const { return Role::keeps; }
  Role operator()(const HardSwish&) const { return Role::keeps; }
  Role operator()(const LeakyRelu&) const { return Role::keeps; }
  Role operator()(const Logistic&) const { return Role::keeps; }
  Role operator()(const Tanh&) const { return Role::keeps; }
  Role operator()(const Pad& pad) const {
    return pad.amounts.back() == std::array<std::int32_t, 2>{0, 0} ? Role::keeps : Role::other;
  }
  Role operator()(const Reshape&) const {
    return !x().empty() && !y().empty() && x().back() == y().back() ? Role::keeps : Role::other;
  }
  Role operator()(const Mean& mean) const { return reduction(mean.axes); }
  Role operator()(const auto&) const { return Role::other; }
  [[nodiscard]] Role reduction(const std::vector<std::int32_t>& axes) const {
    const auto rank = static_cast<std::int32_t>(x().size());
    const bool over_channels =
        std::any_of(axes.begin(), axes.end(), [&](std::int32_t a) { return (a + rank) % rank == rank - 1; });
    return over_channels ? Role::other : Role::keeps;
  }
};

Role role_of(const Graph& graph, const Operator& op) {
  if (graph.tensors[op.outputs[0]].dtype != DType::s8) return Role::other;
  return std::visit(RoleOf{graph, op}, op.kind);
}

bool is_padded(const Operator& op) {
  const auto* conv = std::get_if<Conv2D>(&op.kind);
  if (conv == nullptr) return false;
  const Padding& p = conv->window.padding;
  return p.top > 0 || p.left > 0 || p.bottom > 0 || p.right > 0;
}

/// int8 values of a constant, s4 unpacked.
Bytes weights_of(const Tensor& t) { return unpack_values(t, t.data); }

/// Input channels whose weights are all zero.
Flags unused_inputs(const Tensor& weights) {
  const Bytes values = weights_of(weights);
  Flags unused(static_cast<std::size_t>(weights.shape.back()), true);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i] != 0) unused[i % unused.size()] = false;
  }
  return unused;
}

/// Finds for every tensor the channels that go. Tensors tied by operators that keep channels lose the same ones.
class Chooser {
 public:
  explicit Chooser(const Graph& graph) : graph_(graph), ranges_(channel_ranges(graph)), parent_(graph.tensors.size()) {
    std::iota(parent_.begin(), parent_.end(), 0);
    for (const Operator& op : graph.operators) {
      if (role_of(graph, op) != Role::keeps) continue;
      for (const std::int32_t input : op.inputs) {
        if (input >= 0 && !graph.tensors[input].constant) parent_[find(input)] = find(op.outputs[0]);
      }
    }
  }

  std::vector<Flags> removed() {
    std::vector<Flags> gone(graph_.tensors.size());
    for (std::size_t t = 0; t < gone.size(); ++t) {
      const Tensor& tensor = graph_.tensors[t];
      if (!tensor.constant && !tensor.shape.empty()) gone[t].assign(static_cast<std::size_t>(tensor.shape.back()), true);
    }
    std::vector<bool> produced(graph_.tensors.size(), false);
    for (const Operator& op : graph_.operators) {
      const Role role = role_of(graph_, op);
      produced[op.outputs[0]] = role == Role::mixes || role == Role::keeps;
      for (std::size_t i = 0; i < op.inputs.size(); ++i) {
        const std::int32_t t = op.inputs[i];
        if (t < 0 || graph_.tensors[t].constant || role == Role::keeps) continue;
        forbid(gone, t, role == Role::other ? Flags(gone[t].size(), true) : needed(op));
      }
    }
    for (std::size_t t = 0; t < gone.size(); ++t) {
      if (!produced[t]) forbid(gone, static_cast<std::int32_t>(t), Flags(gone[t].size(), true));
    }
    for (const std::int32_t t : graph_.outputs) forbid(gone, t, Flags(gone[t].size(), true));
    for (std::size_t t = 0; t < gone.size(); ++t)
      gone[t] = gone[t].empty() ? Flags() : gone[find(static_cast<std::int32_t>(t))];
    for (Flags& flags : gone) {
      if (!flags.empty() && std::all_of(flags.begin(), flags.end(), [](bool f) { return f; })) flags[0] = false;
    }
    return gone;
  }
  [[nodiscard]] const std::vector<ChannelRanges>& ranges() const { return ranges_; }

 private:
  [[nodiscard]] std::int32_t find(std::int32_t t) const {
    while (parent_[t] != t) t = parent_[t];
    return t;
  }
  void forbid(std::vector<Flags>& gone, std::int32_t tensor, const Flags& needed) const {
    Flags& flags = gone[find(tensor)];
    for (std::size_t c = 0; c < flags.size() && c < needed.size(); ++c) flags[c] = flags[c] && !needed[c];
  }
  /// Input channels that a convolution or fully connected operator cannot do without.
  [[nodiscard]] Flags needed(const Operator& op) const {
    const std::int32_t x = op.inputs[0];
    Flags result = unused_inputs(graph_.tensors[op.inputs[1]]);
    const std::int32_t zero = graph_.tensors[x].quantization.zero_point.at(0);
    for (std::size_t c = 0; c < result.size(); ++c) {
      const bool constant = ranges_[x].known() && ranges_[x].constant(c);
      const bool folds = constant && (!is_padded(op) || ranges_[x].low[c] == zero);
      result[c] = !(result[c] || folds);
    }
    return result;
  }

  const Graph& graph_;
  std::vector<ChannelRanges> ranges_;
  std::vector<std::int32_t> parent_;
};

/// Values without those of removed indices along `axis`.
Bytes select(const Bytes& values, const Shape& shape, std::size_t axis, const Flags& gone, std::size_t value_bytes) {
  std::size_t inner = value_bytes;
  for (std::size_t d = axis + 1; d < shape.size(); ++d) inner *= static_cast<std::size_t>(shape[d]);
  Bytes kept;
  for (std::size_t start = 0, k = 0; start < values.size(); start += inner, k = (k + 1) % gone.size()) {
    if (!gone[k])
      kept.insert(kept.end(), values.begin() + static_cast<std::ptrdiff_t>(start),
                  values.begin() + static_cast<std::ptrdiff_t>(start + inner));
  }
  return kept;
}

void drop(Tensor& tensor, std::size_t axis, const Flags& gone) {
  const bool wide = tensor.dtype == DType::s32;
  Bytes kept = select(wide ? tensor.data : weights_of(tensor), tensor.shape, axis, gone, wide ? 4 : 1);
  tensor.shape[axis] -= static_cast<std::int32_t>(std::count(gone.begin(), gone.end(), true));
  tensor.data = pack_values(tensor, std::move(kept));
  Quantization& q = tensor.quantization;
  if (q.scale.size() <= 1 || static_cast<std::size_t>(q.axis) != axis) return;
  Quantization fewer{{}, {}, q.axis};
  for (std::size_t c = 0; c < gone.size(); ++c) {
    if (gone[c]) continue;
    fewer.scale.push_back(q.scale[c]);
    fewer.zero_point.push_back(q.zero_point[c]);
  }
  q = fewer;
}

class Rewriter {
 public:
  Rewriter(const Graph& graph, const std::vector<ChannelRanges>& ranges, const std::vector<Flags>& gone)
      : result_(graph), ranges_(ranges), gone_(gone), uses_(graph.tensors.size(), 0) {
    for (const Operator& op : graph.operators) {
      for (const std::int32_t t : op.inputs) {
        if (t >= 0) ++uses_[t];
      }
    }
  }

  Graph rewrite() {
    for (std::size_t i = 0; i < result_.operators.size(); ++i) {
      const Role role = role_of(result_, result_.operators[i]);
      if (role == Role::mixes || role == Role::reads) lose_inputs(i);
      const bool depthwise = std::holds_alternative<DepthwiseConv2D>(result_.operators[i].kind);
      if (role == Role::mixes || (role == Role::keeps && depthwise)) lose_outputs(i, depthwise ? 3 : 0);
    }
    for (std::size_t t = 0; t < gone_.size(); ++t) {
      if (!gone_[t].empty())
        result_.tensors[t].shape.back() -= static_cast<std::int32_t>(std::count(gone_[t].begin(), gone_[t].end(), true));
    }
    return std::move(result_);
  }

 private:
  [[nodiscard]] static bool any(const Flags& flags) { return std::find(flags.begin(), flags.end(), true) != flags.end(); }

  /// The constant at input `position`, the operator's own: a copy where others read it too.
  Tensor& own(std::size_t op_index, std::size_t position) {
    std::int32_t& t = result_.operators[op_index].inputs[position];
    if (static_cast<std::size_t>(t) < uses_.size() && uses_[t] > 1) {
      --uses_[t];
      result_.tensors.push_back(Tensor(result_.tensors[t]));
      t = static_cast<std::int32_t>(result_.tensors.size() - 1);
    }
    return result_.tensors[t];
  }

  Tensor& own_bias(std::size_t op_index, std::int32_t channels) {
    Operator& op = result_.operators[op_index];
    op.inputs.resize(3, -1);
    if (op.inputs[2] >= 0) return own(op_index, 2);
    Tensor bias{op.name + ".bias", {channels}, DType::s32, {}, true, Bytes(static_cast<std::size_t>(channels) * 4, 0)};
    result_.tensors.push_back(std::move(bias));
    op.inputs[2] = static_cast<std::int32_t>(result_.tensors.size() - 1);
    return result_.tensors.back();
  }

  /// What removed constant channels added to each accumulator goes into the bias; then their weights go.
  void lose_inputs(std::size_t i) {
    const std::int32_t x = result_.operators[i].inputs[0];
    const Flags& gone = gone_[x];
    if (!any(gone)) return;
    const Tensor& before = result_.tensors[result_.operators[i].inputs[1]];
    const Bytes weights = weights_of(before);
    const std::int32_t outputs = before.shape[0], zero = result_.tensors[x].quantization.zero_point.at(0);
    std::vector<std::uint32_t> added(static_cast<std::size_t>(outputs), 0);  // modulo 2^32, as accumulators are
    for (std::size_t k = 0; k < weights.size(); ++k) {
      const std::size_t c = k % gone.size();
      const auto weight = static_cast<std::int8_t>(weights[k]);
      if (!gone[c] || weight == 0) continue;
      added[k / (weights.size() / added.size())] += static_cast<std::uint32_t>(weight * (ranges_[x].low[c] - zero));
    }
    if (std::any_of(added.begin(), added.end(), [](std::uint32_t a) { return a != 0; })) {
      Tensor& bias = own_bias(i, outputs);
      std::vector<std::uint32_t> values(added.size());
      std::memcpy(values.data(), bias.data.data(), bias.data.size());
      for (std::size_t c = 0; c < values.size(); ++c) values[c] += added[c];
      std::memcpy(bias.data.data(), values.data(), bias.data.size());
    }
    Tensor& own_weights = own(i, 1);
    drop(own_weights, own_weights.shape.size() - 1, gone);
  }

  void lose_outputs(std::size_t i, std::size_t axis) {
    const Flags& gone = gone_[result_.operators[i].outputs[0]];
    if (!any(gone)) return;
    drop(own(i, 1), axis, gone);
    if (result_.operators[i].inputs.size() > 2 && result_.operators[i].inputs[2] >= 0) drop(own(i, 2), 0, gone);
  }

  Graph result_;
  const std::vector<ChannelRanges>& ranges_;
  const std::vector<Flags>& gone_;
  std::vector<std::int32_t> uses_;
};

std::int32_t count_removed(const Graph& graph, const std::vector<Flags>& gone) {
  std::int64_t count = 0;
  for (const Operator& op : graph.operators) {
    const Flags& flags = gone[op.outputs[0]];
    if (role_of(graph, op) == Role::mixes) count += std::count(flags.begin(), flags.end(), true);
  }
  return static_cast<std::int32_t>(count);
}

}  // namespace

Graph shrink(const Graph& graph, ShrinkReport* report) {
  validate(graph);
  Graph result = graph;
  ShrinkReport found;
  found.macs_before = graph_macs(graph);
  found.weights_before = weight_count(graph);
  // Removing an output row can leave an input channel without weights, so repeat until nothing goes.
  for (bool changed = has_data(graph); changed;) {
    Chooser chooser(result);
    const std::vector<Flags> gone = chooser.removed();
    const std::int32_t removed = count_removed(result, gone);
    changed = removed > 0;
    if (!changed) break;
    found.channels_removed += removed;
    result = Rewriter(result, chooser.ranges(), gone).rewrite();
    validate(result);
  }
  found.macs_after = graph_macs(result);
  found.weights_after = weight_count(result);
  if (report != nullptr) *report = found;
  return result;
}

}  // namespace tinynas
