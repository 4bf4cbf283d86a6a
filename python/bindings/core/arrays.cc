#include "arrays.h"

#include <pybind11/pybind11.h>

#include "graph/error.h"
#include "graph/operators.h"

namespace py = pybind11;
using namespace tinynas;

namespace {

std::string shape_of(const py::array& array) {
  std::string text = "[";
  for (py::ssize_t d = 0; d < array.ndim(); ++d) text += (d > 0 ? ", " : "") + std::to_string(array.shape(d));
  return text + "]";
}

/// The contiguous array behind one input; InputError when its type or shape is not the tensor's. With `batch`, N pictures
}  // namespace

py::array checked_array(const Tensor& tensor, const py::array& given, bool batch) {
  const std::string wanted_type = py::str(numpy_dtype(tensor.dtype));
  const std::string place = "[run] input '" + tensor.name + "'";
  if (!given.dtype().equal(numpy_dtype(tensor.dtype))) {
    throw InputError(place + ": expected an array of " + wanted_type + ", got " + std::string(py::str(given.dtype())));
  }
  bool same = given.ndim() == static_cast<py::ssize_t>(tensor.shape.size());
  for (std::size_t d = batch ? 1 : 0; same && d < tensor.shape.size(); ++d)
    same = given.shape(static_cast<py::ssize_t>(d)) == tensor.shape[d];
  if (batch) same = same && !tensor.shape.empty() && tensor.shape[0] == 1;
  if (!same) {
    throw InputError(place + ": expected the shape " + shape_text(tensor.shape) +
                     (batch ? " with N in place of the first 1" : "") + ", got " + shape_of(given));
  }
  return py::array::ensure(given, py::array::c_style);
}

Bytes copied(const Tensor& tensor, const std::uint8_t* data, std::size_t bytes) {
  return pack_values(tensor, Bytes(data, data + bytes));
}

void check_input_count(const Graph& graph, std::size_t count) {
  if (count != graph.inputs.size()) {
    throw InputError("[run] expected " + std::to_string(graph.inputs.size()) + " arrays, one per input, got " +
                     std::to_string(count));
  }
}

py::dtype numpy_dtype(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return py::dtype::of<float>();
    case DType::u8:
      return py::dtype::of<std::uint8_t>();
    case DType::s16:
      return py::dtype::of<std::int16_t>();
    case DType::s32:
      return py::dtype::of<std::int32_t>();
    case DType::s64:
      return py::dtype::of<std::int64_t>();
    default:
      return py::dtype::of<std::int8_t>();  // s8, and s4 as one value a byte
  }
}

std::vector<py::ssize_t> array_shape(const Shape& shape) { return {shape.begin(), shape.end()}; }

Batch make_batch(const Graph& graph, const std::vector<py::array>& inputs) {
  check_input_count(graph, inputs.size());
  Batch batch;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    batch.arrays.push_back(checked_array(graph.tensors[graph.inputs[i]], inputs[i], true));
    const py::array& array = batch.arrays.back();
    const auto count = static_cast<std::size_t>(array.shape(0));
    if (i > 0 && count != batch.count) {
      throw InputError("[run] expected " + std::to_string(batch.count) + " pictures in every array, got " +
                       std::to_string(count));
    }
    batch.count = count;
    batch.data.push_back(static_cast<const std::uint8_t*>(array.data()));
    batch.item_bytes.push_back(count == 0 ? 0 : static_cast<std::size_t>(array.nbytes()) / count);
  }
  return batch;
}

std::vector<Bytes> batch_item(const Graph& graph, const Batch& batch, std::size_t item) {
  std::vector<Bytes> values;
  for (std::size_t i = 0; i < batch.data.size(); ++i) {
    values.push_back(
        copied(graph.tensors[graph.inputs[i]], batch.data[i] + item * batch.item_bytes[i], batch.item_bytes[i]));
  }
  return values;
}
