#include "quant/calibrate.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <string>

#include "graph/error.h"
#include "graph/parallel.h"

namespace tinynas {
namespace {

struct View {
  const float* data;
  std::size_t count;
};

View floats(const Bytes& bytes) { return {reinterpret_cast<const float*>(bytes.data()), bytes.size() / sizeof(float)}; }

bool is_observed(const Tensor& tensor) { return !tensor.constant && tensor.dtype == DType::f32; }

struct Extremes {
  float minimum = std::numeric_limits<float>::max(), maximum = std::numeric_limits<float>::lowest();
};

Extremes extremes(const Tensor& tensor, const Bytes& bytes) {
  Extremes e;
  const View view = floats(bytes);
  for (std::size_t i = 0; i < view.count; ++i) {
    if (!std::isfinite(view.data[i])) {
      throw InputError("[quantize] expected finite values in '" + tensor.name + "', got " + std::to_string(view.data[i]));
    }
    e.minimum = std::min(e.minimum, view.data[i]);
    e.maximum = std::max(e.maximum, view.data[i]);
  }
  return e;
}

using RunExtremes = std::vector<std::vector<Extremes>>;  // by run, by tensor

void merge_extremes(const Graph& graph, const RunExtremes& runs, std::vector<ActivationStatistics>& all) {
  for (std::size_t t = 0; t < all.size(); ++t) {
    if (!is_observed(graph.tensors[t])) continue;
    ActivationStatistics& s = all[t];
    Extremes whole;
    for (const auto& run : runs) {
      whole.minimum = std::min(whole.minimum, run[t].minimum);
      whole.maximum = std::max(whole.maximum, run[t].maximum);
      s.mean_minimum += run[t].minimum / static_cast<double>(runs.size());
      s.mean_maximum += run[t].maximum / static_cast<double>(runs.size());
    }
    s.minimum = whole.minimum;
    s.maximum = whole.maximum;
    s.histogram.assign(ActivationStatistics::kBins, 0);
  }
}

void count_into(const ActivationStatistics& s, const View& view, std::vector<std::uint64_t>& histogram) {
  constexpr auto kLast = static_cast<float>(ActivationStatistics::kBins - 1);
  const float span = s.maximum - s.minimum;
  const float scale = span > 0 ? static_cast<float>(ActivationStatistics::kBins) / span : 0.0F;
  for (std::size_t i = 0; i < view.count; ++i) {
    ++histogram[static_cast<std::size_t>(std::clamp((view.data[i] - s.minimum) * scale, 0.0F, kLast))];
  }
}

std::vector<double> channel_sums(const Tensor& tensor, const View& view) {
  const auto channels = static_cast<std::size_t>(tensor.shape.empty() ? 1 : tensor.shape.back());
  std::vector<double> sums(channels, 0.0);
  for (std::size_t i = 0; i < view.count; ++i) sums[i % channels] += view.data[i];
  for (double& sum : sums) sum /= static_cast<double>(view.count / channels);
  return sums;
}

}  // namespace

std::vector<ActivationStatistics> calibrate(const Graph& graph, const std::vector<std::vector<Bytes>>& inputs,
                                            std::size_t threads) {
  if (inputs.empty()) throw InputError("[quantize] expected at least one calibration input, got none");
  const Interpreter interpreter(graph);
  std::vector<ActivationStatistics> all(graph.tensors.size());
  RunExtremes runs(inputs.size(), std::vector<Extremes>(graph.tensors.size()));
  run_parallel(inputs.size(), threads, [&](std::size_t i) {
    const std::vector<Bytes> values = interpreter.run_all(inputs[i]);
    for (std::size_t t = 0; t < values.size(); ++t) {
      if (is_observed(graph.tensors[t])) runs[i][t] = extremes(graph.tensors[t], values[t]);
    }
  });
  merge_extremes(graph, runs, all);
  std::vector<std::vector<std::vector<double>>> means(inputs.size(), std::vector<std::vector<double>>(graph.tensors.size()));
  std::mutex mutex;
  run_parallel(inputs.size(), threads, [&](std::size_t i) {
    const std::vector<Bytes> values = interpreter.run_all(inputs[i]);
    for (std::size_t t = 0; t < values.size(); ++t) {
      if (!is_observed(graph.tensors[t])) continue;
      std::vector<std::uint64_t> histogram(ActivationStatistics::kBins, 0);
      count_into(all[t], floats(values[t]), histogram);
      means[i][t] = channel_sums(graph.tensors[t], floats(values[t]));
      const std::lock_guard lock(mutex);  // counts are integers: the order of additions does not matter
      for (std::size_t b = 0; b < histogram.size(); ++b) all[t].histogram[b] += histogram[b];
    }
  });
  for (std::size_t t = 0; t < all.size(); ++t) {
    if (!is_observed(graph.tensors[t])) continue;
    all[t].channel_mean.assign(means[0][t].size(), 0.0);
    for (const auto& run : means) {
      for (std::size_t c = 0; c < run[t].size(); ++c)
        all[t].channel_mean[c] += run[t][c] / static_cast<double>(inputs.size());
    }
  }
  return all;
}

}  // namespace tinynas
