// How long a network takes on a real board.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "graph/graph.h"
#include "oracle/kernels/kernel_work.h"
#include "oracle/oracle.h"

namespace tinynas {

/// TinyEngine on an STM32H743 at 480 MHz: cycles = 1.173 per multiply-accumulate + 24.4 per output element (requantise and
/// store), fitted to nine published networks with 1.5 % mean and 4.4 % worst leave-one-out error. Fills `latency_us` of the
/// cost and of its layers, whose `macs` must be there.
void add_tinyengine_h743_latency(const Graph& graph, Cost& cost);

/// What our kernels execute on a core (configs/latency/CORE.json): instructions per unit of every term, by kernel.
/// Where a kernel was never measured the one of the next shorter name stands for it ("conv2d" for "conv2d_planar"), and
/// "other" where there is none.
struct LatencyModel {
  std::string core;                   // "cortex-m7"
  double cycles_per_instruction = 1;  // an estimate: instructions are measured in an emulator, cycles are not
  std::map<std::string, Terms, std::less<>> kernels;
};

/// Throws InputError naming what is missing, unknown or out of range.
[[nodiscard]] LatencyModel latency_model_from_json(std::string_view text);

/// Fills `instructions` of the cost and of its layers for `plan`, and `latency_us` when `clock_hz` > 0:
/// instructions * cycles_per_instruction / clock_hz.
void add_engine_latency(const Graph& graph, const Plan& plan, const ScheduleOptions& options, Cost& cost);

}  // namespace tinynas
