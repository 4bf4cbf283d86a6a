// A graph as schedules see it: which rows of its inputs an operator needs for a row of its output, who reads what, and how
// many bytes a row has. Built once per graph; everything that schedules ask in their inner loops is a field of a flat array
// here.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "graph/graph.h"

namespace tinynas {

enum class RowMode : std::uint8_t {
  rows,        // computes output rows one after the other from windows of input rows
  accumulate,  // takes input rows one after the other into int32 sums, then writes its only output row (global pool; mean,
               // maximum over H, W)
  whole,       // needs its whole inputs and writes its whole output at once: always a segment of its own
};

/// Rows [begin, end).
struct RowSpan {
  std::int32_t begin = 0, end = 0;
};

/// A window along one axis of a map of `size` rows or columns: output row (column) `at` needs [at * stride - pad, at *
/// stride
/// - pad + extent), clipped to the map.
struct AxisAccess {
  std::int32_t size = 1;
  std::int32_t stride = 1, pad = 0, extent = 1;
  bool all = false;  // always everything

  [[nodiscard]] RowSpan span(std::int32_t at) const {
    if (all) return {0, size};
    const std::int32_t first = at * stride - pad;
    return {std::clamp(first, 0, size), std::clamp(first + extent, 0, size)};
  }
};

/// input_rows() and input_columns() of graph/operators.h in closed form, for schedules that ask them millions of times: what
/// an output row (pixel) needs of one activation input.
struct RowAccess {
  std::int32_t tensor = -1;
  std::int32_t height = 0;  // rows of the input
  std::int32_t stride = 1, pad = 0, extent = 1;
  bool all = false;  // every output row needs every input row
  AxisAccess columns;

  [[nodiscard]] AxisAccess vertical() const { return {height, stride, pad, extent, all}; }
  [[nodiscard]] RowSpan rows(std::int32_t y) const { return vertical().span(y); }
};

/// The order in which the pixels of a map are computed one by one: band after band of `rows` rows, in a band column after
/// column, in a column from top to bottom. Band b holds rows [first + b * rows, first + (b + 1) * rows) cut to the map;
/// -rows < first <= 0. One row a band: raster order.
struct Band {
  std::int32_t rows = 1, first = 0;
};

struct RowTensor {
  std::int32_t rows = 1;          // height of a feature map, 1 for anything else
  std::int32_t columns = 1;       // width of a feature map, 1 for anything else
  Band band;                      // when computed pixel by pixel (pixels.h)
  std::int64_t row_bytes = 0;     // unpadded, nhwc
  std::int64_t bytes = 0;         // rows * row_bytes
  std::int32_t producer = -1;     // operator, -1: a graph input or constant
  std::int32_t last_reader = -1;  // operator, the number of operators for a graph output, -1: never read
  bool activation = false;        // lies in the arena
  bool graph_input = false, graph_output = false;
  std::vector<std::int32_t> readers;  // operators, ascending

  [[nodiscard]] std::int32_t pixels() const { return rows * columns; }
  [[nodiscard]] std::int64_t pixel_bytes() const { return row_bytes / columns; }
};

/// The two axes of a map, for algorithms that treat them alike.
struct Vertical {
  static std::int32_t size(const RowTensor& tensor) { return tensor.rows; }
  static AxisAccess access(const RowAccess& access) { return access.vertical(); }
};
struct Horizontal {
  static std::int32_t size(const RowTensor& tensor) { return tensor.columns; }
  static AxisAccess access(const RowAccess& access) { return access.columns; }
};

struct RowOperator {
  RowMode mode = RowMode::rows;
  bool by_pixels = false;  // can also compute one pixel (accumulate: take one pixel) at a time
  std::int32_t output = -1;
  std::int32_t first_access = 0, accesses = 0;  // into RowGraph::accesses
  std::int64_t accumulator_bytes = 0;           // of RowMode::accumulate
};

struct RowGraph {
  std::vector<RowTensor> tensors;      // parallel to Graph::tensors
  std::vector<RowOperator> operators;  // parallel to Graph::operators
  std::vector<RowAccess> accesses;

  [[nodiscard]] std::span<const RowAccess> inputs(std::int32_t op) const {
    const auto& o = operators[static_cast<std::size_t>(op)];
    return {accesses.data() + o.first_access, static_cast<std::size_t>(o.accesses)};
  }
  [[nodiscard]] const RowTensor& tensor(std::int32_t t) const { return tensors[static_cast<std::size_t>(t)]; }
  [[nodiscard]] std::int32_t operator_count() const { return static_cast<std::int32_t>(operators.size()); }
};

/// Whether rows of this operator can be computed one by one, and how.
[[nodiscard]] RowMode row_mode(const Graph& graph, const Operator& op);

/// Throws InputError for a graph that no schedule can run: an operator without exactly one output, or a tensor without a
/// size.
[[nodiscard]] RowGraph make_row_graph(const Graph& graph);

/// Bytes of `count` values; 4-bit values are packed two a byte.
[[nodiscard]] std::int64_t value_bytes(DType dtype, std::int64_t count);

}  // namespace tinynas
