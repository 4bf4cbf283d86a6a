#include "search/score_table.h"

#include <algorithm>
#include <array>
#include <functional>

#include "graph/error.h"
#include "oracle/chain.h"
#include "oracle/tinyengine.h"
#include "search/parallel.h"
#include "space/build_graph.h"
#include "space/network_builder.h"

namespace tinynas {

struct ScoreTable::Part {
  std::array<ChainOperator, 4> links;  // the first `count`; side by side, so
                                       // that a walk finds them in the cache
  std::int32_t count = 0;
  std::array<TinyEngineOperator, 4> tinyengine;  // parallel
  std::int64_t macs = 0, flash_bytes = 0;
  double latency_us = 0;
};

struct ScoreTable::Subspace {
  std::once_flag built;
  std::int64_t image_bytes = 0;
  Part stem, first_block, head;
  std::vector<std::vector<Part>> stages;  // by stage: [opens the stage, goes on][kernel][expansion]
};

struct ScoreTable::Walk {
  std::vector<const ChainOperator*> links;
  std::vector<const TinyEngineOperator*> tinyengine;
  std::vector<std::int32_t> boundaries;
  ChainCut cut;
  FirstFit first_fit;
  Score score;
  bool with_tinyengine = false;

  void clear(bool streaming) {
    with_tinyengine = !streaming;
    links.clear();
    tinyengine.clear();
    boundaries.clear();
    score = {};
  }

  void add(const Part& part) {
    if (!links.empty()) boundaries.push_back(static_cast<std::int32_t>(links.size()));
    const auto before = links.size();
    const auto count = static_cast<std::size_t>(part.count);
    links.resize(before + count);
    for (std::size_t i = 0; i < count; ++i) links[before + i] = &part.links[i];
    if (with_tinyengine) {
      tinyengine.resize(before + count);
      for (std::size_t i = 0; i < count; ++i) tinyengine[before + i] = &part.tinyengine[i];
    }
    score.macs += part.macs;
    score.flash_bytes += part.flash_bytes;
    score.latency_us += part.latency_us;
  }
};

namespace {

std::size_t position(const std::vector<std::int32_t>& choices, std::int32_t value) {
  return static_cast<std::size_t>(std::find(choices.begin(), choices.end(), value) - choices.begin());
}

std::size_t choice_index(const Stage& stage, bool opens, const BlockChoice& block) {
  const auto kernels = stage.kernels.size();
  return ((opens ? 0 : kernels) + position(stage.kernels, block.kernel)) * stage.expansions.size() +
         position(stage.expansions, block.expansion);
}

}  // namespace

ScoreTable::ScoreTable(const SearchSpace& space, const Oracle& oracle, const ScheduleOptions& options)
    : space_(space), oracle_(oracle), options_(options), streaming_(oracle.name() == "streaming") {
  subspaces_.resize(space.resolutions.size() * space.widths.size());
  for (auto& subspace : subspaces_) subspace = std::make_unique<Subspace>();
}

ScoreTable::~ScoreTable() = default;

std::unique_ptr<ScoreTable> ScoreTable::make(const SearchSpace& space, const Oracle& oracle) {
  const auto* built_in = dynamic_cast<const BuiltInOracle*>(&oracle);
  if (built_in == nullptr) return nullptr;
  const auto& options = built_in->options();
  const bool streaming = oracle.name() == "streaming" && options.prefer == Prefer::memory;
  if (!streaming && oracle.name() != "tinyengine") return nullptr;
  return std::unique_ptr<ScoreTable>(new ScoreTable(space, oracle, options));
}

const ScoreTable::Subspace& ScoreTable::subspace_of(const Arch& arch) const {
  const auto r = position(space_.resolutions, arch.resolution);
  const auto w =
      static_cast<std::size_t>(std::find(space_.widths.begin(), space_.widths.end(), arch.width) - space_.widths.begin());
  auto& subspace = *subspaces_[r * space_.widths.size() + w];
  std::call_once(subspace.built, [&] { build(subspace, arch.resolution, arch.width); });
  return subspace;
}

/// Works out the parts of a subspace, each in a network of its own with a 1x1
/// convolution on either side.
void ScoreTable::build(Subspace& subspace, std::int32_t resolution, double width) const {
  std::int32_t rows = resolution;
  std::int32_t channels = space_.input_channels;
  subspace.image_bytes = std::int64_t{resolution} * resolution * channels;
  const auto part_of = [&](bool is_stem, bool is_head, const std::function<void(NetworkBuilder&)>& append) {
    NetworkBuilder net("part", rows, channels);
    if (!is_stem) net.conv("before", channels, 1, 1, Activation::none);
    append(net);
    if (!is_head) net.conv("after", 8, 1, 1, Activation::none);
    const auto graph = net.take();
    const auto cost = oracle_.cost(graph);
    const auto links = make_chain(graph, options_);
    if (links.empty()) throw InputError("[score] space '" + space_.name + "': sizes beyond what the tables hold");
    const auto tinyengine = tinyengine_operators(graph);
    Part part;
    for (std::size_t op = is_stem ? 0 : 1; op + (is_head ? 0 : 1) < links.size(); ++op) {
      const auto i = static_cast<std::size_t>(part.count++);
      part.links.at(i) = links[op];
      part.tinyengine.at(i) = tinyengine[op];
      part.macs += cost.layers[op].macs;
      part.flash_bytes += cost.layers[op].flash_bytes;
      part.latency_us += cost.layers[op].latency_us;
    }
    return part;
  };
  const auto block = [&](const BlockChoice& choice, std::int32_t stride, std::int32_t out) {
    return part_of(false, false, [&](NetworkBuilder& net) { append_block(net, space_, "", choice, {stride, out}); });
  };
  const auto go_on = [&](std::int32_t stride, std::int32_t kernel, std::int32_t out) {
    rows = (rows + 2 * (kernel / 2) - kernel) / stride + 1;
    channels = out;
  };
  const auto stem_channels = scaled_channels(space_, space_.stem.channels, width);
  subspace.stem = part_of(true, false, [&](NetworkBuilder& net) {
    net.conv("stem", stem_channels, space_.stem.kernel, space_.stem.stride, Activation::relu6);
  });
  go_on(space_.stem.stride, space_.stem.kernel, stem_channels);
  const auto& first = space_.first_block;
  const auto first_channels = scaled_channels(space_, first.channels, width);
  subspace.first_block = block({first.kernel, first.expansion}, first.stride, first_channels);
  go_on(first.stride, first.kernel, first_channels);
  for (const auto& stage : space_.stages) {
    const auto out = scaled_channels(space_, stage.channels, width);
    auto& parts = subspace.stages.emplace_back();
    for (const bool opens : {true, false}) {
      for (const auto kernel : stage.kernels) {
        for (const auto expansion : stage.expansions) {
          parts.push_back(block({kernel, expansion}, opens ? stage.stride : 1, out));
        }
      }
      if (opens) go_on(stage.stride, stage.kernels.front(), out);
    }
  }
  subspace.head = part_of(false, true, [&](NetworkBuilder& net) { append_head(net, space_, width); });
}

Score ScoreTable::score(const Arch& arch) const {
  thread_local Walk walk;
  const auto& subspace = subspace_of(arch);
  walk.clear(streaming_);
  walk.add(subspace.stem);
  walk.add(subspace.first_block);
  std::size_t first = 0;
  for (std::size_t s = 0; s < space_.stages.size(); ++s) {
    const auto& stage = space_.stages[s];
    for (std::int32_t b = 0; b < arch.depths[s]; ++b) {
      walk.add(subspace.stages[s][choice_index(stage, b == 0, arch.blocks[first + static_cast<std::size_t>(b)])]);
    }
    first += static_cast<std::size_t>(stage.depths.back());
  }
  walk.add(subspace.head);
  walk.score.sram_bytes = sram_bytes(subspace, walk);
  return walk.score;
}

std::vector<Score> score_all(const ScoreTable& table, std::span<const Arch> archs, int threads) {
  constexpr std::size_t kChunk = 256;
  std::vector<Score> scores(archs.size());
  parallel_for((archs.size() + kChunk - 1) / kChunk, threads, [&](std::size_t chunk) {
    const auto end = std::min(archs.size(), (chunk + 1) * kChunk);
    for (auto i = chunk * kChunk; i < end; ++i) scores[i] = table.score(archs[i]);
  });
  return scores;
}

std::int64_t ScoreTable::sram_bytes(const Subspace& subspace, Walk& walk) const {
  if (streaming_) return walk.cut.least_peak(walk.links, walk.boundaries, subspace.image_bytes, options_.image_streamed);
  return tinyengine_chain_bytes(walk.links, walk.tinyengine, subspace.image_bytes, walk.first_fit);
}

}  // namespace tinynas
