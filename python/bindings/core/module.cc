// The module tinynas._core: everything that needs no torch. A file per part; values cross as JSON strings, ints and arrays.
#include "module.h"

PYBIND11_MODULE(_core, m) {
  m.doc() = "C++ core of tinynas: graph, space, oracle, search, code generation";
  bind_errors();
  bind_graph(m);
  bind_quant(m);
  bind_space(m);
  bind_oracle(m);
  bind_search(m);
  bind_codegen(m);
}
