#pragma once

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <torch/csrc/utils/pybind.h>

// One function per part, defined in the file of that name.
void bind_net(pybind11::module_& m);
void bind_train(pybind11::module_& m);
void bind_extract(pybind11::module_& m);
void bind_qat(pybind11::module_& m);
