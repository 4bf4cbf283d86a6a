// src/space: spaces, points, their graphs, and architectures from files.
#include "space/space.h"

#include <pybind11/operators.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "graph/statistics.h"
#include "module.h"
#include "space/build_graph.h"
#include "space/importer.h"
#include "space/json.h"
#include "space/sample.h"
#include "space/validate.h"

namespace py = pybind11;
using namespace tinynas;

namespace {

std::vector<std::int32_t> each_block(const Arch& arch, std::int32_t BlockChoice::*member) {
  std::vector<std::int32_t> values;
  for (const BlockChoice& block : arch.blocks) values.push_back(block.*member);
  return values;
}

void bind_values(py::module_& m) {
  py::class_<SearchSpace>(m, "SearchSpace", "A search space; SpaceConfig.to_core() makes one.")
      .def_static("from_json", &parse_space, py::arg("text"), "Validated; InputError names the place.")
      .def("to_json", [](const SearchSpace& space) { return tinynas::to_json(space).dump(); })
      .def_readonly("name", &SearchSpace::name)
      .def_readonly("classes", &SearchSpace::classes)
      .def_readonly("input_channels", &SearchSpace::input_channels)
      .def_readonly("resolutions", &SearchSpace::resolutions)
      .def_readonly("widths", &SearchSpace::widths)
      .def_property_readonly("formats", [](const SearchSpace& space) { return format_names(space.formats); })
      .def(
          "with_formats",
          [](SearchSpace space, const std::vector<std::string>& names) {
            space.formats = parse_formats(names);
            validate(space);
            return space;
          },
          py::arg("formats"), "The same space with these formats for its blocks to choose from, the widest first.")
      .def("contains", &contains, py::arg("arch"), "Whether every choice is one of the space's.")
      .def("validate", py::overload_cast<const SearchSpace&, const Arch&>(&validate), py::arg("arch"),
           "InputError unless the point has this space's shape.");
  py::class_<Arch>(m, "Arch", "A point of a space. `kernels` and `expansions` have one entry per possible block.")
      .def_static("from_json", &parse_arch, py::arg("text"))
      .def("to_json", [](const Arch& arch) { return tinynas::to_json(arch).dump(); })
      .def_readonly("resolution", &Arch::resolution)
      .def_readonly("width", &Arch::width)
      .def_readonly("depths", &Arch::depths)
      .def_property_readonly("kernels", [](const Arch& arch) { return each_block(arch, &BlockChoice::kernel); })
      .def_property_readonly("expansions", [](const Arch& arch) { return each_block(arch, &BlockChoice::expansion); })
      .def_property_readonly(
          "formats", [](const Arch& arch) { return format_names(arch.formats); },
          "Of the first block, every possible block and the feature mix; none: w8a8 everywhere.")
      .def(
          "with_formats",
          [](Arch arch, const std::vector<std::string>& names) {
            arch.formats = parse_formats(names);
            return arch;
          },
          py::arg("formats"))
      .def(py::self == py::self)
      .def("__hash__", [](const Arch& arch) { return std::hash<std::string>{}(tinynas::to_json(arch).dump()); })
      .def("__repr__", [](const Arch& arch) { return "Arch(" + tinynas::to_json(arch).dump() + ")"; })
      .def(py::pickle([](const Arch& arch) { return tinynas::to_json(arch).dump(); },
                      [](const std::string& text) { return parse_arch(text); }));
  py::class_<Rng>(m, "Rng", "The seeded generator behind sampling: the same numbers on every platform.")
      .def(py::init<std::uint64_t>(), py::arg("seed"))
      .def(py::init<std::uint64_t, std::uint64_t>(), py::arg("seed"), py::arg("stream"));
  py::class_<Statistics>(m, "Statistics", "By the definitions of the published tables (src/graph/statistics.h).")
      .def_readonly("macs", &Statistics::macs)
      .def_readonly("params", &Statistics::params)
      .def_readonly("act_bytes", &Statistics::act_bytes);
}

void bind_sampling(py::module_& m) {
  m.def("sample", &sample, py::arg("space"), py::arg("resolution"), py::arg("width"), py::arg("rng"),
        "A random point with this resolution and width.");
  m.def(
      "mutate",
      [](const SearchSpace& space, const Arch& arch, double p, Rng& rng, bool elastic) {
        validate(space, arch);
        return mutate(space, arch, p, rng, elastic);
      },
      py::arg("space"), py::arg("arch"), py::arg("p"), py::arg("rng"), py::arg("elastic") = false,
      "Every gene drawn anew with probability p; resolution and width too when elastic.");
  m.def(
      "crossover",
      [](const SearchSpace& space, const Arch& a, const Arch& b, Rng& rng, bool elastic) {
        validate(space, a);
        validate(space, b);
        return crossover(space, a, b, rng, elastic);
      },
      py::arg("space"), py::arg("a"), py::arg("b"), py::arg("rng"), py::arg("elastic") = false,
      "Every gene from either parent.");
  m.def("largest", &largest, py::arg("space"), py::arg("resolution"), py::arg("width"));
  m.def("smallest", &smallest, py::arg("space"), py::arg("resolution"), py::arg("width"));
}

}  // namespace

void bind_space(py::module_& m) {
  bind_values(m);
  bind_sampling(m);
  m.def("make_divisible", &make_divisible, py::arg("value"), py::arg("divisor"));
  m.def(
      "build_graph",
      [](const SearchSpace& space, const Arch& arch) {
        validate(space, arch);
        return build_graph(space, arch);
      },
      py::arg("space"), py::arg("arch"), "The network as a graph that describes sizes only (names: build_graph.h).");
  m.def(
      "operator_formats",
      [](const SearchSpace& space, const Arch& arch) {
        validate(space, arch);
        return format_names(operator_formats(space, arch));
      },
      py::arg("space"), py::arg("arch"), "The formats of build_graph()'s operators.");
  m.def("import_architecture", &import_architecture, py::arg("text"), py::arg("resolution") = 0,
        "A published architecture's JSON, or our own {\"space\", \"arch\"}, as a graph that describes sizes only.");
  m.def("statistics", &statistics, py::arg("graph"), "MACs, Params and Act of any graph.");
}
