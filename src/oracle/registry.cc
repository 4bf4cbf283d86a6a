#include <array>
#include <string_view>

#include "graph/error.h"
#include "oracle/oracle.h"
#include "oracle/rows.h"
#include "oracle/schedule.h"
#include "oracle/scratch.h"
#include "oracle/streaming.h"
#include "oracle/tflm.h"
#include "oracle/tinyengine.h"

namespace tinynas {
namespace {

class TinyEngine final : public Oracle {
 public:
  explicit TinyEngine(const ScheduleOptions& /*options*/) {}
  [[nodiscard]] std::string name() const override { return "tinyengine"; }
  [[nodiscard]] Cost cost(const Graph& graph) const override { return tinyengine_cost(graph); }
  [[nodiscard]] std::optional<Plan> plan(const Graph& /*graph*/) const override { return std::nullopt; }
};

class Tflm final : public Oracle {
 public:
  explicit Tflm(const ScheduleOptions& /*options*/) {}
  [[nodiscard]] std::string name() const override { return "tflm"; }
  [[nodiscard]] Cost cost(const Graph& graph) const override { return tflm_cost(graph); }
  [[nodiscard]] std::optional<Plan> plan(const Graph& /*graph*/) const override { return std::nullopt; }
};

class Streaming final : public Oracle {
 public:
  explicit Streaming(const ScheduleOptions& options) : options_(options) { (void)kernel_set(options.core); }
  [[nodiscard]] std::string name() const override { return "streaming"; }
  [[nodiscard]] Cost cost(const Graph& graph) const override {
    const auto rows = make_row_graph(graph);
    return plan_cost({graph, rows, options_}, streaming_plan(graph, options_));
  }
  [[nodiscard]] std::optional<Plan> plan(const Graph& graph) const override { return streaming_plan(graph, options_); }

 private:
  ScheduleOptions options_;
};

using Maker = std::unique_ptr<Oracle> (*)(const ScheduleOptions&);

template <class Schedule>
std::unique_ptr<Oracle> make(const ScheduleOptions& options) {
  return std::make_unique<Schedule>(options);
}

constexpr std::array<std::pair<std::string_view, Maker>, 3> kSchedules{{
    {"streaming", make<Streaming>},
    {"tflm", make<Tflm>},
    {"tinyengine", make<TinyEngine>},
}};

}  // namespace

std::unique_ptr<Oracle> make_oracle(const std::string& schedule, const ScheduleOptions& options) {
  std::string known;
  for (const auto& [name, maker] : kSchedules) {
    if (name == schedule) return maker(options);
    known += (known.empty() ? "" : ", ") + std::string(name);
  }
  throw InputError("[oracle] unknown schedule '" + schedule + "': expected one of " + known);
}

std::vector<std::string> oracle_names() {
  std::vector<std::string> names;
  for (const auto& [name, maker] : kSchedules) names.emplace_back(name);
  return names;
}

}  // namespace tinynas
