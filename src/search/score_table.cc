#include "search/score_table.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <numeric>
#include <utility>

#include "oracle/accounts/tinyengine.h"
#include "oracle/kernels/scratch.h"
#include "oracle/streaming/chain_cut.h"
#include "oracle/streaming/constants.h"
#include "oracle/streaming/streaming.h"
#include "search/parallel.h"
#include "space/build_graph.h"
#include "space/network_builder.h"
#include "space/validate.h"

namespace tinynas {
/// What every candidate adds up; the rest behind a pointer, so that a walk stays in the cache.
struct ScoreTable::Part {
  std::int64_t macs = 0, flash_bytes = 0;
  double latency_us = 0;
  PlacedPart chain;                            // streaming
  std::unique_ptr<const ChainPart> figures;    // what `chain` points to
  std::vector<TinyEngineOperator> tinyengine;  // tinyengine
};

struct ScoreTable::StageParts {
  std::array<std::uint8_t, kMaxKernel + 1> kernel{};  // place of a value among the choices
  std::array<std::uint8_t, kMaxExpansion + 1> expansion{};
  std::size_t expansions = 0, goes_on = 0;  // distance of two kernels; first part that goes on
  std::vector<Variants> parts;              // [opens the stage, goes on][kernel][expansion]

  [[nodiscard]] const Variants& part(bool opens, const BlockChoice& block) const {
    return parts[(opens ? 0 : goes_on) + kernel[static_cast<std::size_t>(block.kernel)] * expansions +
                 expansion[static_cast<std::size_t>(block.expansion)]];
  }
};

struct ScoreTable::Subspace {
  std::once_flag built;
  std::int64_t image_bytes = 0;
  Variants stem, first_block, head;
  std::vector<StageParts> stages;
};

struct ScoreTable::Walk {
  std::vector<PlacedPart> chain;
  std::vector<const TinyEngineOperator*> tinyengine;
  ChainCut cut;
  FirstFit first_fit;
  Score score;

  std::vector<const Variants*> parts;
  std::vector<Format> formats;  // of `parts`

  void clear() {
    parts.clear();
    formats.clear();
    chain.clear();
    tinyengine.clear();
    score = {};
  }

  void add(const Variants& part, Format format) {
    parts.push_back(&part);
    formats.push_back(format);
  }

  /// Every part in its format and before its reader; behind the head there is none, which counts as one of 8 bits.
  void add_up(const ScoreTable& table) {
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const auto next_bits = i + 1 < parts.size() ? input_bits(formats[i + 1]) : 8;
      add((*parts[i])[table.variant(formats[i], next_bits)]);
    }
  }

  void add(const Part& part) {
    chain.push_back(part.chain);
    for (const auto& op : part.tinyengine) tinyengine.push_back(&op);
    score.macs += part.macs;
    score.flash_bytes += part.flash_bytes;
    score.latency_us += part.latency_us;
  }
};

/// Works out the parts of a subspace, each in a network of its own with a 1x1 convolution on either side.
class ScoreTable::Builder {
 public:
  Builder(const ScoreTable& table, std::int32_t resolution, double width)
      : table_(table), space_(table.space_), width_(width), rows_(resolution), channels_(table.space_.input_channels) {}

  void build(Subspace& subspace) {
    subspace.image_bytes = std::int64_t{rows_} * rows_ * channels_;
    const auto stem_channels = scaled_channels(space_, space_.stem.channels, width_);
    subspace.stem = part_of(Place::stem, [&](NetworkBuilder& net) {
      net.conv("stem", stem_channels, space_.stem.kernel, space_.stem.stride, Activation::relu6);
    });
    go_on(space_.stem.stride, space_.stem.kernel, stem_channels);
    const auto& first = space_.first_block;
    const auto first_channels = scaled_channels(space_, first.channels, width_);
    subspace.first_block = block({first.kernel, first.expansion}, {first.stride, first_channels});
    go_on(first.stride, first.kernel, first_channels);
    for (const auto& stage : space_.stages) subspace.stages.push_back(stage_of(stage));
    subspace.head = part_of(Place::head, [&](NetworkBuilder& net) { append_head(net, space_, width_); });
  }

 private:
  enum class Place : std::uint8_t { stem, block, head };

  void go_on(std::int32_t stride, std::int32_t kernel, std::int32_t out) {
    rows_ = (rows_ + 2 * (kernel / 2) - kernel) / stride + 1;
    channels_ = out;
  }

  StageParts stage_of(const Stage& stage) {
    const auto out = scaled_channels(space_, stage.channels, width_);
    StageParts made;
    for (std::size_t i = 0; i < stage.kernels.size(); ++i) {
      made.kernel.at(static_cast<std::size_t>(stage.kernels[i])) = static_cast<std::uint8_t>(i);
    }
    for (std::size_t i = 0; i < stage.expansions.size(); ++i) {
      made.expansion.at(static_cast<std::size_t>(stage.expansions[i])) = static_cast<std::uint8_t>(i);
    }
    made.expansions = stage.expansions.size();
    made.goes_on = stage.kernels.size() * stage.expansions.size();
    for (const bool opens : {true, false}) {
      for (const auto kernel : stage.kernels) {
        for (const auto expansion : stage.expansions) {
          made.parts.push_back(block({kernel, expansion}, {opens ? stage.stride : 1, out}));
        }
      }
      if (opens) go_on(stage.stride, stage.kernels.front(), out);
    }
    return made;
  }

  Variants block(const BlockChoice& choice, BlockPlace place) {
    return part_of(Place::block, [&](NetworkBuilder& net) { append_block(net, space_, "", choice, place); });
  }

  template <class Append>
  Variants part_of(Place place, Append append) const {
    NetworkBuilder net("part", rows_, channels_);
    if (place != Place::stem) net.conv("before", channels_, 1, 1, Activation::none);
    append(net);
    if (place != Place::head) net.conv("after", 8, 1, 1, Activation::none);
    const auto graph = net.take();
    // Stem and classifier keep 8 bits; the convolution before the part has them too, that behind it decides the output's.
    std::vector<Format> formats(graph.operators.size(), Format::w8a8);
    Variants made;
    for (const auto own : space_.formats) {
      std::fill(formats.begin() + 1, formats.end() - 1, own);
      for (const auto next : {Format::w8a8, Format::w4a4}) {
        if (next == Format::w4a4 && !table_.maps_of_4_bits()) continue;
        if (place != Place::head) formats.back() = next;
        made.push_back(measured(place, in_formats(graph, formats)));
      }
    }
    return made;
  }

  Part measured(Place place, const Graph& graph) const {
    const std::size_t first = place == Place::stem ? 0 : 1;
    const auto end = graph.operators.size() - (place == Place::head ? 0 : 1);
    const auto cost = table_.oracle_.cost(graph);
    Part part;
    for (auto op = first; op < end; ++op) {
      part.macs += cost.layers[op].macs;
      if (!table_.streaming_) part.flash_bytes += cost.layers[op].flash_bytes;
      part.latency_us += cost.layers[op].latency_us;
    }
    if (table_.streaming_) {
      auto slim = table_.options_;  // no planar rings: what speed takes more than the least is up to the plan
      slim.prefer = Prefer::memory;
      const auto rows = make_row_graph(graph);
      const auto constants = least_constant_bytes({graph, rows, table_.options_});
      part.flash_bytes = std::accumulate(constants.begin() + static_cast<std::ptrdiff_t>(first),
                                         constants.begin() + static_cast<std::ptrdiff_t>(end), std::int64_t{0});
      part.figures = std::make_unique<const ChainPart>(make_chain_part({graph, rows, slim}, static_cast<std::int32_t>(first),
                                                                       static_cast<std::int32_t>(end - first),
                                                                       grains_of(table_.options_)));
      part.chain = {part.figures.get(), part.figures->through()};
    } else {
      const auto operators = tinyengine_operators(graph);
      part.tinyengine.assign(operators.begin() + static_cast<std::ptrdiff_t>(first),
                             operators.begin() + static_cast<std::ptrdiff_t>(end));
    }
    return part;
  }

  static std::span<const Grain> grains_of(const ScheduleOptions& options) {
    return std::span(kBothGrains).first(options.prefer == Prefer::memory ? 2 : 1);
  }

  const ScoreTable& table_;
  const SearchSpace& space_;
  double width_;
  std::int32_t rows_, channels_;  // of the map so far
};

namespace {

std::size_t position(const std::vector<std::int32_t>& choices, std::int32_t value) {
  return static_cast<std::size_t>(std::find(choices.begin(), choices.end(), value) - choices.begin());
}

/// Whether a block may begin with a depthwise convolution that skips rows: its input is then computed in bands, and no part
/// of the network ends before it.
bool strides_without_expansion(const SearchSpace& space) {
  return (space.first_block.stride > 1 && space.first_block.expansion == 1) ||
         std::any_of(space.stages.begin(), space.stages.end(), [](const Stage& stage) {
           return stage.stride > 1 && position(stage.expansions, 1) < stage.expansions.size();
         });
}

}  // namespace

ScoreTable::ScoreTable(const SearchSpace& space, const Oracle& oracle, const ScheduleOptions& options)
    : space_(space),
      oracle_(oracle),
      options_(options),
      streaming_(oracle.name() == "streaming"),
      least_(streaming_ && options.prefer == Prefer::speed && kernel_set(options.core) != TN_SET_PORTABLE) {
  subspaces_.resize(space.resolutions.size() * space.widths.size());
  for (auto& subspace : subspaces_) subspace = std::make_unique<Subspace>();
}

ScoreTable::~ScoreTable() = default;

std::unique_ptr<ScoreTable> ScoreTable::make(const SearchSpace& space, const Oracle& oracle) {
  const auto* built_in = dynamic_cast<const BuiltInOracle*>(&oracle);
  if (built_in == nullptr) return nullptr;
  const auto& options = built_in->options();
  const bool possible = options.prefer == Prefer::speed || !strides_without_expansion(space);
  const bool streaming = oracle.name() == "streaming" && possible;
  if (!streaming && oracle.name() != "tinyengine") return nullptr;
  return std::unique_ptr<ScoreTable>(new ScoreTable(space, oracle, options));
}

bool ScoreTable::maps_of_4_bits() const { return space_.formats.back() == Format::w4a4; }

std::size_t ScoreTable::variant(Format own, std::int32_t next_bits) const {
  const auto place = std::find(space_.formats.begin(), space_.formats.end(), own) - space_.formats.begin();
  const std::size_t format = static_cast<std::size_t>(place) % space_.formats.size();  // a head without a mix has none
  return maps_of_4_bits() ? 2 * format + (next_bits == 4 ? 1 : 0) : format;
}

const ScoreTable::Subspace& ScoreTable::subspace_of(const Arch& arch) const {
  const auto r = position(space_.resolutions, arch.resolution);
  const auto w =
      static_cast<std::size_t>(std::find(space_.widths.begin(), space_.widths.end(), arch.width) - space_.widths.begin());
  auto& subspace = *subspaces_[r * space_.widths.size() + w];
  std::call_once(subspace.built, [&] { Builder(*this, arch.resolution, arch.width).build(subspace); });
  return subspace;
}

Score ScoreTable::score(const Arch& arch) const {
  thread_local Walk walk;
  const auto& subspace = subspace_of(arch);
  walk.clear();
  walk.add(subspace.stem, Format::w8a8);
  walk.add(subspace.first_block, format_of(arch, 0));
  std::size_t first = 0;
  for (std::size_t s = 0; s < space_.stages.size(); ++s) {
    const auto* blocks = &arch.blocks[first];
    for (std::int32_t b = 0; b < arch.depths[s]; ++b) {
      walk.add(subspace.stages[s].part(b == 0, blocks[b]), format_of(arch, 1 + first + static_cast<std::size_t>(b)));
    }
    first += static_cast<std::size_t>(space_.stages[s].depths.back());
  }
  walk.add(subspace.head, space_.feature_mix > 0 ? format_of(arch, unit_count(arch) - 1) : Format::w8a8);
  walk.add_up(*this);
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
  if (streaming_) return walk.cut.least_peak(walk.chain);
  return tinyengine_chain_bytes(walk.tinyengine, subspace.image_bytes, walk.first_fit);
}

}  // namespace tinynas
