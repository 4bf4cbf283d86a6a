#include "oracle/accounts/patch.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "graph/operators.h"
#include "oracle/accounting.h"
#include "oracle/accounts/tinyengine.h"
#include "oracle/kernels/latency.h"
#include "oracle/rows.h"

namespace tinynas {
namespace {

constexpr std::int32_t kMostPatches = 8;  // along one side

/// A stage of operators [0, end) in p x p patches; p = 1: no stage.
struct Stage {
  std::int32_t end = 0, patches = 1;
  std::int64_t sram_bytes = std::numeric_limits<std::int64_t>::max();
  std::int64_t activation_bytes = 0, scratch_bytes = 0, extra_macs = 0;
};

/// Rows (columns) of every tensor that one patch computes or reads.
using Tile = std::vector<RowSpan>;

/// Of the patches along each side.
struct Tiling {
  std::vector<Tile> vertical, horizontal;
};

class Patching {
 public:
  Patching(const Graph& graph, std::int64_t budget) : graph_(graph), rows_(make_row_graph(graph)), budget_(budget) {
    for (const auto& tensor : rows_.tensors) whole_.push_back(tensor.bytes);
  }

  /// The best stage, if one is better than `limit_bytes`.
  std::optional<Stage> best(std::int64_t limit_bytes) {
    std::optional<Stage> best;
    for (std::int32_t end = 1; end < rows_.operator_count() && joins_stage(end - 1); ++end) {
      if (!one_tensor_across(end)) continue;
      const auto rest = rest_of(end);
      for (std::int32_t p = 2; p <= std::min(kMostPatches, rows_.tensor(output_of(end - 1)).rows); ++p) {
        const auto stage = stage_of(end, p, rest);
        if (stage.extra_macs > budget_) continue;
        const auto key = [](const Stage& s) { return std::pair(s.sram_bytes, s.extra_macs); };
        if (stage.sram_bytes < limit_bytes && (!best || key(stage) < key(*best))) best = stage;
      }
    }
    return best;
  }

  /// Bytes that live while each operator runs, in the patch where they are most.
  std::vector<std::int64_t> live_bytes(const Stage& stage) {
    std::vector<std::int64_t> live(rows_.operators.size(), 0);
    const auto record = [&](std::int32_t op, std::int64_t beside, const TinyEngineBuffers& buffers) {
      auto& most = live[static_cast<std::size_t>(op)];
      most = std::max(most, beside + first_fit_.live_bytes(op) + buffers.bytes());
    };
    (void)rest_of(stage.end);
    for (auto op = stage.end; op < rows_.operator_count(); ++op) {
      record(op, 0, tinyengine_buffers(graph_, graph_.operators[static_cast<std::size_t>(op)]));
    }
    const auto output_bytes = whole_[static_cast<std::size_t>(output_of(stage.end - 1))];
    for_each_patch(stage, tiling_of(stage), [&](const Tile& down, const Tile& across, std::int64_t /*patch_bytes*/) {
      for (std::int32_t op = 0; op < stage.end; ++op) record(op, output_bytes, patch_buffers(op, down, across));
    });
    return live;
  }

  /// MACs of every operator of the stage.
  std::vector<std::int64_t> macs_of(const Stage& stage) const { return macs_of(stage, tiling_of(stage)); }

 private:
  std::vector<std::int64_t> macs_of(const Stage& stage, const Tiling& tiling) const {
    std::vector<std::int64_t> macs;
    for (std::int32_t op = 0; op < stage.end; ++op) {
      const auto output = output_of(op);
      const auto computed = [&](const std::vector<Tile>& along) {
        std::int64_t sum = 0;
        for (const auto& tile : along) sum += length(tile[static_cast<std::size_t>(output)]);
        return sum;
      };
      const auto whole = operator_macs(graph_, graph_.operators[static_cast<std::size_t>(op)]);
      macs.push_back(whole / rows_.tensor(output).pixels() * computed(tiling.vertical) * computed(tiling.horizontal));
    }
    return macs;
  }

  struct Rest {
    std::int64_t activations = 0;
    TinyEngineBuffers buffers;
  };
  static std::int64_t length(const RowSpan& span) { return std::max(0, span.end - span.begin); }
  [[nodiscard]] std::int32_t output_of(std::int32_t op) const {
    return rows_.operators[static_cast<std::size_t>(op)].output;
  }

  [[nodiscard]] bool joins_stage(std::int32_t op) const {
    const auto& info = rows_.operators[static_cast<std::size_t>(op)];
    return info.mode == RowMode::rows && info.by_pixels && rows_.tensor(info.output).pixels() > 1;
  }

  /// Whether the stage's last output is all that the rest reads of it.
  [[nodiscard]] bool one_tensor_across(std::int32_t end) const {
    for (std::size_t t = 0; t < rows_.tensors.size(); ++t) {
      const auto& tensor = rows_.tensors[t];
      const bool before = tensor.activation && tensor.producer < end && tensor.last_reader >= end;
      if (before && static_cast<std::int32_t>(t) != output_of(end - 1)) return false;
    }
    return true;
  }

  Rest rest_of(std::int32_t end) {
    Rest rest;
    rest.activations = tinyengine_activations(graph_, rows_, {end, rows_.operator_count(), whole_}, first_fit_);
    for (auto op = static_cast<std::size_t>(end); op < graph_.operators.size(); ++op) {
      rest.buffers.include(tinyengine_buffers(graph_, graph_.operators[op]));
    }
    return rest;
  }

  /// What each of the patches along one side reads and computes.
  template <class Axis>
  std::vector<Tile> tiles(std::int32_t end, std::int32_t patches) const {
    std::vector<Tile> tiles;
    const auto size = Axis::size(rows_.tensor(output_of(end - 1)));
    for (std::int32_t p = 0; p < patches; ++p) {
      Tile tile(rows_.tensors.size(), RowSpan{std::numeric_limits<std::int32_t>::max(), 0});
      tile[static_cast<std::size_t>(output_of(end - 1))] = {p * size / patches, (p + 1) * size / patches};
      for (auto op = end - 1; op >= 0; --op) {
        const auto& written = tile[static_cast<std::size_t>(output_of(op))];
        for (const auto& access : rows_.inputs(op)) {
          if (length(written) == 0) continue;
          auto& read = tile[static_cast<std::size_t>(access.tensor)];
          read.begin = std::min(read.begin, Axis::access(access).span(written.begin).begin);
          read.end = std::max(read.end, Axis::access(access).span(written.end - 1).end);
        }
      }
      tiles.push_back(std::move(tile));
    }
    return tiles;
  }

  [[nodiscard]] Tiling tiling_of(const Stage& stage) const {
    return {tiles<Vertical>(stage.end, stage.patches), tiles<Horizontal>(stage.end, stage.patches)};
  }

  Stage stage_of(std::int32_t end, std::int32_t patches, const Rest& rest) {
    Stage stage{.end = end, .patches = patches};
    auto most = rest.activations;
    auto buffers = rest.buffers;
    const auto output_bytes = whole_[static_cast<std::size_t>(output_of(end - 1))];
    const auto tiling = tiling_of(stage);
    for_each_patch(stage, tiling, [&](const Tile& down, const Tile& across, std::int64_t patch_bytes) {
      most = std::max(most, output_bytes + patch_bytes);
      for (std::int32_t op = 0; op < end; ++op) buffers.include(patch_buffers(op, down, across));
    });
    const auto macs = macs_of(stage, tiling);
    for (std::int32_t op = 0; op < end; ++op) {
      stage.extra_macs +=
          macs[static_cast<std::size_t>(op)] - operator_macs(graph_, graph_.operators[static_cast<std::size_t>(op)]);
    }
    stage.activation_bytes = most;
    stage.scratch_bytes = buffers.bytes();
    stage.sram_bytes = most + buffers.bytes();
    return stage;
  }

  /// Calls visit(rows, columns, bytes that they take) for every kind of patch, its tensors placed in first_fit_.
  template <class Visit>
  void for_each_patch(const Stage& stage, const Tiling& tiling, Visit visit) {
    std::set<std::vector<std::int64_t>> seen;  // most patches are alike
    const auto output = static_cast<std::size_t>(output_of(stage.end - 1));
    for (const auto& down : tiling.vertical) {
      for (const auto& across : tiling.horizontal) {
        auto bytes = bytes_of_patch(stage.end, down, across);
        if (!seen.insert(bytes).second) continue;
        bytes[output] = 0;  // written into the whole output
        visit(down, across, tinyengine_activations(graph_, rows_, {0, stage.end, bytes}, first_fit_));
      }
    }
  }

  [[nodiscard]] std::vector<std::int64_t> bytes_of_patch(std::int32_t end, const Tile& down, const Tile& across) const {
    std::vector<std::int64_t> bytes(rows_.tensors.size(), 0);
    const auto set = [&](std::int32_t tensor) {
      const auto t = static_cast<std::size_t>(tensor);
      bytes[t] = length(down[t]) * length(across[t]) * rows_.tensor(tensor).pixel_bytes();
    };
    for (std::int32_t op = 0; op < end; ++op) {
      for (const auto& access : rows_.inputs(op)) set(access.tensor);
      set(output_of(op));
    }
    return bytes;
  }

  [[nodiscard]] TinyEngineBuffers patch_buffers(std::int32_t op, const Tile& down, const Tile& across) const {
    const auto& operation = graph_.operators[static_cast<std::size_t>(op)];
    auto buffers = tinyengine_buffers(graph_, operation);
    if (std::holds_alternative<DepthwiseConv2D>(operation.kind)) {
      const auto& access = rows_.inputs(op).front();
      const auto output = static_cast<std::size_t>(output_of(op));
      const auto reach = [](const RowSpan& written, const AxisAccess& axis) {
        return (length(written) - 1) * axis.stride + axis.extent;
      };
      buffers.sbuf = 2 * reach(down[output], access.vertical()) * reach(across[output], access.columns);
    }
    return buffers;
  }

  const Graph& graph_;
  RowGraph rows_;
  std::int64_t budget_;
  std::vector<std::int64_t> whole_;  // bytes by tensor
  FirstFit first_fit_;
};

}  // namespace

Cost patch_cost(const Graph& graph, const ScheduleOptions& options) {
  auto cost = tinyengine_cost(graph);
  Patching patching(graph, mac_budget(options, cost.macs));
  const auto stage = patching.best(cost.sram_bytes);
  cost.chosen = "no patches";
  if (!stage) return cost;
  cost.chosen = std::to_string(stage->patches) + " x " + std::to_string(stage->patches) + " patches of the first " +
                std::to_string(stage->end) + " operators";
  cost.sram_bytes = stage->sram_bytes;
  cost.activation_bytes = stage->activation_bytes;
  cost.scratch_bytes = stage->scratch_bytes;
  cost.macs += stage->extra_macs;
  if (stage->extra_macs > 0) cost.lower_bound_bytes = 0;
  const auto macs = patching.macs_of(*stage);
  for (std::size_t op = 0; op < macs.size(); ++op) cost.layers[op].macs = macs[op];
  const auto live = patching.live_bytes(*stage);
  for (std::size_t op = 0; op < live.size(); ++op) cost.layers[op].sram_bytes = live[op];
  cost.peak_operator = static_cast<std::int32_t>(std::max_element(live.begin(), live.end()) - live.begin());
  add_tinyengine_h743_latency(graph, cost);
  return cost;
}

}  // namespace tinynas
