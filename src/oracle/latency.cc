#include "oracle/latency.h"

#include <cstdint>

namespace tinynas {
namespace {

constexpr double kCyclesPerMac = 1.173;
constexpr double kCyclesPerOutput = 24.4;
constexpr double kCyclesPerMicrosecond = 480;

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

}  // namespace tinynas
