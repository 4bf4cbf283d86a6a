#include "graph/formats.h"

#include <algorithm>
#include <array>
#include <string>

#include "graph/error.h"
#include "graph/operators.h"
#include "graph/shape.h"

namespace tinynas {
namespace {

constexpr std::array<std::string_view, 3> kNames = {"w8a8", "w4a8", "w4a4"};

template <class Kind>
bool is(const Operator& op) {
  return std::holds_alternative<Kind>(op.kind);
}

bool keeps_bits(const Operator& op) {
  return is<AveragePool>(op) || is<MaxPool>(op) || is<ReduceMax>(op) || is<Reshape>(op);
}

/// What the readers of one tensor want: 0 while none has said anything.
struct Wish {
  std::int32_t firm = 0, of_add = 0;

  void add(std::int32_t Wish::*kind, std::int32_t bits) { this->*kind = std::max(this->*kind, bits); }
  [[nodiscard]] std::int32_t bits() const { return firm != 0 ? firm : (of_add != 0 ? of_add : 8); }
};

}  // namespace

bool has_weights(const Operator& op) {
  return is<Conv2D>(op) || is<DepthwiseConv2D>(op) || is<TransposeConv>(op) || is<FullyConnected>(op);
}

std::int64_t row_bytes(const Shape& shape, DType dtype) {
  return (element_count(shape) / row_count(shape) * dtype_bits(dtype) + 7) / 8;
}

std::int64_t activation_bytes(const Shape& shape, DType dtype) { return row_count(shape) * row_bytes(shape, dtype); }

std::string_view format_name(Format format) { return kNames[static_cast<std::size_t>(format)]; }

std::optional<Format> parse_format(std::string_view name) {
  const auto* found = std::find(kNames.begin(), kNames.end(), name);
  return found == kNames.end() ? std::nullopt : std::optional(static_cast<Format>(found - kNames.begin()));
}

std::vector<std::string> format_names(const std::vector<Format>& formats) {
  std::vector<std::string> names;
  for (const Format format : formats) names.emplace_back(format_name(format));
  return names;
}

std::vector<Format> parse_formats(const std::vector<std::string>& names) {
  std::vector<Format> formats;
  for (const std::string& name : names) {
    const auto format = parse_format(name);
    if (!format) throw InputError("[formats] expected a format of w8a8, w4a8 or w4a4, got '" + name + "'");
    formats.push_back(*format);
  }
  return formats;
}

std::int32_t weight_bits(Format format) { return format == Format::w8a8 ? 8 : 4; }
std::int32_t input_bits(Format format) { return format == Format::w4a4 ? 4 : 8; }

std::vector<Format> uniform_formats(const Graph& graph, Format format, bool ends) {
  std::vector<Format> formats(graph.operators.size(), format);
  if (ends) return formats;
  const auto first = std::find_if(graph.operators.begin(), graph.operators.end(), has_weights);
  const auto last = std::find_if(graph.operators.rbegin(), graph.operators.rend(), has_weights);
  if (first != graph.operators.end()) formats[static_cast<std::size_t>(first - graph.operators.begin())] = Format::w8a8;
  if (last != graph.operators.rend()) formats[static_cast<std::size_t>(graph.operators.rend() - last) - 1] = Format::w8a8;
  return formats;
}

std::vector<std::int32_t> activation_bits(const Graph& graph, const std::vector<Format>& formats) {
  if (formats.size() != graph.operators.size()) {
    throw InputError("[quantize] expected one format per operator, " + std::to_string(graph.operators.size()) + ", got " +
                     std::to_string(formats.size()));
  }
  std::vector<Wish> wishes(graph.tensors.size());
  for (const std::int32_t tensor : graph.inputs) wishes[tensor].firm = 8;
  for (const std::int32_t tensor : graph.outputs) wishes[tensor].firm = 8;
  for (std::size_t i = graph.operators.size(); i-- > 0;) {
    const Operator& op = graph.operators[i];
    const bool weighted = has_weights(op);
    const bool follows = keeps_bits(op) || is<Add>(op);
    const std::int32_t wanted = weighted ? input_bits(formats[i]) : (follows ? wishes[op.outputs[0]].bits() : 8);
    for (std::size_t k = 0; k < (weighted ? 1 : op.inputs.size()); ++k) {
      if (op.inputs[k] >= 0) wishes[op.inputs[k]].add(is<Add>(op) ? &Wish::of_add : &Wish::firm, wanted);
    }
  }
  std::vector<std::int32_t> bits(graph.tensors.size(), 8);
  for (const Operator& op : graph.operators) {
    const std::int32_t output = op.outputs[0];
    const bool any = is<Add>(op) || has_weights(op);  // others write 8 bits alone
    bits[output] = keeps_bits(op) ? bits[op.inputs[0]] : (any ? wishes[output].bits() : 8);
  }
  return bits;
}

namespace {

void set_dtype(Tensor& tensor, std::int32_t bits) {
  if (!tensor.data.empty())
    throw InputError("[formats] tensor '" + tensor.name + "': expected a description of sizes, got data");
  if (tensor.dtype == DType::s8 && bits == 4) tensor.dtype = DType::s4;
}

}  // namespace

Graph in_formats(Graph graph, const std::vector<Format>& formats) {
  const std::vector<std::int32_t> bits = activation_bits(graph, formats);
  for (std::size_t i = 0; i < graph.operators.size(); ++i) {
    const Operator& op = graph.operators[i];
    set_dtype(graph.tensors[op.outputs[0]], bits[op.outputs[0]]);
    if (has_weights(op)) set_dtype(graph.tensors[op.inputs[1]], weight_bits(formats[i]));
  }
  return graph;
}

Graph in_four_bits(Graph graph) {
  for (Tensor& tensor : graph.tensors) set_dtype(tensor, 4);
  return graph;
}

}  // namespace tinynas
