// What a network costs on a microcontroller. An Oracle is anything that answers that question for a graph.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "graph/graph.h"
#include "oracle/plan.h"

namespace tinynas {

/// RAM and Flash that a platform and an engine need besides the network (runtime, HAL, stack).
struct Overhead {
  std::int64_t sram_bytes = 0, flash_bytes = 0;
};

struct Target {
  std::string name;             // "stm32f746"
  std::string core;             // "cortex-m7"
  std::int64_t sram_bytes = 0;  // the largest contiguous region: the arena is one
  std::int64_t flash_bytes = 0;
  double clock_hz = 0;
  std::map<std::string, Overhead> overhead;  // by engine: "tinyengine", "tinynas"
};

enum class Prefer : std::uint8_t { memory, speed };

struct LatencyModel;  // oracle/kernels/latency.h

struct ScheduleOptions {
  bool image_streamed = true;  // the camera pushes rows; false: the whole image lies in the arena
  Prefer prefer = Prefer::memory;
  std::string core;  // whose kernels run (their scratch and layouts); empty: portable C
  /// What there is for the arena: `streaming` preferring speed takes no more where it can do with less,
  /// `streaming+recompute` recomputes no more than it must, `auto` takes the fastest that fits. 0: no limit.
  std::int64_t sram_bytes = 0;
  /// Multiply-accumulates that may be added, in percent of the network's; absent: 25 for `patch` and `streaming+recompute`,
  /// none for `auto`.
  std::optional<double> mac_budget_percent = std::nullopt;
  std::shared_ptr<const LatencyModel> latency = nullptr;  // of our engine on that core; none: costs have no instructions
  double clock_hz = 0;  // of the core; 0: costs with a model have instructions, but no latency
};

struct LayerCost {
  std::int32_t op = -1;  // index into Graph::operators
  std::int64_t macs = 0;
  std::int64_t sram_bytes = 0;   // live while it runs
  std::int64_t flash_bytes = 0;  // weights and constants
  double instructions = 0;       // predicted for one inference; 0: no model
  double latency_us = 0;         // 0: no model
};

struct Cost {
  std::int64_t macs = 0, params = 0;  // macs: those that the schedule computes, twice where it computes a value twice
  std::int64_t sram_bytes = 0;        // all that the schedule needs, scratch included, without the platform's overhead
  std::int64_t activation_bytes = 0, scratch_bytes = 0;
  std::int64_t act_bytes = 0;          // the published "Act": max over operators of input + output + residual held
  std::int64_t flash_bytes = 0;        // weights and constants, without the platform's overhead
  std::int64_t lower_bound_bytes = 0;  // no schedule without recomputation needs less; 0: unknown
  double instructions = 0;             // predicted for one inference; 0: no model
  double latency_us = 0;               // 0: no model
  std::int32_t peak_operator = -1;
  std::string chosen;  // by a schedule that chooses or has parameters: what it took, in words; empty otherwise
  std::vector<LayerCost> layers;
};

/// Answers must depend on the graph alone; `cost` is called from several threads at once.
class Oracle {
 public:
  virtual ~Oracle() = default;
  [[nodiscard]] virtual std::string name() const = 0;
  /// Throws InputError when the graph holds what the schedule cannot execute.
  [[nodiscard]] virtual Cost cost(const Graph& graph) const = 0;
  /// The executable plan behind `cost`, for schedules that our engine runs.
  [[nodiscard]] virtual std::optional<Plan> plan(const Graph& graph) const = 0;
};

/// One of the schedules of make_oracle().
class BuiltInOracle : public Oracle {
 public:
  BuiltInOracle(std::string name, ScheduleOptions options) : name_(std::move(name)), options_(std::move(options)) {}
  [[nodiscard]] std::string name() const final { return name_; }
  [[nodiscard]] const ScheduleOptions& options() const { return options_; }

 private:
  std::string name_;
  ScheduleOptions options_;
};

/// "tinyengine", "streaming", ...; throws InputError that lists the names for an unknown one.
[[nodiscard]] std::unique_ptr<Oracle> make_oracle(const std::string& schedule, const ScheduleOptions& options);
[[nodiscard]] std::vector<std::string> oracle_names();

}  // namespace tinynas
