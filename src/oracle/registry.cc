#include <array>
#include <string_view>

#include "graph/error.h"
#include "oracle/layerwise.h"
#include "oracle/oracle.h"
#include "oracle/rows.h"
#include "oracle/schedule.h"
#include "oracle/scratch.h"
#include "oracle/streaming.h"
#include "oracle/tflm.h"
#include "oracle/tinyengine.h"

namespace tinynas {
namespace {

/// A schedule that our engine executes: its cost is that of its plan.
template <Plan (*make_schedule)(const Graph&, const ScheduleOptions&)>
class Executable final : public BuiltInOracle {
 public:
  Executable(std::string name, const ScheduleOptions& schedule) : BuiltInOracle(std::move(name), schedule) {
    (void)kernel_set(schedule.core);
  }
  [[nodiscard]] Cost cost(const Graph& graph) const override {
    const auto rows = make_row_graph(graph);
    return plan_cost({graph, rows, options()}, make_schedule(graph, options()));
  }
  [[nodiscard]] std::optional<Plan> plan(const Graph& graph) const override { return make_schedule(graph, options()); }
};

/// An account of another engine: figures without a plan.
template <Cost (*account)(const Graph&)>
class Account final : public BuiltInOracle {
 public:
  using BuiltInOracle::BuiltInOracle;
  [[nodiscard]] Cost cost(const Graph& graph) const override { return account(graph); }
  [[nodiscard]] std::optional<Plan> plan(const Graph& /*graph*/) const override { return std::nullopt; }
};

using Maker = std::unique_ptr<Oracle> (*)(std::string, const ScheduleOptions&);

template <class Schedule>
std::unique_ptr<Oracle> make(std::string name, const ScheduleOptions& options) {
  return std::make_unique<Schedule>(std::move(name), options);
}

constexpr std::array<std::pair<std::string_view, Maker>, 4> kSchedules{{
    {"streaming", make<Executable<streaming_plan>>},
    {"layerwise", make<Executable<layerwise_plan>>},
    {"tinyengine", make<Account<tinyengine_cost>>},
    {"tflm", make<Account<tflm_cost>>},
}};

}  // namespace

std::unique_ptr<Oracle> make_oracle(const std::string& schedule, const ScheduleOptions& options) {
  std::string known;
  for (const auto& [name, maker] : kSchedules) {
    if (name == schedule) return maker(schedule, options);
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
