#include "quant/quantize.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <numeric>
#include <optional>
#include <string>

#include "graph/error.h"
#include "graph/operators.h"
#include "graph/shape.h"
#include "graph/validate.h"
#include "quant/weights.h"

namespace tinynas {
namespace {

/// Operators whose output must have its inputs' scale.
bool keeps_scale(const OperatorKind& kind) {
  return std::visit(
      [](const auto& op) {
        using T = std::decay_t<decltype(op)>;
        return std::is_same_v<T, AveragePool> || std::is_same_v<T, MaxPool> || std::is_same_v<T, ReduceMax> ||
               std::is_same_v<T, Pad> || std::is_same_v<T, Reshape> || std::is_same_v<T, Transpose> ||
               std::is_same_v<T, Concat> || std::is_same_v<T, ResizeNearest> || std::is_same_v<T, ResizeBilinear>;
      },
      kind);
}

std::optional<Quantization> fixed_output(const OperatorKind& kind) {
  if (std::holds_alternative<Softmax>(kind) || std::holds_alternative<Logistic>(kind))
    return Quantization{{1.0F / 256}, {-128}, 0};
  if (std::holds_alternative<Tanh>(kind)) return Quantization{{1.0F / 128}, {0}, 0};
  return std::nullopt;
}

/// Tensors that must share one scale, as sets.
class ScaleGroups {
 public:
  explicit ScaleGroups(const Graph& graph) : parent_(graph.tensors.size()) {
    std::iota(parent_.begin(), parent_.end(), 0);
    for (const Operator& op : graph.operators) {
      if (!keeps_scale(op.kind)) continue;
      for (const std::int32_t input : op.inputs) join(input, op.outputs[0]);
    }
  }
  [[nodiscard]] std::int32_t find(std::int32_t tensor) const {
    while (parent_[tensor] != tensor) tensor = parent_[tensor];
    return tensor;
  }

 private:
  void join(std::int32_t a, std::int32_t b) { parent_[find(std::max(a, b))] = find(std::min(a, b)); }
  std::vector<std::int32_t> parent_;
};

void require_float(const Graph& graph) {
  validate(graph);
  for (const Tensor& tensor : graph.tensors) {
    const bool index = tensor.dtype == DType::s32 || tensor.dtype == DType::s64;  // of ArgMax
    if (tensor.dtype != DType::f32 && !index) {
      throw InputError("[quantize] expected a graph of f32 tensors, got " + std::string(dtype_name(tensor.dtype)) + " '" +
                       tensor.name + "'");
    }
  }
}

RealRange merged(RealRange a, RealRange b) { return {std::min(a.low, b.low), std::max(a.high, b.high)}; }

/// Extremes of the constants of operators without weights.
RealRange constant_range(const Tensor& tensor) {
  const std::vector<float> values = float_values(tensor);
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  return {std::min<double>(*low, 0), std::max<double>(*high, 0)};
}

using Scales = std::vector<Quantization>;  // by tensor

class ScaleChooser {
 public:
  ScaleChooser(const Graph& graph, const std::vector<ActivationStatistics>& statistics, const QuantizeOptions& options,
               const std::vector<std::int32_t>& bits)
      : graph_(graph), statistics_(statistics), options_(options), bits_(bits), groups_(graph) {}

  [[nodiscard]] Scales choose() {
    collect_fixed();
    std::map<std::int32_t, RealRange> ranges;
    for (std::size_t t = 0; t < graph_.tensors.size(); ++t) {
      if (graph_.tensors[t].dtype != DType::f32) continue;
      const RealRange range = range_of(t);
      const std::int32_t group = groups_.find(static_cast<std::int32_t>(t));
      const auto [entry, added] = ranges.emplace(group, range);
      if (!added) entry->second = merged(entry->second, range);
    }
    Scales scales(graph_.tensors.size());
    for (std::size_t t = 0; t < scales.size(); ++t) {
      if (graph_.tensors[t].dtype != DType::f32) continue;
      const std::int32_t group = groups_.find(static_cast<std::int32_t>(t));
      scales[t] = fixed_.contains(group) ? fixed_.at(group) : asymmetric(ranges.at(group), bits_[t]);
    }
    return scales;
  }

 private:
  void fix(std::int32_t tensor, const Quantization& q) {
    const auto [entry, added] = fixed_.emplace(groups_.find(tensor), q);
    if (!added && (entry->second.scale != q.scale || entry->second.zero_point != q.zero_point)) {
      throw InputError("[quantize] expected one fixed scale for '" + graph_.tensors[tensor].name + "', got two");
    }
  }
  void collect_fixed() {
    if (options_.picture_input) {
      for (const std::int32_t input : graph_.inputs) fix(input, {{1.0F / 128}, {0}, 0});
    }
    for (const Operator& op : graph_.operators) {
      if (const auto q = fixed_output(op.kind)) fix(op.outputs[0], *q);
    }
  }
  [[nodiscard]] RealRange range_of(std::size_t t) const {
    const Tensor& tensor = graph_.tensors[t];
    if (tensor.constant) return constant_range(tensor);
    if (statistics_[t].histogram.empty()) return {};
    // A network's answers are compared with each other: their extremes are not cut.
    const bool output =
        std::find(graph_.outputs.begin(), graph_.outputs.end(), static_cast<std::int32_t>(t)) != graph_.outputs.end();
    return choose_range(statistics_[t], {output ? RangeMethod::min_max : options_.range, options_.percentile, bits_[t]});
  }

  const Graph& graph_;
  const std::vector<ActivationStatistics>& statistics_;
  const QuantizeOptions& options_;
  const std::vector<std::int32_t>& bits_;
  ScaleGroups groups_;
  std::map<std::int32_t, Quantization> fixed_;
};

/// A weight or bias that several operators read with different scales would need copies: refused.
void require_single_use(const Graph& graph) {
  std::vector<std::int32_t> uses(graph.tensors.size(), 0);
  for (const Operator& op : graph.operators) {
    const bool weighted = weight_axis(op.kind).has_value();
    for (std::size_t i = 0; i < op.inputs.size(); ++i) {
      const std::int32_t t = op.inputs[i];
      if (t < 0 || !graph.tensors[t].constant) continue;
      if (++uses[t] > 1 && weighted && i > 0) {
        throw InputError("[quantize] expected weights and biases that one operator reads, got '" + graph.tensors[t].name +
                         "' in several");
      }
    }
  }
}

void set_constant(Tensor& tensor, const Quantization& q) {
  tensor.data = quantize_values(float_values(tensor), q);
  tensor.quantization = q;
  tensor.dtype = DType::s8;
}

}  // namespace

Graph quantize(const Graph& graph, const std::vector<std::vector<Bytes>>& inputs, const QuantizeOptions& options) {
  require_float(graph);
  require_single_use(graph);
  if (options.percentile <= 50 || options.percentile > 100) {
    throw InputError("[quantize] expected a percentile above 50, at most 100, got " + std::to_string(options.percentile));
  }
  const std::vector<ActivationStatistics> statistics = calibrate(graph, inputs, options.threads);
  const std::vector<Format> formats = options.formats.empty() ? uniform_formats(graph, Format::w8a8) : options.formats;
  const std::vector<std::int32_t> bits = activation_bits(graph, formats);
  const Scales scales = ScaleChooser(graph, statistics, options, bits).choose();
  Graph result = graph;
  for (std::size_t t = 0; t < result.tensors.size(); ++t) {
    Tensor& tensor = result.tensors[t];
    if (tensor.dtype != DType::f32 || tensor.constant) continue;
    tensor.dtype = bits[t] == 4 ? DType::s4 : DType::s8;
    tensor.quantization = scales[t];
  }
  for (std::size_t i = 0; i < result.operators.size(); ++i) {
    const Operator& op = result.operators[i];
    if (weight_axis(op.kind)) {
      const auto& mean = statistics[op.inputs[0]].channel_mean;
      quantize_weights(result, i, weight_bits(formats[i]), options.bias_correction ? mean : std::vector<double>());
      continue;
    }
    for (const std::int32_t t : op.inputs) {
      if (t >= 0 && result.tensors[t].constant && result.tensors[t].dtype == DType::f32)
        set_constant(result.tensors[t], scales[t]);
    }
  }
  validate(result);
  return result;
}

}  // namespace tinynas
