// One operator under a plan, as the families of kernels count their work (oracle/kernels/kernel_work.h).
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "graph/graph.h"
#include "graph/operators.h"
#include "oracle/kernels/kernel_work.h"
#include "oracle/kernels/scratch.h"

namespace tinynas {

struct KernelRun {
  const Graph& graph;
  const Operator& op;
  tn_set set;
  tn_shape shape;       // rows_at_once: of the plan
  KernelWindow window;  // 1x1 without stride where the operator has none
  Layout input = Layout::nhwc, output = Layout::nhwc;
  std::int32_t rows = 1;  // of the output

  [[nodiscard]] DType dtype(std::int32_t tensor) const { return graph.tensors[static_cast<std::size_t>(tensor)].dtype; }

  /// Calls visit(y, count) for every step: output rows [y, y + count).
  template <class Visit>
  void steps(Visit visit) const {
    for (std::int32_t y = 0; y < rows; y += shape.rows_at_once) visit(y, std::min(shape.rows_at_once, rows - y));
  }

  /// Rows under the windows of output rows [y, y + count) that lie inside the map.
  [[nodiscard]] std::int32_t rows_inside(std::int32_t y, std::int32_t count) const {
    const std::int32_t first = y * window.window.stride_h - window.window.padding.top;
    const std::int32_t end =
        first + (count - 1) * window.window.stride_h + (window.kernel_h - 1) * window.window.dilation_h + 1;
    return std::max(0, std::min(end, shape.input_h) - std::max(first, 0));
  }
};

[[nodiscard]] constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

inline double& at(Terms& terms, Term term) { return terms[static_cast<std::size_t>(term)]; }
inline void count(Terms& terms, Term term, std::int64_t amount) { at(terms, term) += static_cast<double>(amount); }

/// Both name the kernel, "" where the core's set has no kernel of the family for the operator.
[[nodiscard]] std::string matrix_work(const KernelRun& run, Terms& terms);
[[nodiscard]] std::string depthwise_work(const KernelRun& run, Terms& terms);

/// Whether Helium's depthwise kernel works from strips.
[[nodiscard]] bool helium_has_strips(const KernelRun& run);

}  // namespace tinynas
