#include "codegen/dsp_pack_s4.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

#include "tinynas/requantize.h"
#include "tinynas/scratch.h"

namespace tinynas {
namespace {

constexpr std::int64_t kInt32 = std::int64_t{1} << 31;
constexpr std::int64_t kLanes = 4096;       // from channel 0 to channel 1 in a halfword
constexpr std::int64_t kMostChange = 2048;  // of channel 0's sum within a group
constexpr std::int64_t kMostSum = 1 << 15;  // of a channel with more than one group: kept scaled by 2^16
constexpr std::int32_t kChunkSteps = 16;    // of two input channels
constexpr std::int64_t kZero = 8;           // what weights, inputs and outputs have more than their values
constexpr std::int64_t kLevel = 65536;      // a step of the output before it is saturated
constexpr Interval kInputs{-8, 7};

std::int64_t word(std::int64_t value) { return static_cast<std::int64_t>(static_cast<std::uint32_t>(value)); }

/// TensorFlow Lite's requantisation of one channel: from its sum without bias to the output plus 8.
class Levels {
 public:
  Levels(const OutputStage& stage, std::size_t channel)
      : bias_(stage.bias[channel]),
        multiplier_(static_cast<std::int32_t>(stage.multiplier[channel])),
        shift_(static_cast<std::int32_t>(stage.shift[channel])),
        zero_point_(stage.zero_point) {}

  [[nodiscard]] std::int64_t operator()(std::int64_t sum) const {
    const std::int64_t scaled = tn_requantize(static_cast<std::int32_t>(sum + bias_), multiplier_, shift_);
    return std::clamp<std::int64_t>(scaled + zero_point_ + kZero, 0, 15);
  }
  [[nodiscard]] bool wraps(const Interval& sums) const {
    return std::max(std::abs(sums.low + bias_), std::abs(sums.high + bias_)) >= (kInt32 >> std::max(shift_, 0));
  }
  /// The least sum in (low, high] of at least `level`, which high has and low has not.
  [[nodiscard]] std::int64_t first(std::int64_t level, Interval sums) const {
    while (sums.high - sums.low > 1) {
      const std::int64_t middle = (sums.low + sums.high) >> 1;
      ((*this)(middle) >= level ? sums.high : sums.low) = middle;
    }
    return sums.high;
  }
  /// Of one unit of the sum, in the output.
  [[nodiscard]] double scale() const { return std::ldexp(static_cast<double>(multiplier_), shift_ - 31); }

 private:
  std::int64_t bias_;
  std::int32_t multiplier_, shift_, zero_point_;
};

struct Scaling {
  std::int64_t multiplier = 0, addend = 0;
};

/// The addend that puts (sum * 2^bits * m >> 32) + addend into the sum's level for all sums, if there is one.
std::optional<std::int64_t> fit_addend(const Levels& levels, const Interval& sums, std::int32_t bits, std::int64_t m) {
  std::int64_t low = -kInt32, high = kInt32 - 1;
  const auto scaled = [&](std::int64_t sum) { return (sum * (std::int64_t{1} << bits) * m) >> 32; };
  const auto at_least = [&](std::int64_t sum, std::int64_t level) { low = std::max(low, level * kLevel - scaled(sum)); };
  const auto below = [&](std::int64_t sum, std::int64_t level) { high = std::min(high, level * kLevel - 1 - scaled(sum)); };
  const std::int64_t bottom = levels(sums.low), top = levels(sums.high);
  for (std::int64_t level = bottom + 1; level <= top; ++level) {
    const std::int64_t first = levels.first(level, sums);
    at_least(first, level);
    below(first - 1, level);
  }
  if (bottom > 0) at_least(sums.low, bottom);
  if (top < 15) below(sums.high, top + 1);
  low = std::max(low, -kInt32 - scaled(sums.low));  // the sum stays within 32 bits
  high = std::min(high, kInt32 - 1 - scaled(sums.high));
  return low <= high ? std::optional((low + high) / 2) : std::nullopt;
}

std::optional<Scaling> fit_levels(const Levels& levels, const Interval& sums, std::int32_t bits) {
  constexpr std::array<std::int64_t, 5> kTries = {0, 1, -1, 2, -2};
  if (levels.wraps(sums)) return std::nullopt;
  if (levels(sums.low) == levels(sums.high)) return Scaling{0, levels(sums.low) * kLevel + kLevel / 2};
  const double real = std::ldexp(levels.scale(), 48 - bits);
  if (real >= static_cast<double>(kInt32 - 2)) return std::nullopt;
  for (const std::int64_t offset : kTries) {
    const std::int64_t m = std::llround(real) + offset;
    const auto addend = m > 0 ? fit_addend(levels, sums, bits, m) : std::nullopt;
    if (addend) return Scaling{m, *addend};
  }
  return std::nullopt;
}

class QuadPacker {
 public:
  QuadPacker(std::span<const std::int64_t> weights, const OutputStage& stage)
      : weights_(weights), stage_(stage), depth_(weights.size() / stage.bias.size()) {
    packed_.steps = static_cast<std::int32_t>(depth_ / 2);
    packed_.pairs = static_cast<std::int32_t>(stage.bias.size() / 4);
    chunks_ = (packed_.steps + kChunkSteps - 1) / kChunkSteps;
    group_chunks_ = chunks_;
    while (group_chunks_ > 0 && !groups_hold()) --group_chunks_;
  }

  [[nodiscard]] std::optional<PackedMatrix> pack() && {
    if (group_chunks_ == 0) return std::nullopt;
    packed_.words.push_back(group_chunks_);
    for (std::size_t first = 0; first < stage_.bias.size(); first += 4) {
      if (!add_quad(first)) return std::nullopt;
    }
    return std::move(packed_);
  }

 private:
  [[nodiscard]] std::int64_t weight(std::size_t channel, std::int32_t input) const {
    return weights_[channel * depth_ + static_cast<std::size_t>(input)];
  }
  [[nodiscard]] std::int32_t groups() const { return (chunks_ + group_chunks_ - 1) / group_chunks_; }

  /// Steps [begin, end) of a group: the first chunk has what whole chunks leave.
  [[nodiscard]] std::array<std::int32_t, 2> group_steps(std::int32_t group) const {
    const std::int32_t lead = chunks_ * kChunkSteps - packed_.steps;
    const auto edge = [&](std::int32_t g) { return std::clamp(g * group_chunks_ * kChunkSteps - lead, 0, packed_.steps); };
    return {edge(group), edge(group + 1)};
  }

  /// The first of the two input channels that a step multiplies; the other one is four on.
  static std::int32_t step_input(std::int32_t step) { return step / 4 * 8 + step % 4; }

  /// Of one channel, over a group.
  [[nodiscard]] std::vector<std::int64_t> group_weights(std::size_t channel, std::int32_t group) const {
    std::vector<std::int64_t> values;
    const auto [begin, end] = group_steps(group);
    for (std::int32_t step = begin; step < end; ++step) {
      for (const std::int32_t input : {step_input(step), step_input(step) + 4}) values.push_back(weight(channel, input));
    }
    return values;
  }

  [[nodiscard]] bool groups_hold() const {
    for (std::size_t channel = 0; channel < stage_.bias.size(); channel += 2) {
      for (std::int32_t group = 0; group < groups(); ++group) {
        const Interval change = accumulator_interval(group_weights(channel, group), 0, kInputs);
        if (change.low < -kMostChange || change.high >= kMostChange) return false;
      }
    }
    return true;
  }

  [[nodiscard]] Interval sums_of(std::size_t channel) const {
    return accumulator_interval(weights_.subspan(channel * depth_, depth_), 0, kInputs);
  }

  /// Two channels' scalings, and the shift of the second's sum.
  [[nodiscard]] bool add_scalings(std::size_t even, std::vector<std::int64_t>& header, std::int64_t& shift) const {
    const Interval low = sums_of(even), high = sums_of(even + 1);
    const bool one_group = groups() == 1;
    const std::int64_t most = kLanes * high.magnitude() + low.magnitude();  // in the accumulator
    if (one_group ? most >= kInt32 : std::max(low.magnitude(), high.magnitude()) >= kMostSum) return false;
    while (one_group && shift < 15 && (most << (shift + 1)) < kInt32) ++shift;
    const std::int32_t low_bits = one_group ? 20 : 16, high_bits = one_group ? 12 + static_cast<std::int32_t>(shift) : 16;
    const auto first = fit_levels(Levels(stage_, even), low, low_bits);
    const auto second = fit_levels(Levels(stage_, even + 1), high, high_bits);
    if (!first || !second) return false;
    for (const Scaling& scaling : {*first, *second}) {
      header.push_back(word(scaling.multiplier));
      header.push_back(word(scaling.addend));
    }
    return true;
  }

  bool add_quad(std::size_t first) {
    std::vector<std::int64_t> header;
    std::array<std::int64_t, 2> shifts{};
    if (!add_scalings(first, header, shifts[0]) || !add_scalings(first + 2, header, shifts[1])) return false;
    header.insert(header.end(), {shifts[0], shifts[1], static_cast<std::int64_t>(first / 2)});
    packed_.words.insert(packed_.words.end(), header.begin(), header.end());
    for (std::int32_t group = 0; group < groups(); ++group) {
      packed_.words.push_back(start_word(first, group));
      packed_.words.push_back(start_word(first + 2, group));
    }
    for (std::int32_t step = 0; step < packed_.steps; ++step) {
      const auto two = [&](std::size_t channel) {
        return halfword(channel, step_input(step)) | halfword(channel, step_input(step) + 4) << 16;
      };
      const std::int64_t turned = two(first + 2);
      packed_.words.push_back(word(two(first) | turned << 8 | turned >> 24));
    }
    return true;
  }

  [[nodiscard]] std::int64_t start_word(std::size_t even, std::int32_t group) const {
    std::int64_t sum = 0;
    for (const auto w : group_weights(even, group)) sum += w;
    for (const auto w : group_weights(even + 1, group)) sum += kLanes * w;
    return word(-kZero * sum);
  }

  /// Two channels' weights of one input as nibbles 0 and 3.
  [[nodiscard]] std::int64_t halfword(std::size_t even, std::int32_t input) const {
    return (weight(even, input) + kZero) | (weight(even + 1, input) + kZero) << 12;
  }

  std::span<const std::int64_t> weights_;
  const OutputStage& stage_;
  std::size_t depth_;
  std::int32_t chunks_ = 0, group_chunks_ = 0;
  PackedMatrix packed_;
};

}  // namespace

PackedMatrix in_nibbles(const PackedMatrix& matrix) {
  constexpr std::int64_t kOffset = 0x0808;  // makes a halfword even + 256 * odd two unsigned nibbles
  const auto nibbles = [](std::int64_t step) {
    const std::int64_t lower = (step + kOffset) & 0xffff, upper = ((step >> 16) + kOffset) & 0xffff;
    return lower | (upper << 16);
  };
  PackedMatrix packed{{}, matrix.steps, matrix.pairs};
  auto next = matrix.words.begin() + tn_dsp_lead(matrix.steps);
  for (std::int32_t pair = 0; pair < matrix.pairs; ++pair) {
    packed.words.insert(packed.words.end(), next, next + TN_DSP_PAIR_HEADER);
    next += TN_DSP_PAIR_HEADER;
    for (std::int32_t step = 0; step < matrix.steps; step += 2) {
      const std::int64_t first = nibbles(*next++), second = step + 1 < matrix.steps ? nibbles(*next++) : 0;
      packed.words.push_back(first | (second << 4));
    }
  }
  return packed;
}

std::optional<PackedMatrix> pack_quads(std::span<const std::int64_t> weights, const OutputStage& stage) {
  if (stage.low != -8 || stage.high != 7) return std::nullopt;
  // In a halfword w0 + 4096 * w1 of -32768 at least.
  if (std::any_of(weights.begin(), weights.end(), [](std::int64_t w) { return w < -7; })) return std::nullopt;
  return QuadPacker(weights, stage).pack();
}

}  // namespace tinynas
