// Arrays of Python as values of tensors, and back.
#pragma once

#include <pybind11/numpy.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "graph/interpreter.h"

/// s4 is int8, one value a byte.
pybind11::dtype numpy_dtype(tinynas::DType dtype);
std::vector<pybind11::ssize_t> array_shape(const tinynas::Shape& shape);

/// The contiguous array behind one input; InputError when its type or shape is not the tensor's. With `batch`, N pictures
/// stand along the first axis in place of the tensor's leading 1.
pybind11::array checked_array(const tinynas::Tensor& tensor, const pybind11::array& given, bool batch);
void check_input_count(const tinynas::Graph& graph, std::size_t count);
/// Values as the interpreter wants them: s4 packed.
tinynas::Bytes copied(const tinynas::Tensor& tensor, const std::uint8_t* data, std::size_t bytes);

/// N pictures for every input of a graph.
struct Batch {
  std::vector<pybind11::array> arrays;  // keeps the data alive
  std::vector<const std::uint8_t*> data;
  std::vector<std::size_t> item_bytes;
  std::size_t count = 0;
};
Batch make_batch(const tinynas::Graph& graph, const std::vector<pybind11::array>& inputs);
/// Inputs of run number `item`; needs no GIL.
std::vector<tinynas::Bytes> batch_item(const tinynas::Graph& graph, const Batch& batch, std::size_t item);
