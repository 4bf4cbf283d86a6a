// Whether a graph may be run, planned and generated.
#pragma once

#include "graph/graph.h"

namespace tinynas {

/// Throws InputError naming the tensor or the operator (index, kind and name), what was expected and what came. Checked:
/// indices, the order of operators, every tensor written once, ranks and shapes (against inference), dtypes, scales and zero
/// points where a tensor has them, sizes of constants' data (a constant without data is a description of sizes and passes).
void validate(const Graph& graph);

/// True when every constant that an operator reads has its data: the graph can be run.
[[nodiscard]] bool has_data(const Graph& graph);

}  // namespace tinynas
