// src/graph: the graph, its checks, and the reference interpreter.
#include "graph/graph.h"

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstring>
#include <string>
#include <vector>

#include "arrays.h"
#include "graph/error.h"
#include "graph/interpreter.h"
#include "graph/json.h"
#include "graph/operators.h"
#include "graph/parallel.h"
#include "graph/shape.h"
#include "graph/shrink.h"
#include "graph/validate.h"
#include "module.h"

namespace py = pybind11;
using namespace tinynas;

namespace {

/// The values of a tensor as an array of the given shape.
py::array to_array(const Tensor& tensor, const Bytes& packed, const std::vector<py::ssize_t>& shape) {
  py::array array(numpy_dtype(tensor.dtype), shape);
  const Bytes bytes = packed.empty() ? packed : unpack_values(tensor, packed);
  if (static_cast<std::size_t>(array.nbytes()) != bytes.size())
    throw InputError("[graph] tensor '" + tensor.name + "' holds no values");
  if (!bytes.empty()) std::memcpy(array.mutable_data(), bytes.data(), bytes.size());
  return array;
}

std::vector<Bytes> single_inputs(const Graph& graph, const std::vector<py::array>& inputs) {
  check_input_count(graph, inputs.size());
  std::vector<Bytes> values;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Tensor& tensor = graph.tensors[graph.inputs[i]];
    const py::array array = checked_array(tensor, inputs[i], false);
    values.push_back(
        copied(tensor, static_cast<const std::uint8_t*>(array.data()), static_cast<std::size_t>(array.nbytes())));
  }
  return values;
}

py::list run_once(const Graph& graph, const std::vector<py::array>& inputs, bool all_tensors) {
  validate(graph);
  const std::vector<Bytes> values = single_inputs(graph, inputs);
  std::vector<Bytes> results;
  {
    const py::gil_scoped_release release;
    results = all_tensors ? run_all(graph, values) : run(graph, values);
  }
  py::list list;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const Tensor& tensor = graph.tensors[all_tensors ? i : static_cast<std::size_t>(graph.outputs[i])];
    if (all_tensors && results[i].empty()) {
      list.append(py::none());
    } else {
      list.append(to_array(tensor, results[i], array_shape(tensor.shape)));
    }
  }
  return list;
}

/// Results of many runs, one array per output with the runs along the first axis.
py::list run_batch(const Graph& graph, const std::vector<py::array>& inputs, std::size_t threads) {
  validate(graph);
  const Batch batch = make_batch(graph, inputs);
  std::vector<std::vector<Bytes>> results(batch.count);
  {
    const py::gil_scoped_release release;
    const Interpreter interpreter(graph);
    run_parallel(batch.count, threads,
                 [&](std::size_t item) { results[item] = interpreter.run(batch_item(graph, batch, item)); });
  }
  py::list list;
  for (std::size_t o = 0; o < graph.outputs.size(); ++o) {
    const Tensor& tensor = graph.tensors[graph.outputs[o]];
    const bool replace = !tensor.shape.empty() && tensor.shape[0] == 1;
    std::vector<py::ssize_t> shape = {static_cast<py::ssize_t>(batch.count)};
    shape.insert(shape.end(), tensor.shape.begin() + (replace ? 1 : 0), tensor.shape.end());
    py::array array(numpy_dtype(tensor.dtype), shape);
    auto* out = static_cast<std::uint8_t*>(array.mutable_data());
    for (const std::vector<Bytes>& result : results) {
      const Bytes bytes = unpack_values(tensor, result[o]);
      out = std::copy(bytes.begin(), bytes.end(), out);
    }
    list.append(array);
  }
  return list;
}

py::dict attributes(const Operator& op) {
  py::dict dict;
  std::visit(
      [&](const auto& kind) {
        visit_attributes(kind, [&](const char* key, const auto& value) {
          if constexpr (std::is_same_v<std::decay_t<decltype(value)>, Activation>) {
            dict[key] = std::string(activation_name(value));
          } else {
            dict[key] = value;
          }
        });
      },
      op.kind);
  return dict;
}

/// A count over a graph that Python may have made from any JSON.
template <std::int64_t (*count)(const Graph&)>
std::int64_t checked(const Graph& graph) {
  validate(graph);
  return count(graph);
}

void bind_values(py::module_& m) {
  py::class_<Tensor>(m, "Tensor", "A tensor: NHWC shape, dtype as 's8', 'f32', ..., scales and zero points.")
      .def_readonly("name", &Tensor::name)
      .def_property_readonly("shape", [](const Tensor& t) { return py::tuple(py::cast(t.shape)); })
      .def_property_readonly("dtype", [](const Tensor& t) { return std::string(dtype_name(t.dtype)); })
      .def_property_readonly("scale", [](const Tensor& t) { return t.quantization.scale; })
      .def_property_readonly("zero_point", [](const Tensor& t) { return t.quantization.zero_point; })
      .def_property_readonly("axis", [](const Tensor& t) { return t.quantization.axis; })
      .def_readonly("constant", &Tensor::constant)
      .def_property_readonly("has_data", [](const Tensor& t) { return !t.data.empty(); })
      .def_property_readonly(
          "data", [](const Tensor& t) { return py::bytes(reinterpret_cast<const char*>(t.data.data()), t.data.size()); },
          "The bytes of a constant as stored, s4 packed; empty without data.")
      .def(
          "array", [](const Tensor& t) { return to_array(t, t.data, array_shape(t.shape)); },
          "The values of a constant, s4 as int8; InputError without data.");
  py::class_<Operator>(m, "Operator", "An operator: kind as 'conv2d', ..., tensor indices (-1: absent), attributes by name.")
      .def_property_readonly("kind", [](const Operator& op) { return std::string(operator_name(op.kind)); })
      .def_readonly("name", &Operator::name)
      .def_readonly("inputs", &Operator::inputs)
      .def_readonly("outputs", &Operator::outputs)
      .def_readonly("source_index", &Operator::source_index)
      .def_property_readonly("attributes", &attributes);
}

}  // namespace

void bind_graph(py::module_& m) {
  bind_values(m);
  py::class_<Graph>(m, "Graph", "A network: what the oracle counts, the interpreter runs and the generator emits.")
      .def(py::init<>())
      .def_static(
          "from_json", [](const std::string& text) { return from_json(text); }, py::arg("text"),
          "The graph of a JSON text; InputError for anything else. Not validated: see validate().")
      .def("to_json", &to_json, "Lossless JSON text, constants in base64.")
      .def_readwrite("name", &Graph::name)
      .def_readonly("tensors", &Graph::tensors)
      .def_readonly("operators", &Graph::operators)
      .def_readonly("inputs", &Graph::inputs)
      .def_readonly("outputs", &Graph::outputs)
      .def("validate", &validate, "InputError naming the tensor or operator, what was expected and what came.")
      .def("infer_shapes", &infer_shapes, "Sets the shapes of all operators' outputs.")
      .def("macs", checked<&graph_macs>, "Multiplications of convolutions and fully connected operators.")
      .def(
          "operator_macs",
          [](const Graph& g, std::size_t i) {
            if (i >= g.operators.size()) throw py::index_error("operator " + std::to_string(i));
            validate(g);
            return operator_macs(g, g.operators[i]);
          },
          py::arg("index"))
      .def("weight_count", checked<&weight_count>, "Elements of all weights, without biases.")
      .def("bias_count", checked<&bias_count>)
      .def("constant_bytes", checked<&constant_bytes>)
      .def("has_data", &has_data, "True when every constant has values: the graph can be run.")
      .def("__repr__", [](const Graph& g) {
        return "<Graph '" + g.name + "': " + std::to_string(g.operators.size()) + " operators, " +
               std::to_string(g.tensors.size()) + " tensors>";
      });
  m.def(
      "shrink",
      [](const Graph& graph) {
        ShrinkReport r;
        Graph result = shrink(graph, &r);
        py::dict report;
        report["macs_before"] = r.macs_before;
        report["macs_after"] = r.macs_after;
        report["weights_before"] = r.weights_before;
        report["weights_after"] = r.weights_after;
        report["channels_removed"] = r.channels_removed;
        return py::make_tuple(std::move(result), report);
      },
      py::arg("graph"),
      "Removes provably constant channels exactly: (the smaller graph, its report as a dict). Outputs stay the same to the "
      "byte.");
  m.def("run", &run_once, py::arg("graph"), py::arg("inputs"), py::arg("all_tensors") = false,
        "Runs the reference interpreter once: one array per input of the input's exact shape; one array per output, or with "
        "all_tensors one per tensor (None for constants).");
  m.def("run_batch", &run_batch, py::arg("graph"), py::arg("inputs"), py::arg("threads") = 0,
        "Runs N pictures on several threads (0: all cores): one array per input with N in place of its leading 1; likewise "
        "the outputs.");
}

void bind_errors() {
  py::register_exception_translator([](std::exception_ptr pointer) {
    try {
      if (pointer) std::rethrow_exception(pointer);
    } catch (const InputError& error) {
      py::set_error(py::module_::import("tinynas.errors").attr("InputError"), error.what());
    }
  });
}
