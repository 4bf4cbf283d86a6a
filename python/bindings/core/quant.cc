// src/quant: post-training quantisation.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <map>
#include <string>
#include <vector>

#include "arrays.h"
#include "graph/error.h"
#include "graph/operators.h"
#include "module.h"
#include "quant/quantize.h"

namespace py = pybind11;
using namespace tinynas;

namespace {

const std::map<std::string, RangeMethod> kMethods = {{"min_max", RangeMethod::min_max},
                                                     {"average", RangeMethod::average},
                                                     {"percentile", RangeMethod::percentile},
                                                     {"mse", RangeMethod::mse}};

Graph quantize_arrays(const Graph& graph, const std::vector<py::array>& inputs, const std::string& range, double percentile,
                      bool picture_input, bool bias_correction, std::size_t threads,
                      const std::vector<std::string>& formats) {
  const auto method = kMethods.find(range);
  if (method == kMethods.end())
    throw InputError("[quantize] expected a range of min_max, average, percentile or mse, got '" + range + "'");
  const Batch batch = make_batch(graph, inputs);
  const QuantizeOptions options{method->second, percentile, picture_input, bias_correction, threads, parse_formats(formats)};
  const py::gil_scoped_release release;
  std::vector<std::vector<Bytes>> runs(batch.count);
  for (std::size_t i = 0; i < batch.count; ++i) runs[i] = batch_item(graph, batch, i);
  return quantize(graph, runs, options);
}

}  // namespace

void bind_quant(py::module_& m) {
  m.def(
      "quantize", &quantize_arrays, py::arg("graph"), py::arg("inputs"), py::kw_only(), py::arg("range") = "mse",
      py::arg("percentile") = 99.99, py::arg("picture_input") = true, py::arg("bias_correction") = true,
      py::arg("threads") = 0, py::arg("formats") = std::vector<std::string>(),
      "The quantised graph of a float graph, calibrated on one array per input with N pictures in place of its leading 1. "
      "range: "
      "min_max, "
      "average, percentile or mse. picture_input: the input has scale 1/128 and zero point 0, for x = (pixel - 128) / 128. "
      "formats: w8a8, w4a8 or w4a4 per operator; empty: all w8a8.");
  m.def(
      "uniform_formats",
      [](const Graph& graph, const std::string& format, bool ends) {
        return format_names(uniform_formats(graph, parse_formats({format}).front(), ends));
      },
      py::arg("graph"), py::arg("format"), py::arg("ends") = false,
      "The format for every operator; the first weights and the classifier's stay at 8 bits unless `ends`.");
  m.def("in_four_bits", &in_four_bits, py::arg("graph"),
        "A graph that describes sizes with all activations and weights at 4 bits, as papers count.");
}
