#pragma once

#include <pybind11/pybind11.h>

// One function per part, defined in the file of that name.
/// InputError crosses as tinynas.InputError.
void bind_errors();
void bind_quant(pybind11::module_& m);
void bind_graph(pybind11::module_& m);
void bind_oracle(pybind11::module_& m);
void bind_codegen(pybind11::module_& m);
void bind_space(pybind11::module_& m);
void bind_search(pybind11::module_& m);
