#include "codegen/dsp_pack.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <numeric>
#include <optional>

#include "tinynas/constants.h"
#include "tinynas/dsp.h"
#include "tinynas/requantize.h"
#include "tinynas/scratch.h"

namespace tinynas {
namespace {

constexpr std::int64_t kInt32 = std::int64_t{1} << 31;
constexpr std::size_t kHeaderWords = TN_DSP_PAIR_HEADER;

enum Mode : std::int64_t { kHiddenLeft, kHiddenRight, kLinear, kUniversal, kSingle };

/// The number that tile.S knows a mode by; planar rows have no linear one.
std::int64_t mode_number(Mode mode, const DspPlacement& placement) {
  if (!placement.planar) return mode;
  if (mode < kLinear) return mode + (placement.words ? 5 : 7);
  return mode == kUniversal ? 9 : 10;
}

std::int64_t word(std::int64_t value) { return static_cast<std::int64_t>(static_cast<std::uint32_t>(value)); }
std::int64_t halves(std::int64_t lower, std::int64_t upper) { return word((lower & 0xffff) | ((upper & 0xffff) << 16)); }

bool saturates(const OutputStage& stage) { return stage.low == -128 && stage.high == 127; }

/// A clamp at the zero point hides what TensorFlow Lite's rounding does to negative accumulators.
bool hides_sign(const OutputStage& stage) { return stage.zero_point == -128 && saturates(stage); }

std::int32_t requantized(std::int64_t acc, const DspChannel& channel, const OutputStage& stage) {
  const auto scaled = tn_requantize(static_cast<std::int32_t>(acc), static_cast<std::int32_t>(channel.multiplier),
                                    static_cast<std::int32_t>(channel.shift));
  return static_cast<std::int32_t>(std::clamp<std::int64_t>(std::int64_t{scaled} + stage.zero_point, stage.low, stage.high));
}

/// Requantisation is monotone, so equal ends of the interval mean one value.
void fold_constant(DspChannel& channel, const OutputStage& stage) {
  const std::int64_t left = std::max<std::int64_t>(channel.shift, 0);
  if (channel.accumulator.magnitude() >= (kInt32 >> left)) return;  // may wrap
  const auto value = requantized(channel.accumulator.low, channel, stage);
  if (value != requantized(channel.accumulator.high, channel, stage)) return;
  channel.constant = true;
  channel.value = value;
  // The same value from a small accumulator: requantize(b, 1/2, shift 1) is b.
  channel.bias = value - stage.zero_point;
  channel.multiplier = std::int64_t{1} << 30;
  channel.shift = 1;
  channel.accumulator = {channel.bias, channel.bias};
  std::fill(channel.weights.begin(), channel.weights.end(), 0);
}

bool allows_hidden(const DspChannel& channel, const OutputStage& stage) {
  const std::int64_t e = -channel.shift;
  return channel.constant ||
         (hides_sign(stage) && e >= 0 && e <= 15 && channel.accumulator.magnitude() < (std::int64_t{1} << (14 + e)));
}

bool allows_linear(const DspChannel& channel, const OutputStage& stage) {
  const std::int64_t e = -channel.shift;
  return channel.constant ||
         (saturates(stage) && e >= 1 && e <= 22 && channel.accumulator.magnitude() < (std::int64_t{1} << 29));
}

/// Whether the channel can be the odd one of a pair (its sum is read from the upper 24 bits) beside `even`.
bool pairs_up(const DspChannel& even, const DspChannel& odd) {
  if (odd.accumulator.magnitude() >= (std::int64_t{1} << 23)) return false;
  for (std::size_t i = 0; i < odd.weights.size(); ++i) {
    if (even.weights[i] + 256 * odd.weights[i] < -32768) return false;
  }
  return true;
}

/// Multiplier and addend of a hidden or linear channel; shifts are set by the caller.
struct Scaling {
  std::int64_t multiplier = 0, addend = 0;
};

Scaling hidden_scaling(const DspChannel& channel, bool planar) {
  const std::int64_t zero = planar ? 0 : -128 * 65536LL;  // planar kernels saturate value + 128 as unsigned
  if (channel.constant) return {0, (channel.value + 128) * 65536LL + zero};
  const std::int64_t e = -channel.shift;
  return {channel.multiplier, (1LL << 15) + (e > 0 ? 1LL << (15 - e) : 0) + zero};
}

Scaling linear_scaling(const DspChannel& channel, const OutputStage& stage) {
  if (channel.constant) return {0, channel.value * 2LL};
  const std::int64_t e = -channel.shift;
  return {channel.multiplier, (1LL << (e - 1)) + stage.zero_point * (1LL << e)};
}

class MatrixPacker {
 public:
  MatrixPacker(const OutputStage& stage, const DspPlacement& placement, std::int32_t runs, std::int32_t run_length)
      : stage_(stage), placement_(placement) {
    for (std::int32_t run = 0; run < runs; ++run) add_run(run * run_length, run_length);
    packed_.steps = static_cast<std::int32_t>(order_.size());
    packed_.words.assign(static_cast<std::size_t>(tn_dsp_lead(packed_.steps)), 0);
  }

  /// `odd` null: the even channel alone.
  void add_pair(std::size_t first, const DspChannel& even, const DspChannel* odd) {
    const DspChannel none{std::vector<std::int64_t>(even.weights.size(), 0), 0, 0, 0, {}, false, 0};
    add_header(first, even, odd);
    const auto& second = odd != nullptr ? odd->weights : none.weights;
    for (const auto& step : order_) {
      const auto half = [&](std::int64_t i) {
        return i < 0 ? 0 : even.weights[static_cast<std::size_t>(i)] + 256 * second[static_cast<std::size_t>(i)];
      };
      packed_.words.push_back(halves(half(step[0]), half(step[1])));
    }
    ++packed_.pairs;
  }

  [[nodiscard]] PackedMatrix result() && { return std::move(packed_); }

 private:
  void add_run(std::int64_t begin, std::int64_t length) {
    std::int64_t i = 0;
    for (; i + 4 <= length; i += 4) {
      order_.push_back({begin + i, begin + i + 2});
      order_.push_back({begin + i + 1, begin + i + 3});
    }
    if (length - i >= 2) {
      order_.push_back({begin + i, begin + i + 1});
      i += 2;
    }
    if (length - i == 1) order_.push_back({begin + i, -1});
  }

  [[nodiscard]] Mode mode_of(const DspChannel& even, const DspChannel* odd) const {
    if (odd == nullptr) return kSingle;
    if (allows_hidden(even, stage_) && allows_hidden(*odd, stage_)) {
      return odd->constant || -odd->shift <= 9 ? kHiddenLeft : kHiddenRight;
    }
    const bool linear = !placement_.planar && allows_linear(even, stage_) && allows_linear(*odd, stage_);
    return linear ? kLinear : kUniversal;
  }

  void add_header(std::size_t first, const DspChannel& even, const DspChannel* odd) {
    const Mode mode = mode_of(even, odd);
    const bool plain = mode == kUniversal || mode == kSingle;
    const auto bias = [&](const DspChannel* c) { return c == nullptr || (c->constant && !plain) ? 0 : c->bias; };
    std::array<std::int64_t, kHeaderWords> h{};
    h[0] = bias(&even) + 256 * bias(odd);
    h[1] = bias(&even);
    if (plain) {
      h[2] = even.multiplier;
      h[3] = even.shift;
      h[4] = odd != nullptr ? odd->multiplier : 0;
      h[5] = odd != nullptr ? odd->shift : 0;
      h[6] = stage_.zero_point;
      h[7] = halves(stage_.low, stage_.high);
    } else {
      const auto scaling = [&](const DspChannel& c) {
        return mode == kLinear ? linear_scaling(c, stage_) : hidden_scaling(c, placement_.planar);
      };
      const Scaling e = scaling(even), o = scaling(*odd);
      h[2] = e.multiplier;
      h[3] = e.addend;
      h[4] = o.multiplier;
      h[5] = o.addend;
      h[6] = mode == kLinear ? (even.constant ? 1 : -even.shift) : (even.constant ? 0 : 17 + even.shift);
      h[7] = mode == kLinear ? (odd->constant ? 1 : -odd->shift) : (odd->constant ? 0 : std::abs(9 + odd->shift));
    }
    h[8] = mode_number(mode, placement_);
    h[9] = static_cast<std::int64_t>(first) * (placement_.planar ? placement_.plane_bytes : 1);
    for (const auto value : h) packed_.words.push_back(word(value));
  }

  const OutputStage& stage_;
  DspPlacement placement_;
  std::vector<std::array<std::int64_t, 2>> order_;  // which weights a step multiplies, -1: none
  PackedMatrix packed_;
};

/// Weights and constants of one depthwise channel.
class LanePacker {
 public:
  LanePacker(const OutputStage& stage, const DepthwiseShape& shape) : stage_(stage), shape_(shape) {}

  void add(const DspChannel& channel, std::vector<std::int64_t>& words) const {
    if (channel.constant) {
      // An addend of 0 would mean the slower way, hence the odd bit.
      add_words(channel, 0, {0, 0, word((channel.value << kLaneShift) | 1)}, words);
    } else if (const auto scaling = scaling_of(channel)) {
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
  static constexpr std::int64_t kLaneShift = 10;  // that ends the requantisation in lanes.inc

  /// y = (((acc << left) + extra) * multiplier + addend * 2^32) >> (32 + kLaneShift).
  struct LaneScaling {
    std::int64_t left = 0, multiplier = 0, addend = 0, extra = 0;
  };

  /// Where the clamp hides the sign term and nothing leaves 32 bits. Up to an exponent of kLaneShift - 1 the addend holds
  /// all of the rounding; beyond it a smaller multiplier and part of the rounding in the bias are tried.
  [[nodiscard]] std::optional<LaneScaling> scaling_of(const DspChannel& channel) const {
    const std::int64_t e = -channel.shift, left = kLaneShift + 1 - e;
    if (!hides_sign(stage_) || e < 0) return std::nullopt;
    const std::int64_t rounding = (e > 0 ? 1LL << (kLaneShift - 1) : 0) - (128LL << kLaneShift);
    if (left >= 2) {
      const LaneScaling scaling{left, channel.multiplier, (1LL << (left - 2)) + rounding};
      return fits(channel, scaling) ? std::optional(scaling) : std::nullopt;
    }
    for (std::int64_t more = headroom(channel); more >= 2 && more - left <= 20; --more) {
      for (std::int64_t up = 0; up < 2; ++up) {
        LaneScaling scaling{more, (channel.multiplier >> (more - left)) + up, rounding};
        if (fit_extra(channel, scaling) && fits(channel, scaling)) return scaling;
      }
    }
    return std::nullopt;
  }

  static bool fits(const DspChannel& channel, const LaneScaling& scaling) {
    return channel.accumulator.magnitude() < ((kInt32 - std::abs(scaling.extra)) >> scaling.left);
  }

  /// Sets `extra` so that the scaling gives TensorFlow Lite's value for every accumulator; false: there is none. Both are
  /// monotone, so that a stretch of accumulators with one value bounds it from below by its first, from above by its last.
  [[nodiscard]] bool fit_extra(const DspChannel& channel, LaneScaling& scaling) const {
    std::int64_t least = -kInt32, most = kInt32;
    const auto first_with = [&](std::int64_t value) {  // the least (acc << left) + extra that gives a value
      const std::int64_t product = ((value << kLaneShift) - scaling.addend) * (1LL << 32);
      return (product + scaling.multiplier - 1) / scaling.multiplier;
    };
    for (std::int64_t begin = channel.accumulator.low; begin <= channel.accumulator.high;) {
      const auto value = requantized(begin, channel, stage_);
      std::int64_t last = begin, behind = channel.accumulator.high + 1;
      while (behind - last > 1) {
        const std::int64_t middle = std::midpoint(last, behind);
        (requantized(middle, channel, stage_) == value ? last : behind) = middle;
      }
      if (value > -128) least = std::max(least, first_with(value) - (begin << scaling.left));
      if (value < 127) most = std::min(most, first_with(value + 1) - 1 - (last << scaling.left));
      begin = behind;
    }
    scaling.extra = least;
    return least <= most;
  }

  /// The greatest shift that keeps all weights in 16 bits.
  static std::int64_t headroom(const DspChannel& channel) {
    std::int64_t shift = 15;
    for (const auto w : channel.weights) {
      while (w * (1LL << shift) > 32767 || w * (1LL << shift) < -32768) --shift;
    }
    return shift;
  }

  void add_words(const DspChannel& channel, std::int64_t shift, std::array<std::int64_t, 6> header,
                 std::vector<std::int64_t>& words, std::int64_t extra = 0) const {
    const std::int64_t sum = std::accumulate(channel.weights.begin(), channel.weights.end(), std::int64_t{0});
    header[0] = channel.constant ? 0 : (channel.bias - shape_.offset * sum) * (1LL << shift) + extra;
    for (const auto value : header) words.push_back(word(value));
    for (std::int32_t row = 0; row < shape_.kernel; ++row) {
      const auto tap = [&](std::int32_t i) {
        const bool inside = i >= 0 && i < shape_.kernel;
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

}  // namespace

std::int64_t Interval::magnitude() const { return std::max(std::abs(low), std::abs(high)); }

Interval accumulator_interval(std::span<const std::int64_t> weights, std::int64_t bias, Interval inputs) {
  Interval interval{bias, bias};
  for (const auto w : weights) {
    interval.low += std::min(w * inputs.low, w * inputs.high);
    interval.high += std::max(w * inputs.low, w * inputs.high);
  }
  return interval;
}

DspChannel dsp_channel(std::vector<std::int64_t> weights, const OutputStage& stage, std::size_t channel) {
  DspChannel c;
  c.bias = stage.bias[channel];
  c.multiplier = stage.multiplier[channel];
  c.shift = stage.shift[channel];
  c.accumulator = accumulator_interval(weights, c.bias);
  c.weights = std::move(weights);
  fold_constant(c, stage);
  return c;
}

PackedMatrix pack_matrix(std::span<const std::int64_t> weights, std::int32_t runs, std::int32_t run_length,
                         const OutputStage& stage, const DspPlacement& placement) {
  const auto each = static_cast<std::size_t>(runs) * static_cast<std::size_t>(run_length);
  std::vector<DspChannel> channels;
  for (std::size_t c = 0; c < stage.bias.size(); ++c) {
    const auto begin = weights.begin() + static_cast<std::ptrdiff_t>(c * each);
    channels.push_back(dsp_channel({begin, begin + static_cast<std::ptrdiff_t>(each)}, stage, c));
  }
  MatrixPacker packer(stage, placement, runs, run_length);
  for (std::size_t c = 0; c < channels.size();) {
    const bool pair = c + 1 < channels.size() && pairs_up(channels[c], channels[c + 1]);
    packer.add_pair(c, channels[c], pair ? &channels[c + 1] : nullptr);
    c += pair ? 2 : 1;
  }
  return std::move(packer).result();
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
  const auto each = static_cast<std::size_t>(tn_dsp_lanes_words(shape.kernel, shape.stride));
  for (std::size_t i = kAddend; i < words.size(); i += each) {
    if (words[i] == 0) return false;
  }
  return true;
}

}  // namespace tinynas
