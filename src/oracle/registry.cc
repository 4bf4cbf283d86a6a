#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "graph/error.h"
#include "oracle/accounts/patch.h"
#include "oracle/accounts/tflm.h"
#include "oracle/accounts/tinyengine.h"
#include "oracle/kernels/latency.h"
#include "oracle/kernels/scratch.h"
#include "oracle/oracle.h"
#include "oracle/rows.h"
#include "oracle/streaming/auto_schedule.h"
#include "oracle/streaming/layerwise.h"
#include "oracle/streaming/recompute.h"
#include "oracle/streaming/schedule.h"
#include "oracle/streaming/streaming.h"

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
    const auto plan = make_schedule(graph, options());
    auto cost = plan_cost({graph, rows, options()}, plan);
    if (options().latency) add_engine_latency(graph, plan, options(), cost);
    return cost;
  }
  [[nodiscard]] std::optional<Plan> plan(const Graph& graph) const override { return make_schedule(graph, options()); }
};

/// Figures without a plan that our engine runs: an account of another engine, or a schedule that it cannot execute.
template <Cost (*account)(const Graph&, const ScheduleOptions&)>
class Account final : public BuiltInOracle {
 public:
  Account(std::string name, const ScheduleOptions& schedule) : BuiltInOracle(std::move(name), schedule) {
    (void)kernel_set(schedule.core);
  }
  [[nodiscard]] Cost cost(const Graph& graph) const override { return account(graph, options()); }
  [[nodiscard]] std::optional<Plan> plan(const Graph& /*graph*/) const override { return std::nullopt; }
};

Cost tinyengine_account(const Graph& graph, const ScheduleOptions& /*options*/) { return tinyengine_cost(graph); }
Cost tflm_account(const Graph& graph, const ScheduleOptions& /*options*/) { return tflm_cost(graph); }

class Auto final : public BuiltInOracle {
 public:
  Auto(std::string name, const ScheduleOptions& schedule) : BuiltInOracle(std::move(name), schedule) {
    (void)kernel_set(schedule.core);
  }
  [[nodiscard]] Cost cost(const Graph& graph) const override { return auto_schedule(graph, options()).cost; }
  [[nodiscard]] std::optional<Plan> plan(const Graph& graph) const override { return auto_schedule(graph, options()).plan; }
};

void check(const ScheduleOptions& options) {
  const auto percent = options.mac_budget_percent.value_or(0);
  if (!(percent >= 0 && percent <= 1000)) {
    throw InputError("[oracle] MAC budget: expected 0 to 1000 percent, got " + std::to_string(percent));
  }
  if (options.sram_bytes < 0) {
    throw InputError("[oracle] SRAM limit: expected no negative bytes, got " + std::to_string(options.sram_bytes));
  }
}

using Maker = std::unique_ptr<Oracle> (*)(std::string, const ScheduleOptions&);

template <class Schedule>
std::unique_ptr<Oracle> make(std::string name, const ScheduleOptions& options) {
  return std::make_unique<Schedule>(std::move(name), options);
}

constexpr std::array<std::pair<std::string_view, Maker>, 7> kSchedules{{
    {"streaming", make<Executable<streaming_plan>>},
    {"streaming+recompute", make<Account<recompute_cost>>},
    {"layerwise", make<Executable<layerwise_plan>>},
    {"auto", make<Auto>},
    {"tinyengine", make<Account<tinyengine_account>>},
    {"patch", make<Account<patch_cost>>},
    {"tflm", make<Account<tflm_account>>},
}};

}  // namespace

std::unique_ptr<Oracle> make_oracle(const std::string& schedule, const ScheduleOptions& options) {
  check(options);
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
