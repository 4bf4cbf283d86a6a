#include "codegen/dsp_pack.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "codegen/dsp_words.h"
#include "tinynas/dsp.h"
#include "tinynas/scratch.h"

namespace tinynas {
namespace {

constexpr std::size_t kHeaderWords = TN_DSP_PAIR_HEADER;

enum Mode : std::int64_t { kHiddenLeft, kHiddenRight, kLinear, kUniversal, kSingle };

/// The number that tile.S knows a mode by; planar rows have no linear one.
std::int64_t mode_number(Mode mode, const DspPlacement& placement) {
  if (!placement.planar) return mode;
  if (mode < kLinear) return mode + (placement.words ? 5 : 7);
  return mode == kUniversal ? 9 : 10;
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
      : stage_(stage), placement_(placement), order_(step_weights(runs, run_length)) {
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
  std::vector<StepWeights> order_;
  PackedMatrix packed_;
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

std::vector<StepWeights> step_weights(std::int32_t runs, std::int32_t run_length) {
  std::vector<StepWeights> order;
  for (std::int64_t begin = 0; begin < std::int64_t{runs} * run_length; begin += run_length) {
    const std::int64_t end = begin + run_length;
    std::int64_t i = begin;
    for (; i + 4 <= end; i += 4) {
      order.push_back({i, i + 2});
      order.push_back({i + 1, i + 3});
    }
    if (end - i >= 2) {
      order.push_back({i, i + 1});
      i += 2;
    }
    if (end - i == 1) order.push_back({i, -1});
  }
  return order;
}

std::vector<DspChannel> matrix_channels(std::span<const std::int64_t> weights, const OutputStage& stage) {
  const auto each = static_cast<std::ptrdiff_t>(weights.size() / stage.bias.size());
  std::vector<DspChannel> channels;
  for (std::size_t c = 0; c < stage.bias.size(); ++c) {
    const auto begin = weights.begin() + static_cast<std::ptrdiff_t>(c) * each;
    channels.push_back(dsp_channel({begin, begin + each}, stage, c));
  }
  return channels;
}

PackedMatrix pack_matrix(std::span<const std::int64_t> weights, std::int32_t runs, std::int32_t run_length,
                         const OutputStage& stage, const DspPlacement& placement) {
  const auto channels = matrix_channels(weights, stage);
  MatrixPacker packer(stage, placement, runs, run_length);
  for (std::size_t c = 0; c < channels.size();) {
    const bool pair = c + 1 < channels.size() && pairs_up(channels[c], channels[c + 1]);
    packer.add_pair(c, channels[c], pair ? &channels[c + 1] : nullptr);
    c += pair ? 2 : 1;
  }
  return std::move(packer).result();
}

}  // namespace tinynas
