#include "oracle/kernels/latency.h"

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <numeric>

#include "graph/error.h"

namespace tinynas {
namespace {

constexpr double kCyclesPerMac = 1.173;
constexpr double kCyclesPerOutput = 24.4;
constexpr double kCyclesPerMicrosecond = 480;
constexpr std::string_view kOther = "other";

Terms read_terms(const std::string& kernel, const nlohmann::json& json) {
  Terms terms{};
  for (const auto& [name, value] : json.items()) {
    const auto term = std::find(kTermNames.begin(), kTermNames.end(), name);
    if (term == kTermNames.end()) throw InputError("[latency] kernel '" + kernel + "': unknown term '" + name + "'");
    const auto factor = value.get<double>();
    if (!(factor >= 0)) throw InputError("[latency] kernel '" + kernel + "', " + name + ": expected no negative factor");
    terms[static_cast<std::size_t>(term - kTermNames.begin())] = factor;
  }
  return terms;
}

/// The kernel's own factors, else those of the next name with fewer parts ("conv2d_planar", "conv2d"), else of "other".
const Terms& factors_of(const LatencyModel& model, std::string_view kernel) {
  for (;;) {
    const auto found = model.kernels.find(kernel);
    if (found != model.kernels.end()) return found->second;
    const auto end = kernel.rfind('_');
    kernel = end == std::string_view::npos ? kOther : kernel.substr(0, end);
  }
}

double instructions_of(const LatencyModel& model, const std::string& kernel, const Terms& terms) {
  const auto& factors = factors_of(model, kernel);
  return std::inner_product(terms.begin(), terms.end(), factors.begin(), 0.0);
}

}  // namespace

void add_tinyengine_h743_latency(const Graph& graph, Cost& cost) {
  cost.latency_us = 0;
  for (auto& layer : cost.layers) {
    const auto output = graph.operators[static_cast<std::size_t>(layer.op)].outputs.front();
    double elements = 1;
    for (const auto dimension : graph.tensors[static_cast<std::size_t>(output)].shape) elements *= dimension;
    layer.latency_us =
        (kCyclesPerMac * static_cast<double>(layer.macs) + kCyclesPerOutput * elements) / kCyclesPerMicrosecond;
    cost.latency_us += layer.latency_us;
  }
}

LatencyModel latency_model_from_json(std::string_view text) {
  LatencyModel model;
  try {
    const auto json = nlohmann::json::parse(text);
    model.core = json.at("core").get<std::string>();
    model.cycles_per_instruction = json.at("cycles_per_instruction").get<double>();
    for (const auto& [kernel, terms] : json.at("kernels").items()) model.kernels[kernel] = read_terms(kernel, terms);
  } catch (const nlohmann::json::exception& error) {
    throw InputError(std::string("[latency] not a latency model's JSON: ") + error.what());
  }
  if (!(model.cycles_per_instruction > 0)) throw InputError("[latency] cycles_per_instruction: expected more than 0");
  if (!model.kernels.contains(kOther)) throw InputError("[latency] kernels: expected one named 'other'");
  return model;
}

void add_engine_latency(const Graph& graph, const Plan& plan, const ScheduleOptions& options, Cost& cost) {
  const auto& model = *options.latency;
  const auto work = kernel_work(graph, plan, model.core);
  const double microseconds = options.clock_hz > 0 ? 1e6 * model.cycles_per_instruction / options.clock_hz : 0;
  for (auto& layer : cost.layers) {
    const auto& done = work[static_cast<std::size_t>(layer.op)];
    layer.instructions =
        instructions_of(model, done.kernel, done.terms) + instructions_of(model, done.driver, done.driver_terms);
    layer.latency_us = microseconds * layer.instructions;
    cost.instructions += layer.instructions;
  }
  cost.latency_us = microseconds * cost.instructions;
}

}  // namespace tinynas
