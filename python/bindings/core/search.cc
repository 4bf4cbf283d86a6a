// src/search: limits and scores, stage 1, searchers, the accuracy predictor.
#include <pybind11/functional.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "graph/error.h"
#include "module.h"
#include "search/evolution.h"
#include "search/pareto.h"
#include "search/predictor.h"
#include "search/rank.h"
#include "search/score_table.h"
#include "search/stage1.h"
#include "space/validate.h"

namespace py = pybind11;
using namespace tinynas;

namespace {

using OraclePtr = std::shared_ptr<Oracle>;

void check_all(const SearchSpace& space, const std::vector<Arch>& archs) {
  for (const Arch& arch : archs) validate(space, arch);
}

template <typename T, typename Figure>
py::array_t<T> column(const std::vector<Score>& scores, Figure figure) {
  py::array_t<T> result(static_cast<py::ssize_t>(scores.size()));
  T* out = result.mutable_data();
  for (std::size_t i = 0; i < scores.size(); ++i) out[i] = scores[i].*figure;
  return result;
}

py::dict columns(const std::vector<Score>& scores) {
  py::dict result;
  result["sram_bytes"] = column<std::int64_t>(scores, &Score::sram_bytes);
  result["flash_bytes"] = column<std::int64_t>(scores, &Score::flash_bytes);
  result["macs"] = column<std::int64_t>(scores, &Score::macs);
  result["latency_us"] = column<double>(scores, &Score::latency_us);
  return result;
}

py::dict score_batch(const SearchSpace& space, const OraclePtr& oracle, const std::vector<Arch>& archs, int threads) {
  check_all(space, archs);
  std::vector<Score> scores;
  {
    const py::gil_scoped_release unlocked;
    scores = score_all(space, *oracle, archs, threads);
  }
  return columns(scores);
}

template <typename T>
using Array = py::array_t<T, py::array::c_style | py::array::forcecast>;

/// Archs as arrays: one row per arch.
struct ArchArrays {
  Array<std::int32_t> resolutions;
  Array<double> widths;
  Array<std::int32_t> depths, kernels, expansions;
};

std::vector<Arch> archs_of(const SearchSpace& space, const ArchArrays& arrays) {
  const auto count = arrays.resolutions.size();
  std::int64_t blocks = 0;
  for (const auto& stage : space.stages) blocks += stage.depths.back();
  const auto stages = static_cast<std::int64_t>(space.stages.size());
  const auto is = [&](const auto& array, std::int64_t columns) {
    return array.ndim() == 2 && array.shape(0) == count && array.shape(1) == columns;
  };
  if (arrays.resolutions.ndim() != 1 || arrays.widths.ndim() != 1 || arrays.widths.size() != count ||
      !is(arrays.depths, stages) || !is(arrays.kernels, blocks) || !is(arrays.expansions, blocks)) {
    throw InputError("[score] expected resolutions [n], widths [n], depths [n, " + std::to_string(stages) +
                     "], kernels and expansions [n, " + std::to_string(blocks) + "]");
  }
  std::vector<Arch> archs(static_cast<std::size_t>(count));
  for (py::ssize_t i = 0; i < count; ++i) {
    auto& arch = archs[static_cast<std::size_t>(i)];
    arch.resolution = arrays.resolutions.at(i);
    arch.width = arrays.widths.at(i);
    const auto* depths = arrays.depths.data(i, 0);
    arch.depths.assign(depths, depths + stages);
    for (std::int64_t b = 0; b < blocks; ++b) arch.blocks.push_back({arrays.kernels.at(i, b), arrays.expansions.at(i, b)});
    if (!contains(space, arch)) throw InputError("[score] row " + std::to_string(i) + " is no point of the space");
  }
  return archs;
}

py::dict score_arrays(const SearchSpace& space, const OraclePtr& oracle, const ArchArrays& arrays, int threads) {
  const auto archs = archs_of(space, arrays);
  std::vector<Score> scores;
  {
    const py::gil_scoped_release unlocked;
    const auto table = ScoreTable::make(space, *oracle);
    scores = table && !table->least() ? score_all(*table, archs, threads) : score_all(space, *oracle, archs, threads);
  }
  return columns(scores);
}

void bind_limits(py::module_& m) {
  py::class_<Limits>(m, "Limits", "Upper bounds, None where there is none; the overhead counts towards SRAM and Flash.")
      .def(py::init([](std::optional<std::int64_t> sram, std::optional<std::int64_t> flash, std::optional<std::int64_t> macs,
                       std::optional<double> latency, Overhead overhead) {
             Limits limits{sram, flash, macs, latency, overhead};
             validate(limits);
             return limits;
           }),
           py::kw_only(), py::arg("sram_bytes") = py::none(), py::arg("flash_bytes") = py::none(),
           py::arg("macs") = py::none(), py::arg("latency_us") = py::none(), py::arg("overhead") = Overhead{})
      .def_readonly("sram_bytes", &Limits::sram_bytes)
      .def_readonly("flash_bytes", &Limits::flash_bytes)
      .def_readonly("macs", &Limits::macs)
      .def_readonly("latency_us", &Limits::latency_us)
      .def_readonly("overhead", &Limits::overhead);
  py::class_<Score>(m, "Score", "What a network costs, without the platform's overhead.")
      .def_readonly("sram_bytes", &Score::sram_bytes)
      .def_readonly("flash_bytes", &Score::flash_bytes)
      .def_readonly("macs", &Score::macs)
      .def_readonly("latency_us", &Score::latency_us);
  py::class_<Footprint>(m, "Footprint").def_readonly("arch", &Footprint::arch).def_readonly("score", &Footprint::score);
  py::class_<SmallestFootprint>(m, "SmallestFootprint", "The smallest networks of a space, by what is small.")
      .def_readonly("least_sram", &SmallestFootprint::least_sram)
      .def_readonly("least_flash", &SmallestFootprint::least_flash)
      .def_readonly("least_macs", &SmallestFootprint::least_macs)
      .def_readonly("closest", &SmallestFootprint::closest);
  m.def("fits", &fits, py::arg("score"), py::arg("limits"));
  m.def(
      "score",
      [](const SearchSpace& space, const OraclePtr& oracle, const Arch& arch) {
        validate(space, arch);
        const py::gil_scoped_release unlocked;
        return score_of(space, *oracle, arch);
      },
      py::arg("space"), py::arg("oracle").none(false), py::arg("arch"));
  m.def("score_batch", &score_batch, py::arg("space"), py::arg("oracle").none(false), py::arg("archs"),
        py::arg("threads") = 0,
        "Arrays sram_bytes, flash_bytes, macs, latency_us with one entry per arch; all cores by default.");
  m.def(
      "score_arrays",
      [](const SearchSpace& space, const OraclePtr& oracle, Array<std::int32_t> resolutions, Array<double> widths,
         Array<std::int32_t> depths, Array<std::int32_t> kernels, Array<std::int32_t> expansions, int threads) {
        return score_arrays(
            space, oracle,
            {std::move(resolutions), std::move(widths), std::move(depths), std::move(kernels), std::move(expansions)},
            threads);
      },
      py::arg("space"), py::arg("oracle").none(false), py::arg("resolutions"), py::arg("widths"), py::arg("depths"),
      py::arg("kernels"), py::arg("expansions"), py::kw_only(), py::arg("threads") = 0,
      "The same for archs given as arrays with a row per arch: resolutions [n], widths [n], depths [n, stages], kernels "
      "and expansions [n, blocks]. From tables where there are any (src/search/score_table.h): for `streaming` sram_bytes "
      "is then the peak of the best partition, which the plan's arena may exceed a little.");
  m.def(
      "smallest_footprint",
      [](const SearchSpace& space, const OraclePtr& oracle, const Limits& limits) {
        return smallest_footprint(space, *oracle, limits);
      },
      py::arg("space"), py::arg("oracle").none(false), py::arg("limits"), py::call_guard<py::gil_scoped_release>());
}

using Progress = std::function<py::object(std::size_t, std::size_t)>;

/// Calls Python from whatever thread finished a subspace; None counts as going on.
std::function<bool(std::size_t, std::size_t)> guarded(const Progress& progress) {
  if (!progress) return {};
  return [&progress](std::size_t done, std::size_t total) {
    const py::gil_scoped_acquire locked;
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
    const py::object answer = progress(done, total);
    return answer.is_none() || py::cast<bool>(answer);
  };
}

void bind_stage1(py::module_& m) {
  py::class_<Subspace>(m, "Subspace", "Samples of one resolution and width; FLOPs are MACs of those that fit, ascending.")
      .def_readonly("resolution", &Subspace::resolution)
      .def_readonly("width", &Subspace::width)
      .def_readonly("samples", &Subspace::samples)
      .def_readonly("satisfying", &Subspace::satisfying)
      .def_readonly("flops", &Subspace::flops)
      .def_readonly("mean_flops", &Subspace::mean_flops)
      .def_readonly("p80_flops", &Subspace::p80_flops)
      .def_readonly("min_sram_bytes", &Subspace::min_sram_bytes)
      .def_readonly("min_flash_bytes", &Subspace::min_flash_bytes);
  py::class_<Stage1Result>(m, "Stage1Result", "All subspaces, and the winner's index or None.")
      .def_readonly("subspaces", &Stage1Result::subspaces)
      .def_readonly("winner", &Stage1Result::winner);
  m.def(
      "stage1",
      [](const SearchSpace& space, const OraclePtr& oracle, const Limits& limits, std::int32_t samples, std::uint64_t seed,
         int threads, const Progress& progress) {
        Stage1Options options;
        options.samples = samples;
        options.seed = seed;
        options.threads = threads;
        options.progress = guarded(progress);
        const py::gil_scoped_release unlocked;
        return stage1(space, *oracle, limits, options);
      },
      py::arg("space"), py::arg("oracle").none(false), py::arg("limits"), py::kw_only(), py::arg("samples") = 1000,
      py::arg("seed") = 0, py::arg("threads") = 0, py::arg("progress") = py::none(),
      "FLOPs distributions of all subspaces. progress(done, total) may return False to stop (InputError).");
}

void bind_options(py::module_& m) {
  const SearchOptions d;
  py::class_<SearchOptions>(m, "SearchOptions", "Sizes and seed of a search (src/search/searcher.h).")
      .def(py::init([](std::int32_t population, std::int32_t parents, std::int32_t crossovers, std::int32_t mutations,
                       double probability, std::int32_t generations, std::int32_t attempts, std::uint64_t seed, int threads,
                       std::vector<std::string> objectives) {
             return SearchOptions{population,  parents,  crossovers, mutations, probability,
                                  generations, attempts, seed,       threads,   std::move(objectives)};
           }),
           py::kw_only(), py::arg("population") = d.population, py::arg("parents") = d.parents,
           py::arg("crossovers") = d.crossovers, py::arg("mutations") = d.mutations,
           py::arg("mutation_probability") = d.mutation_probability, py::arg("generations") = d.generations,
           py::arg("attempts") = d.attempts, py::arg("seed") = d.seed, py::arg("threads") = d.threads,
           py::arg("objectives") = d.objectives)
      .def_readonly("population", &SearchOptions::population)
      .def_readonly("parents", &SearchOptions::parents)
      .def_readonly("crossovers", &SearchOptions::crossovers)
      .def_readonly("mutations", &SearchOptions::mutations)
      .def_readonly("mutation_probability", &SearchOptions::mutation_probability)
      .def_readonly("generations", &SearchOptions::generations)
      .def_readonly("seed", &SearchOptions::seed)
      .def_readonly("objectives", &SearchOptions::objectives);
  py::class_<Candidate>(m, "Candidate", "A network that was proposed: its score, and its accuracy once told.")
      .def_readonly("arch", &Candidate::arch)
      .def_readonly("score", &Candidate::score)
      .def_readonly("accuracy", &Candidate::accuracy);
}

template <typename Kind>
void bind_searcher(py::module_& m, const char* name, const char* doc) {
  py::class_<Kind, Searcher, std::shared_ptr<Kind>>(m, name, doc)
      .def(py::init([](const SearchSpace& space, const OraclePtr& oracle, const Limits& limits,
                       const SearchOptions& options) { return std::make_shared<Kind>(space, oracle, limits, options); }),
           py::arg("space"), py::arg("oracle"), py::arg("limits"), py::arg("options") = SearchOptions{});
}

void bind_searchers(py::module_& m) {
  py::class_<Searcher, std::shared_ptr<Searcher>>(m, "Searcher", "Proposes networks within limits: ask, measure, tell.")
      .def_property_readonly("name", &Searcher::name)
      .def("ask", &Searcher::ask, py::call_guard<py::gil_scoped_release>(), py::return_value_policy::copy,
           "The networks to measure next, the same until tell(); an empty list ends the search.")
      .def("tell", &Searcher::tell, py::arg("accuracies"), "Accuracies of what ask() gave, in its order.")
      .def_property_readonly("history", &Searcher::history, py::return_value_policy::copy)
      .def_property_readonly("best", &Searcher::best)
      .def("front", &Searcher::front, "Indices into history: the Pareto front of accuracy and the objectives.")
      .def_property_readonly("generation", &Searcher::generation)
      .def_property_readonly("finished", &Searcher::finished)
      .def_property_readonly("measurements", &Searcher::measurements, "How many the search may measure in all.")
      .def("to_json", &Searcher::to_json, "The whole state.")
      .def("restore", &Searcher::restore, py::arg("state"), "Takes over to_json()'s state of an equal search.");
  bind_searcher<Evolution>(m, "Evolution", "Crossover and mutation of the best (MCUNet's stage 2).");
  bind_searcher<RandomSearch>(m, "RandomSearch", "The baseline: random networks within the limits.");
  bind_searcher<RegularizedEvolution>(m, "RegularizedEvolution", "Tournaments, mutation, and the oldest dies.");
  m.def(
      "make_searcher",
      [](const std::string& name, const SearchSpace& space, const OraclePtr& oracle, const Limits& limits,
         const SearchOptions& options) {
        return std::shared_ptr<Searcher>(make_searcher(name, space, oracle, limits, options));
      },
      py::arg("name"), py::arg("space"), py::arg("oracle"), py::arg("limits"), py::arg("options") = SearchOptions{});
  m.def("searcher_names", &searcher_names);
  m.def(
      "pareto_front", [](const std::vector<Objectives>& points) { return pareto_front(points); }, py::arg("points"),
      "Indices of the points that no other dominates; every objective is to be small.");
  m.def(
      "hypervolume",
      [](const std::vector<Objectives>& points, const Objectives& reference) { return hypervolume(points, reference); },
      py::arg("points"), py::arg("reference"));
}

void bind_predictor(py::module_& m) {
  const PredictorOptions d;
  py::class_<PredictorOptions>(m, "PredictorOptions", "The predictor's size and training (src/search/predictor.h).")
      .def(py::init([](std::vector<std::int32_t> hidden, std::int32_t members, std::int32_t passes, std::int32_t batch,
                       double rate, double weight_decay, std::uint64_t seed, int threads) {
             return PredictorOptions{std::move(hidden), members, passes, batch, rate, weight_decay, seed, threads};
           }),
           py::kw_only(), py::arg("hidden") = d.hidden, py::arg("members") = d.members, py::arg("passes") = d.passes,
           py::arg("batch") = d.batch, py::arg("rate") = d.rate, py::arg("weight_decay") = d.weight_decay,
           py::arg("seed") = d.seed, py::arg("threads") = d.threads);
  py::class_<PredictorReport>(m, "PredictorReport", "Of predictions for pairs that the predicting member never saw.")
      .def_readonly("pairs", &PredictorReport::pairs)
      .def_readonly("kendall_tau", &PredictorReport::kendall_tau)
      .def_readonly("rmse", &PredictorReport::rmse)
      .def_readonly("mean_rmse", &PredictorReport::mean_rmse);
  py::class_<Prediction>(m, "Prediction", "Accuracy, and its spread over the ensemble.")
      .def_readonly("accuracy", &Prediction::accuracy)
      .def_readonly("spread", &Prediction::spread);
  py::class_<Predictor>(m, "Predictor", "Accuracy from a network's choices, fitted to measured pairs.")
      .def(py::init<SearchSpace, PredictorOptions>(), py::arg("space"), py::arg("options") = PredictorOptions{})
      .def(
          "fit",
          [](Predictor& p, const std::vector<Arch>& archs, const std::vector<double>& accuracies) {
            return p.fit(archs, accuracies);
          },
          py::arg("archs"), py::arg("accuracies"), py::call_guard<py::gil_scoped_release>(),
          "From scratch; at least 8 pairs.")
      .def(
          "predict", [](const Predictor& p, const std::vector<Arch>& archs) { return p.predict(archs); }, py::arg("archs"),
          py::call_guard<py::gil_scoped_release>())
      .def_property_readonly("report", &Predictor::report)
      .def_property_readonly("fitted", &Predictor::fitted)
      .def("to_json", &Predictor::to_json)
      .def_static("from_json", &Predictor::from_json, py::arg("text"));
  m.def(
      "kendall_tau",
      [](const std::vector<double>& a, const std::vector<double>& b) {
        if (a.size() != b.size()) throw py::value_error("expected two lists of equal length");
        return kendall_tau(a, b);
      },
      py::arg("a"), py::arg("b"), "Kendall's tau-b.");
}

}  // namespace

void bind_search(py::module_& m) {
  bind_limits(m);
  bind_stage1(m);
  bind_options(m);
  bind_searchers(m);
  bind_predictor(m);
}
