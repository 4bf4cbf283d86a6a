#include "codegen/dsp_pack_s4.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

#include "codegen/dsp_words.h"
#include "tinynas/requantize.h"
#include "tinynas/scratch.h"

namespace tinynas {
namespace {

constexpr std::int64_t kLanes = 4096;       // from channel 0 to channel 1 in a halfword
constexpr std::int64_t kMostChange = 2048;  // of channel 0's sum within a group
constexpr std::int32_t kChunkSteps = 16;    // of two input channels
constexpr std::int64_t kZero = 8;           // what weights, inputs and outputs have more than their values
constexpr std::int64_t kLevel = 65536;      // a step of the output before it is saturated
constexpr Interval kInputs{-8, 7};

/// How the kernel stores: the numbers that engine/dsp/tile_w4a4.S knows them by.
enum class Way : std::uint8_t { one_group, groups, linear };

/// How a channel's sum reaches the multiplication: (sum + bias) * 2^bits. Negative ones get `step` added behind it.
struct ScaledSum {
  std::int32_t bits = 0;
  std::int64_t bias = 0, step = 0;
};

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
  /// A sum with its bias, and what TensorFlow Lite's second rounding takes from negative ones, in 65536ths of the output.
  [[nodiscard]] ScaledSum with_bias() const {
    const bool rounds_twice = shift_ < 0 && shift_ >= -16;
    return {16, bias_, rounds_twice ? -(kLevel >> -shift_) : 0};
  }
  /// Of one unit of the sum, in the output.
  [[nodiscard]] double scale() const { return std::ldexp(static_cast<double>(multiplier_), shift_ - 31); }

 private:
  std::int64_t bias_;
  std::int32_t multiplier_, shift_, zero_point_;
};

/// y = (scaled sum * multiplier >> 32) + addend (+ step).
struct Scaling {
  std::int64_t multiplier = 0, addend = 0, step = 0, bias = 0;
};

/// The addend that puts every sum into its level, if there is one.
std::optional<std::int64_t> fit_addend(const Levels& levels, const Interval& sums, const ScaledSum& form, std::int64_t m) {
  std::int64_t low = -kInt32, high = kInt32 - 1;
  const auto scaled = [&](std::int64_t sum) {
    const std::int64_t value = sum + form.bias;
    return ((value * (std::int64_t{1} << form.bits) * m) >> 32) + (value < 0 ? form.step : 0);
  };
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
  low = std::max(low, -kInt32 - form.step - scaled(sums.low));  // the sum stays within 32 bits
  high = std::min(high, kInt32 - 1 - scaled(sums.high));
  return low <= high ? std::optional((low + high) / 2) : std::nullopt;
}

std::optional<Scaling> fit_levels(const Levels& levels, const Interval& sums, const ScaledSum& form) {
  constexpr std::array<std::int64_t, 5> kTries = {0, 1, -1, 2, -2};
  if (levels.wraps(sums)) return std::nullopt;
  if (levels(sums.low) == levels(sums.high)) return Scaling{0, levels(sums.low) * kLevel + kLevel / 2, 0, 0};
  const double real = std::ldexp(levels.scale(), 48 - form.bits);
  const bool fits = std::max(std::abs(sums.low + form.bias), std::abs(sums.high + form.bias)) < (kInt32 >> form.bits);
  if (!fits || real >= static_cast<double>(kInt32 - 2)) return std::nullopt;
  for (const std::int64_t offset : kTries) {
    const std::int64_t m = std::llround(real) + offset;
    const auto addend = m > 0 ? fit_addend(levels, sums, form, m) : std::nullopt;
    if (addend) return Scaling{m, *addend, form.step, form.bias};
  }
  return std::nullopt;
}

class QuadPacker {
 public:
  QuadPacker(std::span<const std::int64_t> weights, const OutputStage& stage)
      : weights_(weights), stage_(stage), depth_(weights.size() / stage.bias.size()) {
    steps_ = static_cast<std::int32_t>(depth_ / 2);
    chunks_ = (steps_ + kChunkSteps - 1) / kChunkSteps;
    group_chunks_ = chunks_;
    while (group_chunks_ > 0 && !groups_hold()) --group_chunks_;
  }

  [[nodiscard]] std::optional<PackedMatrix> pack(Way way) const {
    if (group_chunks_ == 0) return std::nullopt;
    PackedMatrix packed{
        {group_chunks_, static_cast<std::int64_t>(way)}, steps_, static_cast<std::int32_t>(stage_.bias.size() / 4)};
    for (std::size_t first = 0; first < stage_.bias.size(); first += 4) {
      if (!add_quad(first, way, packed.words)) return std::nullopt;
    }
    return packed;
  }
  /// Without looking at signs.
  [[nodiscard]] Way hidden_way() const { return group_chunks_ == chunks_ ? Way::one_group : Way::groups; }

 private:
  [[nodiscard]] std::int64_t weight(std::size_t channel, std::int32_t input) const {
    return weights_[channel * depth_ + static_cast<std::size_t>(input)];
  }
  [[nodiscard]] std::int32_t groups() const { return (chunks_ + group_chunks_ - 1) / group_chunks_; }

  /// Steps [begin, end) of a group: the first chunk has what whole chunks leave.
  [[nodiscard]] std::array<std::int32_t, 2> group_steps(std::int32_t group) const {
    const std::int32_t lead = chunks_ * kChunkSteps - steps_;
    const auto edge = [&](std::int32_t g) { return std::clamp(g * group_chunks_ * kChunkSteps - lead, 0, steps_); };
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

  /// Bits of the shift that the kernel makes to a second channel's sum, of one group, which stands scaled by 2^12.
  [[nodiscard]] static std::int32_t room(const Interval& low, const Interval& high) {
    const std::int64_t most = kLanes * high.magnitude() + low.magnitude();
    std::int32_t shift = 0;
    while (shift < 15 && (most << (shift + 1)) < kInt32) ++shift;
    return shift;
  }

  /// Two channels.
  struct Pair {
    Scaling even, odd;
    std::int32_t shift = 0;
  };
  [[nodiscard]] std::optional<Pair> fit_pair(std::size_t first, Way way) const {
    const Interval low = sums_of(first), high = sums_of(first + 1);
    const Levels even(stage_, first), odd(stage_, first + 1);
    Pair pair;
    ScaledSum even_form{16, 0, 0}, odd_form{16, 0, 0};
    if (way == Way::linear) {
      even_form = even.with_bias();
      odd_form = odd.with_bias();
    } else if (way == Way::one_group) {
      pair.shift = room(low, high);
      even_form.bits = 20;
      odd_form.bits = 12 + pair.shift;
    }
    const auto fitted_even = fit_levels(even, low, even_form), fitted_odd = fit_levels(odd, high, odd_form);
    if (!fitted_even || !fitted_odd) return std::nullopt;
    pair.even = *fitted_even;
    pair.odd = *fitted_odd;
    return pair;
  }

  bool add_quad(std::size_t first, Way way, std::vector<std::int64_t>& words) const {
    const auto front = fit_pair(first, way), back = fit_pair(first + 2, way);
    if (!front || !back) return false;
    const std::array<Scaling, 4> scalings = {front->even, front->odd, back->even, back->odd};
    for (const Scaling& scaling : scalings) {
      words.push_back(scaling.multiplier);
      words.push_back(word(scaling.addend));
    }
    words.insert(words.end(), {front->shift, back->shift, static_cast<std::int64_t>(first / 2)});
    for (const Scaling& scaling : {front->even, back->even}) words.push_back(word(scaling.bias * 65536));
    for (const Scaling& scaling : scalings) words.push_back(word(scaling.step));
    for (std::int32_t group = 0; group < groups(); ++group) {
      const auto start = [&](std::size_t even, const Pair& pair) {
        return word(start_of(even, group) + (group == 0 ? kLanes * pair.odd.bias : 0));
      };
      words.push_back(start(first, *front));
      words.push_back(start(first + 2, *back));
    }
    for (std::int32_t step = 0; step < steps_; ++step) {
      const auto two = [&](std::size_t channel) {
        return halfword(channel, step_input(step)) | halfword(channel, step_input(step) + 4) << 16;
      };
      const std::int64_t turned = two(first + 2);
      words.push_back(word(two(first) | turned << 8 | turned >> 24));
    }
    return true;
  }

  /// What the inputs' 8 adds to two channels' accumulator within a group, taken away.
  [[nodiscard]] std::int64_t start_of(std::size_t even, std::int32_t group) const {
    std::int64_t sum = 0;
    for (const auto w : group_weights(even, group)) sum += w;
    for (const auto w : group_weights(even + 1, group)) sum += kLanes * w;
    return -kZero * sum;
  }

  /// Two channels' weights of one input as nibbles 0 and 3.
  [[nodiscard]] std::int64_t halfword(std::size_t even, std::int32_t input) const {
    return (weight(even, input) + kZero) | (weight(even + 1, input) + kZero) << 12;
  }

  std::span<const std::int64_t> weights_;
  const OutputStage& stage_;
  std::size_t depth_;
  std::int32_t steps_ = 0, chunks_ = 0, group_chunks_ = 0;
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

std::vector<std::int64_t> for_nibbles(std::span<const std::int64_t> weights, OutputStage& stage) {
  // Four values of pack_matrix() are two steps, (0, 2) and (1, 3); the gathered ones are (0, 4), (1, 5), (2, 6), (3, 7).
  constexpr std::array<std::size_t, 8> kFrom = {0, 1, 4, 5, 2, 3, 6, 7};
  const std::size_t depth = weights.size() / stage.bias.size();
  std::vector<std::int64_t> ordered(weights.size());
  for (std::size_t i = 0; i < weights.size(); ++i) {
    ordered[i] = weights[i / 8 * 8 + kFrom[i % 8]];
    stage.bias[i / depth] -= kZero * weights[i];
  }
  return ordered;
}

std::optional<PackedMatrix> pack_quads(std::span<const std::int64_t> weights, const OutputStage& stage) {
  if (stage.low != -8 || stage.high != 7) return std::nullopt;
  // In a halfword w0 + 4096 * w1 of -32768 at least.
  if (std::any_of(weights.begin(), weights.end(), [](std::int64_t w) { return w < -7; })) return std::nullopt;
  const QuadPacker packer(weights, stage);
  auto packed = packer.pack(packer.hidden_way());
  return packed ? packed : packer.pack(Way::linear);
}

}  // namespace tinynas
