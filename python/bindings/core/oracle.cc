// src/oracle: oracles, costs, plans, the checker and the packer.
#include "oracle/oracle.h"

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <memory>

#include "graph/error.h"
#include "module.h"
#include "oracle/checker.h"
#include "oracle/json.h"
#include "oracle/kernels/latency.h"
#include "oracle/packing/planner.h"

namespace py = pybind11;
using namespace tinynas;

namespace {

/// An oracle written in Python: `cost` and, if it has one, `plan` are looked up in the subclass.
class PythonOracle : public Oracle, public py::trampoline_self_life_support {
 public:
  explicit PythonOracle(std::string name) : name_(std::move(name)) {}
  [[nodiscard]] std::string name() const override { return name_; }
  [[nodiscard]] Cost cost(const Graph& graph) const override { PYBIND11_OVERRIDE_PURE(Cost, Oracle, cost, graph); }
  [[nodiscard]] std::optional<Plan> plan(const Graph& graph) const override { return python_plan(graph); }

 private:
  [[nodiscard]] std::optional<Plan> python_plan(const Graph& graph) const {
    const py::gil_scoped_acquire locked;
    const py::function override = py::get_override(static_cast<const Oracle*>(this), "plan");
    return override ? override(graph).cast<std::optional<Plan>>() : std::nullopt;
  }

  std::string name_;
};

py::object parse_json(const std::string& text) { return py::module_::import("json").attr("loads")(text); }

void bind_options(py::module_& m) {
  py::class_<LatencyModel, std::shared_ptr<LatencyModel>>(
      m, "LatencyModel", "Instructions of our kernels on a core as a linear function of their work (configs/latency).")
      .def_static(
          "from_json", [](const std::string& text) { return std::make_shared<LatencyModel>(latency_model_from_json(text)); },
          py::arg("text"))
      .def_readonly("core", &LatencyModel::core)
      .def_readonly("cycles_per_instruction", &LatencyModel::cycles_per_instruction);
  py::enum_<Prefer>(m, "Prefer").value("memory", Prefer::memory).value("speed", Prefer::speed);
  py::class_<ScheduleOptions>(
      m, "ScheduleOptions",
      "How a schedule may run: streamed image, memory or speed, whose kernels, how much SRAM, how much recomputation, how "
      "long its kernels take.")
      .def(py::init([](bool image_streamed, Prefer prefer, std::string core, std::int64_t sram_bytes,
                       std::optional<double> mac_budget_percent, std::shared_ptr<LatencyModel> latency, double clock_hz) {
             return ScheduleOptions{image_streamed,     prefer,  std::move(core), sram_bytes, mac_budget_percent,
                                    std::move(latency), clock_hz};
           }),
           py::kw_only(), py::arg("image_streamed") = true, py::arg("prefer") = Prefer::memory, py::arg("core") = "",
           py::arg("sram_bytes") = 0, py::arg("mac_budget_percent") = std::nullopt,
           py::arg("latency") = std::shared_ptr<LatencyModel>{}, py::arg("clock_hz") = 0.0)
      .def_readwrite("image_streamed", &ScheduleOptions::image_streamed)
      .def_readwrite("prefer", &ScheduleOptions::prefer)
      .def_readwrite("core", &ScheduleOptions::core)
      .def_readwrite("sram_bytes", &ScheduleOptions::sram_bytes)
      .def_readwrite("mac_budget_percent", &ScheduleOptions::mac_budget_percent);
}

/// Terms by their names, those of zero left out.
std::map<std::string, double> named_terms(const Terms& terms) {
  std::map<std::string, double> named;
  for (std::size_t i = 0; i < terms.size(); ++i) {
    if (terms[i] != 0) named.emplace(kTermNames[i], terms[i]);
  }
  return named;
}

void bind_work(py::module_& m) {
  py::class_<KernelWork>(m, "KernelWork", "What the kernel of an operator does, and the network around its calls, counted.")
      .def_readonly("kernel", &KernelWork::kernel)
      .def_readonly("driver", &KernelWork::driver)
      .def_property_readonly("terms", [](const KernelWork& work) { return named_terms(work.terms); })
      .def_property_readonly("driver_terms", [](const KernelWork& work) { return named_terms(work.driver_terms); });
  m.def("kernel_work", &kernel_work, py::arg("graph"), py::arg("plan"), py::arg("core"),
        "One KernelWork per operator of a plan (src/oracle/kernels/kernel_work.h).");
}

void bind_target(py::module_& m) {
  py::class_<Overhead>(m, "Overhead", "Bytes that a platform and an engine need besides the network.")
      .def(py::init([](std::int64_t sram, std::int64_t flash) {
             return Overhead{sram, flash};
           }),
           py::arg("sram_bytes") = 0, py::arg("flash_bytes") = 0)
      .def_readwrite("sram_bytes", &Overhead::sram_bytes)
      .def_readwrite("flash_bytes", &Overhead::flash_bytes);
  py::class_<Target>(m, "Target", "A microcontroller: sizes in bytes, the clock in hertz, overhead by engine.")
      .def(py::init([](std::string name, std::string core, std::int64_t sram, std::int64_t flash, double clock,
                       std::map<std::string, Overhead> overhead) {
             return Target{std::move(name), std::move(core), sram, flash, clock, std::move(overhead)};
           }),
           py::kw_only(), py::arg("name"), py::arg("core"), py::arg("sram_bytes"), py::arg("flash_bytes"),
           py::arg("clock_hz"), py::arg("overhead") = std::map<std::string, Overhead>{})
      .def_readonly("name", &Target::name)
      .def_readonly("core", &Target::core)
      .def_readonly("sram_bytes", &Target::sram_bytes)
      .def_readonly("flash_bytes", &Target::flash_bytes)
      .def_readonly("clock_hz", &Target::clock_hz)
      .def_readonly("overhead", &Target::overhead);
}

void bind_cost(py::module_& m) {
  py::class_<LayerCost>(m, "LayerCost", "One operator's share; bytes, microseconds (0: no model).")
      .def_readonly("op", &LayerCost::op)
      .def_readonly("macs", &LayerCost::macs)
      .def_readonly("sram_bytes", &LayerCost::sram_bytes)
      .def_readonly("flash_bytes", &LayerCost::flash_bytes)
      .def_readonly("instructions", &LayerCost::instructions)
      .def_readonly("latency_us", &LayerCost::latency_us);
  py::class_<Cost>(m, "Cost", "What a network costs; bytes, microseconds (0: no model). Platform overhead is not in it.")
      .def(py::init<>())
      .def_readwrite("macs", &Cost::macs)
      .def_readwrite("params", &Cost::params)
      .def_readwrite("sram_bytes", &Cost::sram_bytes)
      .def_readwrite("activation_bytes", &Cost::activation_bytes)
      .def_readwrite("scratch_bytes", &Cost::scratch_bytes)
      .def_readwrite("act_bytes", &Cost::act_bytes)
      .def_readwrite("flash_bytes", &Cost::flash_bytes)
      .def_readwrite("lower_bound_bytes", &Cost::lower_bound_bytes)
      .def_readwrite("instructions", &Cost::instructions)
      .def_readwrite("latency_us", &Cost::latency_us)
      .def_readwrite("peak_operator", &Cost::peak_operator)
      .def_readwrite("chosen", &Cost::chosen)
      .def_readwrite("layers", &Cost::layers)
      .def("to_json", &cost_to_json)
      .def("to_dict", [](const Cost& cost) { return parse_json(cost_to_json(cost)); });
}

void bind_plan(py::module_& m) {
  py::class_<Plan>(m, "Plan", "Segments and buffers: what the engine executes (src/oracle/plan.h).")
      .def_readonly("schedule", &Plan::schedule)
      .def_readonly("image_streamed", &Plan::image_streamed)
      .def_readonly("arena_bytes", &Plan::arena_bytes)
      .def_readonly("scratch_bytes", &Plan::scratch_bytes)
      .def_readonly("peak_operator", &Plan::peak_operator)
      .def("to_json", &plan_to_json)
      .def("to_dict", [](const Plan& plan) { return parse_json(plan_to_json(plan)); })
      .def_static(
          "from_json", [](const std::string& text) { return plan_from_json(text); }, py::arg("text"));
  m.def("check_plan", &check_plan, py::arg("graph"), py::arg("plan"), py::arg("core") = "", py::arg("limit") = 8,
        py::call_guard<py::gil_scoped_release>(), "What is wrong with a plan, as messages; an empty list: nothing.");
}

void bind_planner(py::module_& m) {
  using Sizes = std::vector<std::int64_t>;
  using Steps = std::vector<std::int32_t>;
  const auto items_of = [](const Sizes& sizes, const Steps& lowers, const Steps& uppers) {
    if (lowers.size() != sizes.size() || uppers.size() != sizes.size()) {
      throw InputError("[pack] expected as many lower and upper steps as sizes");
    }
    std::vector<PackItem> items;
    for (std::size_t i = 0; i < sizes.size(); ++i) items.push_back({sizes[i], lowers[i], uppers[i]});
    return items;
  };
  py::class_<Packing>(m, "Packing", "Offsets (bytes), the bytes they take, and whether nothing smaller exists.")
      .def_readonly("offsets", &Packing::offsets)
      .def_readonly("bytes", &Packing::bytes)
      .def_readonly("optimal", &Packing::optimal);
  m.def(
      "pack",
      [items_of](const Sizes& sizes, const Steps& lowers, const Steps& uppers, std::int64_t alignment, std::int64_t capacity,
                 double time_limit_s) {
        const auto items = items_of(sizes, lowers, uppers);
        PackOptions options;
        options.alignment = alignment;
        options.capacity = capacity;
        options.time_limit_s = time_limit_s;
        const py::gil_scoped_release unlocked;
        return pack(items, options);
      },
      py::arg("sizes"), py::arg("lowers"), py::arg("uppers"), py::kw_only(), py::arg("alignment") = 4,
      py::arg("capacity") = 0, py::arg("time_limit_s") = 0.0,
      "Places buffers of `sizes` bytes that live during steps [lower, upper).");
  m.def(
      "max_live",
      [items_of](const Sizes& sizes, const Steps& lowers, const Steps& uppers, std::int64_t alignment) {
        return max_live(items_of(sizes, lowers, uppers), alignment);
      },
      py::arg("sizes"), py::arg("lowers"), py::arg("uppers"), py::kw_only(), py::arg("alignment") = 4,
      "The most bytes live at once: no packing needs less.");
}

}  // namespace

void bind_oracle(py::module_& m) {
  bind_options(m);
  bind_target(m);
  bind_cost(m);
  bind_plan(m);
  bind_work(m);
  bind_planner(m);
  py::class_<Oracle, PythonOracle, py::smart_holder>(
      m, "Oracle", "Answers what a graph costs. To write one: call super().__init__(name) and define cost(graph) -> Cost.")
      .def(py::init_alias<std::string>(), py::arg("name"))
      .def_property_readonly("name", &Oracle::name)
      .def("cost", &Oracle::cost, py::arg("graph"), py::call_guard<py::gil_scoped_release>())
      .def("plan", &Oracle::plan, py::arg("graph"), py::call_guard<py::gil_scoped_release>());
  m.def(
      "make_oracle",
      [](const std::string& schedule, const ScheduleOptions& options) {
        return std::shared_ptr<Oracle>(make_oracle(schedule, options));
      },
      py::arg("schedule"), py::arg("options") = ScheduleOptions{}, "The oracle of that name (oracle_names()).");
  m.def("oracle_names", &oracle_names);
}
