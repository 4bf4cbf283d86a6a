// src/codegen: graph and plan to a C project.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <string>
#include <utility>

#include "codegen/project.h"
#include "codegen/whole_plan.h"
#include "module.h"
#include "oracle/kernels/scratch.h"

namespace py = pybind11;
using namespace tinynas;

void bind_codegen(py::module_& m) {
  py::class_<Project>(m, "Project", "A C project as text, and the engine sources that it needs.")
      .def_readonly("files", &Project::files)
      .def_readonly("engine_sources", &Project::engine_sources)
      .def_readonly("arena_bytes", &Project::arena_bytes)
      .def_readonly("weights_bytes", &Project::weights_bytes);
  m.def(
      "generate_project",
      [](const Graph& graph, const Plan& plan, std::string name, std::string core, Prefer prefer) {
        return generate_project(graph, plan, ProgramOptions{std::move(name), std::move(core), prefer});
      },
      py::arg("graph"), py::arg("plan"), py::kw_only(), py::arg("name") = "model", py::arg("core") = "",
      py::arg("prefer") = Prefer::memory, py::call_guard<py::gil_scoped_release>(),
      "The C project of a plan: every file but the engine's, by name. `core` says whose kernels run.");
  m.def("whole_tensor_plan", &whole_tensor_plan, py::arg("graph"), py::arg("schedule"),
        py::arg("options") = ScheduleOptions{}, py::call_guard<py::gil_scoped_release>(),
        "A layer-wise plan that our engine runs: schedule layerwise or tinyengine.");
}
