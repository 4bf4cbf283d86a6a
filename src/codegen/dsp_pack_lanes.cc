// Weights of 16 bits that are shifted so that one fixed shift ends the requantisation of every channel: depthwise windows
// and matrices of few inputs.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <numeric>
#include <optional>

#include "codegen/dsp_words.h"
#include "tinynas/constants.h"
#include "tinynas/dsp.h"

namespace tinynas {
namespace {

constexpr std::int64_t kLaneShift = 10;  // that ends the requantisation in lanes.inc and tile_w16.S

/// y = (((acc << left) + extra) * multiplier + addend * 2^32) >> (32 + kLaneShift).
struct LaneScaling {
  std::int64_t left = 0, multiplier = 0, addend = 0, extra = 0;
};

/// The greatest shift that keeps all weights in 16 bits.
std::int64_t headroom(const DspChannel& channel) {
  std::int64_t shift = 15;
  for (const auto w : channel.weights) {
    while (w * (1LL << shift) > 32767 || w * (1LL << shift) < -32768) --shift;
  }
  return shift;
}

bool fits(const DspChannel& channel, const LaneScaling& scaling) {
  return channel.accumulator.magnitude() < ((kInt32 - std::abs(scaling.extra)) >> scaling.left);
}

/// Sets `extra` so that the scaling gives TensorFlow Lite's value for every accumulator; false: there is none. Both are
/// monotone, so that a stretch of accumulators with one value bounds it from below by its first, from above by its last.
bool fit_extra(const DspChannel& channel, const OutputStage& stage, LaneScaling& scaling) {
  std::int64_t least = -kInt32, most = kInt32;
  const auto first_with = [&](std::int64_t value) {  // the least (acc << left) + extra that gives a value
    const std::int64_t product = ((value << kLaneShift) - scaling.addend) * (1LL << 32);
    return (product + scaling.multiplier - 1) / scaling.multiplier;
  };
  for (std::int64_t begin = channel.accumulator.low; begin <= channel.accumulator.high;) {
    const auto value = requantized(begin, channel, stage);
    std::int64_t last = begin, behind = channel.accumulator.high + 1;
    while (behind - last > 1) {
      const std::int64_t middle = std::midpoint(last, behind);
      (requantized(middle, channel, stage) == value ? last : behind) = middle;
    }
    if (value > -128) least = std::max(least, first_with(value) - (begin << scaling.left));
    if (value < 127) most = std::min(most, first_with(value + 1) - 1 - (last << scaling.left));
    begin = behind;
  }
  scaling.extra = least;
  return least <= most;
}

/// Where the clamp hides the sign term and nothing leaves 32 bits. Up to an exponent of kLaneShift - 1 the addend holds
/// all of the rounding; beyond it a smaller multiplier and part of the rounding in the bias are tried.
std::optional<LaneScaling> scaling_of(const DspChannel& channel, const OutputStage& stage) {
  const std::int64_t e = -channel.shift, left = kLaneShift + 1 - e;
  if (!hides_sign(stage) || e < 0) return std::nullopt;
  const std::int64_t rounding = (e > 0 ? 1LL << (kLaneShift - 1) : 0) - (128LL << kLaneShift);
  if (left >= 2) {
    const LaneScaling scaling{left, channel.multiplier, (1LL << (left - 2)) + rounding};
    return fits(channel, scaling) ? std::optional(scaling) : std::nullopt;
  }
  for (std::int64_t more = headroom(channel); more >= 2 && more - left <= 20; --more) {
    for (std::int64_t up = 0; up < 2; ++up) {
      LaneScaling scaling{more, (channel.multiplier >> (more - left)) + up, rounding};
      if (fit_extra(channel, stage, scaling) && fits(channel, scaling)) return scaling;
    }
  }
  return std::nullopt;
}

/// Weights and constants of one depthwise channel.
class LanePacker {
 public:
  LanePacker(const OutputStage& stage, const DepthwiseShape& shape) : stage_(stage), shape_(shape) {}

  void add(const DspChannel& channel, std::vector<std::int64_t>& words) const {
    if (channel.constant) {
      // An addend of 0 would mean the slower way, hence the odd bit.
      add_words(channel, 0, {0, 0, word((channel.value << kLaneShift) | 1)}, words);
    } else if (const auto scaling = scaling_of(channel, stage_)) {
      const std::int64_t pre = std::min(scaling->left, headroom(channel));
      const std::array<std::int64_t, 6> quick = {channel.bias, scaling->multiplier, scaling->addend};
      const std::array<std::int64_t, 6> slow = {channel.bias, scaling->multiplier, 0, scaling->left - pre, scaling->addend};
      add_words(channel, pre, scaling->left == pre ? quick : slow, words, scaling->extra);
    } else {
      add_words(
          channel, 0,
          {channel.bias, channel.multiplier, 0, channel.shift - 128, stage_.zero_point, halves(stage_.low, stage_.high)},
          words);
    }
  }

 private:
  void add_words(const DspChannel& channel, std::int64_t shift, std::array<std::int64_t, 6> header,
                 std::vector<std::int64_t>& words, std::int64_t extra = 0) const {
    const std::int64_t sum = std::accumulate(channel.weights.begin(), channel.weights.end(), std::int64_t{0});
    header[0] = channel.constant ? 0 : (channel.bias - shape_.offset * sum) * (1LL << shift) + extra;
    for (const auto value : header) words.push_back(word(value));
    const std::int32_t beside = shape_.zero_rows / 2;
    for (std::int32_t row = -beside; row < shape_.kernel + beside; ++row) {
      const auto tap = [&](std::int32_t i) {
        const bool inside = row >= 0 && row < shape_.kernel && i >= 0 && i < shape_.kernel;
        return inside ? channel.weights[static_cast<std::size_t>(row * shape_.kernel + i)] * (1LL << shift) : 0;
      };
      if (shape_.stride == 2) {
        for (std::int32_t i = shape_.leading_zero ? -1 : 0; i < shape_.kernel; i += 2)
          words.push_back(halves(tap(i), tap(i + 1)));
      } else {
        for (std::int32_t i = 0; i + 1 < shape_.kernel; i += 2) words.push_back(halves(tap(i), tap(i + 1)));
        for (std::int32_t i = 1; i + 1 < shape_.kernel; i += 2) words.push_back(halves(tap(i), tap(i + 1)));
      }
    }
  }

  const OutputStage& stage_;
  DepthwiseShape shape_;
};

/// A channel of a matrix: values are stored with 128 added.
struct WideChannel {
  std::vector<std::int64_t> weights;
  std::int64_t bias = 0, multiplier = 0, addend = 0;
};

std::optional<WideChannel> wide_channel(const DspChannel& channel, const OutputStage& stage) {
  if (channel.constant) return WideChannel{channel.weights, 0, 0, (channel.value + 128) * (1LL << kLaneShift)};
  const auto scaling = scaling_of(channel, stage);
  if (!scaling || scaling->left > headroom(channel)) return std::nullopt;
  WideChannel wide{channel.weights, channel.bias * (1LL << scaling->left) + scaling->extra, scaling->multiplier,
                   scaling->addend + (128LL << kLaneShift)};
  for (auto& w : wide.weights) w *= 1LL << scaling->left;
  return wide;
}

}  // namespace

std::optional<PackedMatrix> pack_matrix_w16(std::span<const std::int64_t> weights, std::int32_t runs,
                                            std::int32_t run_length, const OutputStage& stage,
                                            const DspPlacement& placement) {
  const auto order = step_weights(runs, run_length);
  std::vector<WideChannel> channels;
  for (const auto& channel : matrix_channels(weights, stage)) {
    auto wide = wide_channel(channel, stage);
    if (!wide) return std::nullopt;
    channels.push_back(std::move(*wide));
  }
  PackedMatrix packed;
  packed.steps = static_cast<std::int32_t>(order.size());
  packed.words.assign(static_cast<std::size_t>(tn_dsp_lead(packed.steps)), 0);
  for (std::size_t c = 0; c < channels.size(); c += 2, ++packed.pairs) {
    const std::size_t first = std::min(c, channels.size() - 2);  // the last pair of an odd number overlaps
    const WideChannel &even = channels[first], &odd = channels[first + 1];
    for (const auto value :
         {even.bias, odd.bias, even.multiplier, even.addend, odd.multiplier, odd.addend,
          static_cast<std::int64_t>(first) * placement.plane_bytes, static_cast<std::int64_t>(placement.words ? 0 : 1)}) {
      packed.words.push_back(word(value));
    }
    for (const auto& step : order) {
      for (const auto* channel : {&odd, &even}) {
        const auto weight = [&](std::int64_t i) { return i < 0 ? 0 : channel->weights[static_cast<std::size_t>(i)]; };
        packed.words.push_back(halves(weight(step[0]), weight(step[1])));
      }
    }
  }
  return packed;
}

std::vector<std::int64_t> pack_depthwise(std::span<const std::int64_t> weights, const DepthwiseShape& shape,
                                         const OutputStage& stage) {
  const std::size_t channels = stage.bias.size();
  const LanePacker packer(stage, shape);
  std::vector<std::int64_t> words;
  for (std::size_t c = 0; c < channels; ++c) {
    std::vector<std::int64_t> taps;
    for (std::size_t i = c; i < weights.size(); i += channels) taps.push_back(weights[i]);
    packer.add(dsp_channel(std::move(taps), stage, c), words);
  }
  return words;
}

bool requantizes_quickly(std::span<const std::int64_t> words, const DepthwiseShape& shape) {
  constexpr std::size_t kAddend = 2;  // of a channel's words; 0: a slower way
  const auto each = static_cast<std::size_t>(tn_dsp_lanes_words(shape.kernel, shape.stride, shape.zero_rows));
  for (std::size_t i = kAddend; i < words.size(); i += each) {
    if (words[i] == 0) return false;
  }
  return true;
}

}  // namespace tinynas
