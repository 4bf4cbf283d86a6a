#include "oracle/rows.h"

#include <string>
#include <type_traits>

#include "graph/error.h"
#include "graph/operators.h"
#include "oracle/pixels.h"

namespace tinynas {
namespace {

const Tensor& tensor_at(const Graph& graph, std::int32_t index) { return graph.tensors[static_cast<std::size_t>(index)]; }

std::int32_t height_of(const Tensor& tensor) { return row_count(tensor.shape); }

bool is_map(const Tensor& tensor) { return tensor.shape.size() == 4 && tensor.shape[0] == 1; }

bool one_row(const Tensor& tensor) { return is_map(tensor) ? tensor.shape[1] == 1 : tensor.shape.size() <= 2; }

bool covers_map(const AveragePool& pool, const Tensor& input) {
  const auto& padding = pool.window.padding;
  return is_map(input) && pool.kernel_h == input.shape[1] && pool.kernel_w == input.shape[2] && padding.top == 0 &&
         padding.bottom == 0 && padding.left == 0 && padding.right == 0;
}

bool over_rows_and_columns(std::vector<std::int32_t> axes) {
  for (auto& axis : axes) axis = axis < 0 ? axis + 4 : axis;
  std::sort(axes.begin(), axes.end());
  return axes == std::vector<std::int32_t>{1, 2};
}

/// Elementwise operators and those that work along the channels: rows correspond one to one.
template <class Kind>
inline constexpr bool rowwise =
    std::is_same_v<Kind, Logistic> || std::is_same_v<Kind, Tanh> || std::is_same_v<Kind, HardSwish> ||
    std::is_same_v<Kind, LeakyRelu> || std::is_same_v<Kind, PRelu> || std::is_same_v<Kind, Quantize> ||
    std::is_same_v<Kind, Dequantize> || std::is_same_v<Kind, Softmax> || std::is_same_v<Kind, Add> ||
    std::is_same_v<Kind, Mul>;

template <class Kind>
inline constexpr bool windowed = std::is_same_v<Kind, Conv2D> || std::is_same_v<Kind, DepthwiseConv2D> ||
                                 std::is_same_v<Kind, AveragePool> || std::is_same_v<Kind, MaxPool>;

RowMode mode_of(const Graph& graph, const Operator& op) {
  const Tensor& input = tensor_at(graph, op.inputs.front());
  const Tensor& output = tensor_at(graph, op.outputs.front());
  const bool maps = (is_map(input) || one_row(input)) && (is_map(output) || one_row(output));
  const auto rows_if = [&](bool possible) { return maps && possible ? RowMode::rows : RowMode::whole; };
  return std::visit(
      [&](const auto& kind) {
        using Kind = std::decay_t<decltype(kind)>;
        if constexpr (std::is_same_v<Kind, AveragePool>) {
          return covers_map(kind, input) ? RowMode::accumulate : rows_if(is_map(input));
        } else if constexpr (std::is_same_v<Kind, Mean> || std::is_same_v<Kind, ReduceMax>) {
          return is_map(input) && over_rows_and_columns(kind.axes) ? RowMode::accumulate : RowMode::whole;
        } else if constexpr (windowed<Kind>) {
          return rows_if(is_map(input));
        } else if constexpr (rowwise<Kind>) {
          return rows_if(true);
        } else if constexpr (std::is_same_v<Kind, FullyConnected> || std::is_same_v<Kind, Reshape>) {
          return rows_if(one_row(input) && one_row(output));
        } else if constexpr (std::is_same_v<Kind, Concat>) {
          return rows_if(is_map(output) && (kind.axis == 3 || kind.axis == -1 || kind.axis == 2 || kind.axis == -2));
        } else if constexpr (std::is_same_v<Kind, Pad>) {
          return rows_if(is_map(input) && kind.amounts.size() == 4);
        } else {
          return RowMode::whole;
        }
      },
      op.kind);
}

/// Whether pixels of the tensor, where it is a map, are whole bytes.
bool in_whole_bytes(const Tensor& tensor) {
  return dtype_bits(tensor.dtype) >= 8 || tensor.constant || column_count(tensor.shape) == 1 || tensor.shape.back() % 2 == 0;
}

/// Whether pixels can be computed one by one where rows can: all but what moves values from column to column.
bool by_pixels(const Graph& graph, const Operator& op, RowMode mode) {
  const Tensor& output = tensor_at(graph, op.outputs.front());
  const bool whole_bytes = std::all_of(op.inputs.begin(), op.inputs.end(),
                                       [&](std::int32_t t) { return t < 0 || in_whole_bytes(tensor_at(graph, t)); });
  if (mode == RowMode::whole || !whole_bytes || !in_whole_bytes(output)) return false;
  if (std::holds_alternative<Reshape>(op.kind) || std::holds_alternative<FullyConnected>(op.kind)) {
    return column_count(output.shape) == 1;
  }
  const auto* concat = std::get_if<Concat>(&op.kind);
  return concat == nullptr || output.shape.size() != 4 || concat->axis == 3 || concat->axis == -1;
}

void set_window(RowAccess& access, const KernelWindow& kernel) {
  const Window& window = kernel.window;
  access.stride = window.stride_h;
  access.pad = window.padding.top;
  access.extent = (kernel.kernel_h - 1) * window.dilation_h + 1;
  access.columns.stride = window.stride_w;
  access.columns.pad = window.padding.left;
  access.columns.extent = (kernel.kernel_w - 1) * window.dilation_w + 1;
}

RowAccess make_access(const Graph& graph, const Operator& op, std::int32_t input, RowMode mode) {
  const Tensor& tensor = tensor_at(graph, input);
  RowAccess access;
  access.tensor = input;
  access.height = height_of(tensor);
  access.columns.size = column_count(tensor.shape);
  if (mode != RowMode::rows) {
    access.all = access.columns.all = true;
    return access;
  }
  const Tensor& output = tensor_at(graph, op.outputs.front());
  if (const auto window = kernel_window(graph, op)) {
    set_window(access, *window);
    return access;
  }
  if (const auto* pad = std::get_if<Pad>(&op.kind)) {
    access.pad = pad->amounts[1][0];
    access.columns.pad = pad->amounts[2][0];
    return access;
  }
  // A one-row operand of a taller map is broadcast over its rows, a one-column operand over its columns.
  access.all = access.height == 1 && height_of(output) > 1;
  access.columns.all = tensor.shape.size() != output.shape.size() || access.columns.size != column_count(output.shape);
  return access;
}

RowTensor make_row_tensor(const Tensor& tensor) {
  RowTensor row;
  std::int64_t values = 1;
  for (const auto dimension : tensor.shape) {
    if (dimension <= 0) throw InputError("[oracle] tensor '" + tensor.name + "': expected positive dimensions");
    values *= dimension;
  }
  row.rows = height_of(tensor);
  row.columns = column_count(tensor.shape);
  row.row_bytes = value_bytes(tensor.dtype, values / row.rows);
  row.bytes = row.row_bytes * row.rows;
  row.activation = !tensor.constant;
  return row;
}

void add_operator(const Graph& graph, std::int32_t index, RowGraph& rows) {
  const Operator& op = graph.operators[static_cast<std::size_t>(index)];
  if (op.outputs.size() != 1 || op.inputs.empty()) {
    throw InputError("[oracle] operator " + std::to_string(index) + " '" + op.name +
                     "': expected inputs and one output, got " + std::to_string(op.inputs.size()) + " and " +
                     std::to_string(op.outputs.size()));
  }
  RowOperator row;
  row.mode = mode_of(graph, op);
  row.by_pixels = by_pixels(graph, op, row.mode);
  row.output = op.outputs.front();
  row.first_access = static_cast<std::int32_t>(rows.accesses.size());
  for (const auto input : op.inputs) {
    if (input < 0 || tensor_at(graph, input).constant) continue;
    rows.accesses.push_back(make_access(graph, op, input, row.mode));
    auto& tensor = rows.tensors[static_cast<std::size_t>(input)];
    if (tensor.readers.empty() || tensor.readers.back() != index) tensor.readers.push_back(index);
    tensor.last_reader = index;
  }
  row.accesses = static_cast<std::int32_t>(rows.accesses.size()) - row.first_access;
  if (row.mode == RowMode::accumulate) row.accumulator_bytes = 4LL * tensor_at(graph, op.inputs.front()).shape.back();
  rows.tensors[static_cast<std::size_t>(row.output)].producer = index;
  rows.operators.push_back(row);
}

}  // namespace

std::int64_t value_bytes(DType dtype, std::int64_t count) {
  switch (dtype) {
    case DType::s4:
      return (count + 1) / 2;
    case DType::s8:
    case DType::u8:
      return count;
    case DType::s16:
      return 2 * count;
    case DType::f32:
    case DType::s32:
      return 4 * count;
    case DType::s64:
      return 8 * count;
  }
  return count;
}

RowMode row_mode(const Graph& graph, const Operator& op) { return mode_of(graph, op); }

RowGraph make_row_graph(const Graph& graph) {
  RowGraph rows;
  rows.tensors.reserve(graph.tensors.size());
  for (const auto& tensor : graph.tensors) rows.tensors.push_back(make_row_tensor(tensor));
  rows.operators.reserve(graph.operators.size());
  for (std::size_t i = 0; i < graph.operators.size(); ++i) add_operator(graph, static_cast<std::int32_t>(i), rows);
  for (const auto input : graph.inputs) rows.tensors[static_cast<std::size_t>(input)].graph_input = true;
  for (const auto output : graph.outputs) {
    auto& tensor = rows.tensors[static_cast<std::size_t>(output)];
    tensor.graph_output = true;
    tensor.last_reader = rows.operator_count();
  }
  for (std::size_t t = 0; t < rows.tensors.size(); ++t) {
    rows.tensors[t].band = choose_band(rows, static_cast<std::int32_t>(t));
  }
  return rows;
}

}  // namespace tinynas
