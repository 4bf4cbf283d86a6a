#include "supernet/extract.h"

#include <pybind11/functional.h>

#include "graph/json.h"
#include "module.h"
#include "space/json.h"
#include "space/sample.h"
#include "supernet/measure.h"

namespace py = pybind11;
using tinynas::BatchNormStats;
using tinynas::Supernet;
using Done = std::function<bool(std::size_t, double)>;

void bind_extract(py::module_& m) {
  m.def(
      "recalibrate",
      [](const Supernet& net, const std::string& arch, const std::vector<at::Tensor>& batches) {
        const tinynas::Arch point = tinynas::parse_arch(arch);
        const py::gil_scoped_release release;
        return tinynas::recalibrate(net, point, batches);
      },
      "Batch statistics of one subnet, averaged over batches of uint8 pictures [N, R, R, C].", py::arg("net"),
      py::arg("arch"), py::arg("batches"));
  m.def(
      "measure_subnets",
      [](const Supernet& net, const std::vector<std::string>& archs, const std::vector<at::Tensor>& calibration,
         const std::vector<at::Tensor>& pictures, const std::vector<at::Tensor>& labels, const Done& done) {
        std::vector<tinynas::Arch> points;
        for (const std::string& arch : archs) points.push_back(tinynas::parse_arch(arch));
        const auto tell = [&done](std::size_t index, double accuracy) {
          const py::gil_scoped_acquire locked;
          if (PyErr_CheckSignals() != 0) throw py::error_already_set();
          return done(index, accuracy);
        };
        const py::gil_scoped_release release;
        tinynas::measure_subnets(net, points, {calibration, pictures, labels}, tell);
      },
      "Calls done(index, accuracy) for each arch as it is measured, until that returns False; archs are visited so that "
      "what "
      "they share from the front is computed once. All archs and pictures (uint8 [N, R, R, C]) have one resolution.",
      py::arg("net"), py::arg("archs"), py::arg("calibration"), py::arg("pictures"), py::arg("labels"), py::arg("done"));
  m.def(
      "fold",
      [](const Supernet& net, const std::string& arch, const BatchNormStats& stats) {
        py::list result;
        for (const tinynas::FoldedLayer& layer : tinynas::fold(net, tinynas::parse_arch(arch), stats)) {
          result.append(py::make_tuple(layer.name, layer.weight, layer.bias));
        }
        return result;
      },
      "(name, weight, bias) of every layer with its BatchNorm folded in.", py::arg("net"), py::arg("arch"),
      py::arg("stats"));
  m.def(
      "extract_graph",
      [](const Supernet& net, const std::string& arch, const BatchNormStats& stats) {
        return tinynas::to_json(tinynas::extract_graph(net, tinynas::parse_arch(arch), stats));
      },
      "The float graph of one subnet as JSON text.", py::arg("net"), py::arg("arch"), py::arg("stats"));
  m.def(
      "fill_graph",
      [](const std::string& space, const std::string& arch, const Supernet& net, const BatchNormStats& stats) {
        const tinynas::Arch alone = tinynas::largest(net.space(), net.space().resolutions[0], 1.0);
        return tinynas::to_json(
            tinynas::fill_graph(tinynas::parse_space(space), tinynas::parse_arch(arch), tinynas::fold(net, alone, stats)));
      },
      "As extract_graph, for a network made by extract_net (and perhaps trained on), under the names of the full space.",
      py::arg("space"), py::arg("arch"), py::arg("net"), py::arg("stats"));
  m.def(
      "space_of_arch",
      [](const std::string& space, const std::string& arch) {
        const tinynas::SearchSpace alone = tinynas::space_of_arch(tinynas::parse_space(space), tinynas::parse_arch(arch));
        return py::make_tuple(tinynas::to_json(alone).dump(),
                              tinynas::to_json(tinynas::largest(alone, alone.resolutions[0], 1.0)).dump());
      },
      "(the space that holds exactly this arch, the arch in it), as JSON.", py::arg("space"), py::arg("arch"));
  m.def(
      "extract_net",
      [](const Supernet& net, const std::string& arch) { return tinynas::extract_net(net, tinynas::parse_arch(arch)); },
      "A network of its own with copies of the subnet's weights, over the space of that arch alone.", py::arg("net"),
      py::arg("arch"));
}
