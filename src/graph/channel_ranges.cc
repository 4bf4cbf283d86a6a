// Interval arithmetic per channel; every interval is computed with the integer arithmetic of the kernels themselves.
#include <algorithm>
#include <cstring>

#include "graph/interpreter.h"
#include "graph/kernel.h"
#include "graph/shape.h"
#include "graph/shrink.h"

namespace tinynas {
namespace {

ChannelRanges full_range(const Tensor& tensor) {
  const auto channels = static_cast<std::size_t>(tensor.shape.empty() ? 1 : tensor.shape.back());
  return {std::vector<std::int32_t>(channels, dtype_min(tensor.dtype)),
          std::vector<std::int32_t>(channels, dtype_max(tensor.dtype))};
}

std::vector<std::int8_t> int8_values(const Tensor& tensor) {
  const Bytes bytes = unpack_values(tensor, tensor.data);
  std::vector<std::int8_t> values(bytes.size());
  if (!bytes.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

/// Runs one operator alone on inputs of the given shapes.
std::vector<std::int8_t> run_alone(const Graph& graph, const Operator& op, const Shape& in, const Shape& out,
                                   const std::vector<std::vector<std::int8_t>>& inputs) {
  Graph one;
  Operator alone{op.kind, op.name, {}, {}, -1};
  std::vector<Bytes> values;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Tensor& t = graph.tensors[op.inputs[i]];
    one.tensors.push_back({t.name, in, t.dtype, t.quantization, false, {}});
    one.inputs.push_back(static_cast<std::int32_t>(i));
    alone.inputs.push_back(static_cast<std::int32_t>(i));
    values.emplace_back(inputs[i].begin(), inputs[i].end());
  }
  const Tensor& t = graph.tensors[op.outputs[0]];
  one.tensors.push_back({t.name, out, t.dtype, t.quantization, false, {}});
  one.outputs = alone.outputs = {static_cast<std::int32_t>(inputs.size())};
  one.operators.push_back(std::move(alone));
  const Bytes result = run(one, values)[0];
  return {result.begin(), result.end()};
}

std::vector<std::int8_t> narrowed(const std::vector<std::int32_t>& values) { return {values.begin(), values.end()}; }
std::vector<std::int32_t> widened(const std::vector<std::int8_t>& values) { return {values.begin(), values.end()}; }

/// Bounds of an accumulator that grows weight by weight.
struct Sum {
  std::int64_t low = 0, high = 0;
  void add(std::int64_t weight, std::int64_t lowest, std::int64_t highest) {
    low += std::min(weight * lowest, weight * highest);
    high += std::max(weight * lowest, weight * highest);
  }
};

class RangeFinder {
 public:
  explicit RangeFinder(const Graph& graph)
      : graph_(graph), ranges_(graph.tensors.size()), no_constants_(graph.tensors.size(), nullptr) {
    for (const std::int32_t input : graph.inputs) {
      if (graph.tensors[input].dtype == DType::s8) ranges_[input] = full_range(graph.tensors[input]);
    }
  }

  std::vector<ChannelRanges> find() {
    for (std::size_t i = 0; i < graph_.operators.size(); ++i) {
      const Operator& op = graph_.operators[i];
      const Tensor& out = graph_.tensors[op.outputs[0]];
      if (out.dtype != DType::s8) continue;
      ChannelRanges found;
      const bool known = op.inputs[0] >= 0 && ranges_[op.inputs[0]].known();
      if (known) found = std::visit([&](const auto& kind) { return after(i, op, kind); }, op.kind);
      ranges_[op.outputs[0]] = found.known() ? found : full_range(out);
    }
    return std::move(ranges_);
  }

 private:
  const ChannelRanges& input(const Operator& op, std::size_t i = 0) const { return ranges_[op.inputs[i]]; }

  ChannelRanges after(std::size_t i, const Operator& op, const Conv2D&) const { return weighted(i, op); }
  ChannelRanges after(std::size_t i, const Operator& op, const DepthwiseConv2D&) const { return weighted(i, op); }
  ChannelRanges after(std::size_t i, const Operator& op, const FullyConnected&) const { return weighted(i, op); }

  ChannelRanges after(std::size_t, const Operator& op, const Add&) const {
    const Shape &a = graph_.tensors[op.inputs[0]].shape, &b = graph_.tensors[op.inputs[1]].shape;
    if (a != b || !input(op, 1).known()) return {};
    const Shape pixel = {1, a.back()};
    const auto edge = [&](std::vector<std::int32_t> ChannelRanges::*end) {
      return widened(run_alone(graph_, op, pixel, pixel, {narrowed(input(op, 0).*end), narrowed(input(op, 1).*end)}));
    };
    return {edge(&ChannelRanges::low), edge(&ChannelRanges::high)};  // ADD grows with both
  }
  ChannelRanges after(std::size_t, const Operator& op, const AveragePool&) const { return clamped(op); }
  ChannelRanges after(std::size_t, const Operator& op, const MaxPool&) const { return clamped(op); }
  ChannelRanges after(std::size_t, const Operator& op, const Pad& pad) const {
    ChannelRanges r = input(op);
    if (pad.amounts.back() != std::array<std::int32_t, 2>{0, 0}) return {};
    const std::int32_t zero = graph_.tensors[op.outputs[0]].quantization.zero_point.at(0);
    for (std::int32_t& low : r.low) low = std::min(low, zero);
    for (std::int32_t& high : r.high) high = std::max(high, zero);
    return r;
  }
  ChannelRanges after(std::size_t, const Operator& op, const Reshape&) const {
    return same_channels(op) ? input(op) : ChannelRanges{};
  }
  ChannelRanges after(std::size_t, const Operator& op, const ResizeNearest&) const { return input(op); }
  ChannelRanges after(std::size_t, const Operator& op, const Mean& mean) const {
    const Shape& x = graph_.tensors[op.inputs[0]].shape;
    for (const std::int32_t axis : mean.axes) {
      if (resolve_axis(axis, x.size(), "[shrink]") == static_cast<std::int32_t>(x.size()) - 1) return {};
    }
    const auto edge = [&](const std::vector<std::int32_t>& pixel) {
      std::vector<std::int8_t> values;
      for (std::int64_t i = element_count(x) / x.back(); i > 0; --i) values.insert(values.end(), pixel.begin(), pixel.end());
      std::vector<std::int8_t> out = run_alone(graph_, op, x, graph_.tensors[op.outputs[0]].shape, {values});
      out.resize(static_cast<std::size_t>(x.back()));
      return widened(out);
    };
    return {edge(input(op).low), edge(input(op).high)};
  }
  ChannelRanges after(std::size_t, const Operator& op, const HardSwish&) const { return looked_up(op); }
  ChannelRanges after(std::size_t, const Operator& op, const LeakyRelu&) const { return looked_up(op); }
  ChannelRanges after(std::size_t, const Operator& op, const Logistic&) const { return looked_up(op); }
  ChannelRanges after(std::size_t, const Operator& op, const Tanh&) const { return looked_up(op); }
  ChannelRanges after(std::size_t, const Operator&, const auto&) const { return {}; }

  [[nodiscard]] bool same_channels(const Operator& op) const {
    const Shape &x = graph_.tensors[op.inputs[0]].shape, &y = graph_.tensors[op.outputs[0]].shape;
    return !x.empty() && !y.empty() && x.back() == y.back();
  }
  [[nodiscard]] kernels::Context context(std::size_t i) const { return {graph_, i, graph_.operators[i], no_constants_}; }

  ChannelRanges clamped(const Operator& op) const {
    ChannelRanges r = input(op);
    const auto index = static_cast<std::size_t>(&op - graph_.operators.data());
    const ClampRange range = kernels::output_range(context(index));
    for (std::int32_t& low : r.low) low = std::clamp(low, range.low, range.high);
    for (std::int32_t& high : r.high) high = std::clamp(high, range.low, range.high);
    return r;
  }

  /// A function of one value: all 256 results, then extremes over each channel's interval.
  ChannelRanges looked_up(const Operator& op) const {
    std::vector<std::int8_t> all(256);
    for (std::int32_t q = -128; q <= 127; ++q) all[static_cast<std::size_t>(q + 128)] = static_cast<std::int8_t>(q);
    const std::vector<std::int8_t> table = run_alone(graph_, op, {1, 256}, {1, 256}, {all});
    ChannelRanges r = input(op);
    for (std::size_t c = 0; c < r.low.size(); ++c) {
      const auto [low, high] = std::minmax_element(table.begin() + r.low[c] + 128, table.begin() + r.high[c] + 129);
      r.low[c] = *low;
      r.high[c] = *high;
    }
    return r;
  }

  /// Bounds of every output channel's accumulator without bias.
  std::vector<Sum> accumulators(const Operator& op, std::int32_t channels) const {
    const Tensor &x = graph_.tensors[op.inputs[0]], &w = graph_.tensors[op.inputs[1]];
    const auto window = kernel_window(graph_, op);
    const Padding pad = window ? window->window.padding : Padding{};
    const bool padded = pad.top > 0 || pad.left > 0 || pad.bottom > 0 || pad.right > 0;
    const std::int32_t zero = x.quantization.zero_point.at(0);
    const bool depthwise = std::holds_alternative<DepthwiseConv2D>(op.kind), conv = std::holds_alternative<Conv2D>(op.kind);
    const std::vector<std::int8_t> weights = int8_values(w);
    const std::int64_t last = w.shape.back(), per_output = static_cast<std::int64_t>(weights.size()) / channels;
    std::vector<Sum> sums(static_cast<std::size_t>(channels));
    for (std::int64_t i = 0; i < static_cast<std::int64_t>(weights.size()); ++i) {
      const std::int64_t output = depthwise ? i % last : i / per_output;
      std::int64_t in = depthwise ? output / (last / x.shape.back()) : i % last;
      if (conv) in += output / (channels / (x.shape[3] / last)) * last;  // its group's first channel
      in %= x.shape.back();                                              // fully connected: flattened pixels
      std::int64_t low = input(op).low[static_cast<std::size_t>(in)] - zero,
                   high = input(op).high[static_cast<std::size_t>(in)] - zero;
      if (padded) low = std::min<std::int64_t>(low, 0), high = std::max<std::int64_t>(high, 0);
      sums[static_cast<std::size_t>(output)].add(weights[static_cast<std::size_t>(i)], low, high);
    }
    return sums;
  }

  ChannelRanges weighted(std::size_t index, const Operator& op) const {
    const Tensor& out = graph_.tensors[op.outputs[0]];
    const std::int32_t channels = out.shape.back();
    if (!graph_.tensors[op.inputs[1]].constant) return {};
    std::vector<std::int32_t> bias(static_cast<std::size_t>(channels), 0);
    if (op.inputs.size() > 2 && op.inputs[2] >= 0) {
      if (!graph_.tensors[op.inputs[2]].constant) return {};
      std::memcpy(bias.data(), graph_.tensors[op.inputs[2]].data.data(), bias.size() * sizeof(std::int32_t));
    }
    const kernels::Context c = context(index);
    const auto multipliers = kernels::channel_multipliers(c, channels);
    const ClampRange range = kernels::output_range(c);
    const std::int32_t zero = c.zero_point(out);
    const std::vector<Sum> sums = accumulators(op, channels);
    ChannelRanges r = full_range(out);
    for (std::size_t ch = 0; ch < bias.size(); ++ch) {
      const std::int64_t low = sums[ch].low + bias[ch], high = sums[ch].high + bias[ch];
      const std::int32_t left = std::max(multipliers[ch].shift, 0);
      const std::int64_t limit = (std::int64_t{1} << 31) - 1;
      const bool wraps = -(low << left) > limit || (high << left) > limit || low < -limit || high > limit;
      r.low[ch] = wraps ? range.low : kernels::requantize(static_cast<std::int32_t>(low), multipliers[ch], zero, range);
      r.high[ch] = wraps ? range.high : kernels::requantize(static_cast<std::int32_t>(high), multipliers[ch], zero, range);
    }
    return r;
  }

  const Graph& graph_;
  std::vector<ChannelRanges> ranges_;
  std::vector<const void*> no_constants_;
};

}  // namespace

std::vector<ChannelRanges> channel_ranges(const Graph& graph) { return RangeFinder(graph).find(); }

}  // namespace tinynas
