#include "codegen/helium_pack.h"

#include <algorithm>

namespace tinynas {
namespace {

constexpr std::size_t kLanes = 16;

std::int64_t word(std::int64_t value) { return static_cast<std::int64_t>(static_cast<std::uint32_t>(value)); }

/// A constant channel's value from an accumulator that every mode brings there: 4 v * 1/2 shifted right by one.
void settle(DspChannel& channel, std::int32_t zero_point) {
  if (!channel.constant) return;
  channel.bias = 4 * (std::int64_t{channel.value} - zero_point);
  channel.multiplier = std::int64_t{1} << 30;
  channel.shift = -1;
}

HeliumMode mode_of(const std::vector<DspChannel>& channels, const OutputStage& stage) {
  const auto shifts_below = [&](std::int64_t limit) {
    return std::all_of(channels.begin(), channels.end(), [&](const DspChannel& c) { return c.shift <= limit; });
  };
  const bool full = stage.low == -128 && stage.high == 127;
  if (full && stage.zero_point == -128 && shifts_below(0)) return HeliumMode::hidden;
  return full && shifts_below(-1) ? HeliumMode::linear : HeliumMode::general;
}

/// Sixteen weights from `begin` on, zeros behind the last.
void add_lanes(std::vector<std::int64_t>& words, const std::vector<std::int64_t>& weights, std::size_t begin) {
  for (std::size_t i = begin; i < begin + kLanes; i += 4) {
    std::int64_t value = 0;
    for (std::size_t j = 0; j < 4 && i + j < weights.size(); ++j) value |= (weights[i + j] & 0xff) << (8 * j);
    words.push_back(value);
  }
}

/// The same of two channels, the second one's weights in the high nibbles.
void add_nibbles(std::vector<std::int64_t>& words, const DspChannel& first, const DspChannel& second, std::size_t begin) {
  std::vector<std::int64_t> both;
  for (std::size_t i = begin; i < std::min(begin + kLanes, first.weights.size()); ++i) {
    both.push_back((first.weights[i] & 15) | (second.weights[i] & 15) << 4);
  }
  add_lanes(words, both, 0);
}

/// Bias, multiplier, shifts; `above` goes above the byte of the one that carries it.
void add_constants(std::vector<std::int64_t>& words, const DspChannel& channel, HeliumMode mode, std::int64_t above) {
  const auto carrier = [&](std::int64_t shift) { return word((above << 8) | (shift & 0xff)); };
  words.push_back(word(channel.bias));
  words.push_back(channel.multiplier);
  if (mode == HeliumMode::general) {
    words.push_back(carrier(std::max<std::int64_t>(channel.shift, 0)));
    words.push_back(word(std::min<std::int64_t>(channel.shift, 0)));
  } else {
    words.push_back(carrier(channel.shift));
  }
}

/// The window's bytes in a strip: row `row` of a group lies at bytes row, row + depth, ...; rows count from `first` on.
std::vector<std::int64_t> group_lanes(const DspChannel& channel, std::int32_t kernel_w, std::int32_t depth,
                                      std::int32_t first) {
  const auto kernel_h = static_cast<std::int32_t>(channel.weights.size()) / kernel_w;
  std::vector<std::int64_t> lanes(kLanes, 0);
  for (std::int32_t row = 0; row < depth; ++row) {
    const std::int32_t tap = first + row;
    if (tap < 0 || tap >= kernel_h) continue;
    for (std::int32_t x = 0; x < kernel_w; ++x) {
      lanes[static_cast<std::size_t>(x * depth + row)] = channel.weights[static_cast<std::size_t>(tap * kernel_w + x)];
    }
  }
  return lanes;
}

}  // namespace

const char* mode_name(HeliumMode mode) {
  if (mode == HeliumMode::hidden) return "hidden";
  return mode == HeliumMode::linear ? "linear" : "general";
}

HeliumLayer helium_layer(std::span<const std::int64_t> weights, const OutputStage& stage) {
  HeliumLayer layer;
  const std::size_t each = weights.size() / stage.bias.size();
  for (std::size_t c = 0; c < stage.bias.size(); ++c) {
    const auto own = weights.subspan(c * each, each);
    layer.channels.push_back(dsp_channel({own.begin(), own.end()}, stage, c));
    settle(layer.channels.back(), stage.zero_point);
  }
  layer.mode = mode_of(layer.channels, stage);
  return layer;
}

std::vector<std::int64_t> pack_block_stream(const HeliumLayer& layer, bool nibbles) {
  constexpr std::int64_t kAnotherPair = std::int64_t{1} << 23;
  const auto& channels = layer.channels;
  std::vector<std::int64_t> words;
  // The last pair of an odd number shares a channel with the one before.
  for (std::size_t c = 0; c < channels.size();) {
    const std::size_t next = c + 3 == channels.size() ? c + 1 : c + 2;
    const bool last = c + 2 >= channels.size();
    for (std::size_t i = 0; i < channels[c].weights.size(); i += kLanes) {
      if (nibbles) {
        add_nibbles(words, channels[c], channels[c + 1], i);
      } else {
        add_lanes(words, channels[c].weights, i);
        add_lanes(words, channels[c + 1].weights, i);
      }
    }
    add_constants(words, channels[c], layer.mode, static_cast<std::int64_t>(next - c));
    add_constants(words, channels[c + 1], layer.mode, last ? 0 : kAnotherPair);
    c = last ? channels.size() : next;
  }
  return words;
}

StripStream pack_strip_stream(std::span<const std::int64_t> weights, std::int32_t kernel_w, const tn_helium_strips& strips,
                              const OutputStage& stage) {
  const std::size_t channels = stage.bias.size();
  std::vector<std::int64_t> by_channel;
  for (std::size_t c = 0; c < channels; ++c) {
    for (std::size_t i = c; i < weights.size(); i += channels) by_channel.push_back(weights[i]);
  }
  const HeliumLayer layer = helium_layer(by_channel, stage);
  StripStream stream;
  stream.mode = layer.mode;
  for (const auto& channel : layer.channels) {
    for (std::int32_t step = 0; step < strips.steps; ++step) {
      const std::int32_t first = step * strips.depth;
      add_lanes(stream.words, group_lanes(channel, kernel_w, strips.depth, first), 0);
      // The kernels shift the one step of groups of four to the second row themselves.
      if (strips.pair != 0 && strips.depth == 2)
        add_lanes(stream.words, group_lanes(channel, kernel_w, strips.depth, first - 1), 0);
    }
    add_constants(stream.words, channel, layer.mode, 0);
  }
  stream.channel_words = static_cast<std::int32_t>(stream.words.size() / channels);
  return stream;
}

}  // namespace tinynas
