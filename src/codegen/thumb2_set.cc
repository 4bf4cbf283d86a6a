// The kernels of Armv7-M: the portable calls with faster bodies where these cover the operator's quantisation.
#include <algorithm>

#include "codegen/dsp_pack.h"
#include "codegen/kernel_call.h"
#include "codegen/portable_calls.h"
#include "oracle/kernels/scratch.h"
#include "tinynas/requantize.h"

namespace tinynas {
namespace {

using Values = std::vector<std::int64_t>;

/// A requantisation of one channel.
struct ChannelStage {
  std::int64_t bias = 0, multiplier = 0, shift = 0;

  [[nodiscard]] std::int32_t operator()(std::int64_t acc) const {
    return tn_requantize(static_cast<std::int32_t>(acc), static_cast<std::int32_t>(multiplier),
                         static_cast<std::int32_t>(shift));
  }
};

constexpr std::int64_t kInt32 = std::int64_t{1} << 31;
constexpr std::int64_t kLeastShift = -24, kGreatestShift = -2;  // of tn_thumb2_blocks

/// The stage with a shift that the kernels take and the same outputs, for a channel whose output never moves.
/// Requantisation is monotone: equal outputs at both ends of the sum's interval prove it.
std::optional<ChannelStage> simpler_stage(const Values& weights, const ChannelStage& channel, const OutputStage& stage) {
  const Interval sum = accumulator_interval(weights, channel.bias);
  const auto output = [&](std::int64_t acc) {
    return std::clamp(channel(acc) + stage.zero_point, stage.low, stage.high) - stage.zero_point;
  };
  const std::int64_t left = std::max<std::int64_t>(channel.shift, 0);
  if (sum.magnitude() >= (kInt32 >> left) || output(sum.low) != output(sum.high)) return std::nullopt;
  const std::int64_t value = output(sum.low);
  if (value == 0) return ChannelStage{channel.bias, 0, kGreatestShift};
  for (std::int64_t shift = kLeastShift; shift <= kGreatestShift; ++shift) {
    // value * 2^(e + 1), halved by the multiplier, in the middle of the sums
    const std::int64_t bias = value * (std::int64_t{1} << (1 - shift)) - (sum.low + sum.high) / 2 + channel.bias;
    const ChannelStage simple{bias, std::int64_t{1} << 30, shift};
    const Interval moved = accumulator_interval(weights, bias);
    if (moved.magnitude() < kInt32 && simple(moved.low) == value && simple(moved.high) == value) return simple;
  }
  return std::nullopt;
}

bool takes_shift(std::int64_t shift) { return shift >= kLeastShift && shift <= kGreatestShift; }

/// The operator's stage when the kernels can take it. weights: [channels][depth].
std::optional<OutputStage> stage_for_blocks(OutputStage stage, const Values& weights) {
  if (stage.low != -128 || stage.high != 127) return std::nullopt;
  const auto depth = static_cast<std::ptrdiff_t>(weights.size() / stage.bias.size());
  for (std::size_t c = 0; c < stage.bias.size(); ++c) {
    if (takes_shift(stage.shift[c])) continue;
    const auto begin = weights.begin() + static_cast<std::ptrdiff_t>(c) * depth;
    const auto simple = simpler_stage({begin, begin + depth}, {stage.bias[c], stage.multiplier[c], stage.shift[c]}, stage);
    if (!simple) return std::nullopt;
    stage.bias[c] = simple->bias;
    stage.multiplier[c] = simple->multiplier;
    stage.shift[c] = simple->shift;
  }
  return stage;
}

void set_stage(KernelCall& call, const OutputStage& stage) {
  for (auto& array : call.arrays) {
    if (array.name == "bias") array.values = stage.bias;
    if (array.name == "multiplier") array.values = stage.multiplier;
    if (array.name == "shift") array.values = stage.shift;
  }
}

/// The body of pointwise, convolution and fully connected.
void use_blocks(const KernelRequest& request, KernelCall& call) {
  const auto kernel = std::find_if(call.fields.begin(), call.fields.end(),
                                   [](const KernelField& field) { return field.value == "tn_blocks"; });
  if (kernel == call.fields.end()) return;
  const auto stage = stage_for_blocks(output_stage_of(request), constant_values(input_of(request, 1)));
  if (!stage) return;
  kernel->value = "tn_thumb2_blocks";
  call.sources.emplace_back("thumb2/blocks.S");
  set_stage(call, *stage);
}

void use_taps(const KernelRequest& request, KernelCall& call) {
  const std::int32_t channels = channels_of(output_of(request));
  if (call.function != "tn_depthwise" || channels != channels_of(input_of(request)) || channels < 4) return;
  const Values weights = transposed(constant_values(input_of(request, 1)), channels);
  const auto stage = stage_for_blocks(output_stage_of(request), weights);
  if (!stage) return;
  call.function = "tn_thumb2_depthwise";
  call.headers.emplace_back("tinynas/thumb2.h");
  call.sources = {"thumb2/depthwise.c", "thumb2/taps.S"};
  set_stage(call, *stage);
  for (auto& array : call.arrays) {
    if (array.name == "weights") array.values = in_blocks(weights, channels, 1);
  }
}

class Thumb2Kernels final : public KernelSet {
 public:
  [[nodiscard]] tn_set id() const override { return TN_SET_THUMB2; }

  [[nodiscard]] std::optional<KernelCall> choose(const KernelRequest& request) const override {
    auto call = portable_kernels().choose(request);
    use_blocks(request, *call);
    use_taps(request, *call);
    if (call->function == "tn_thumb2_depthwise") {
      const auto shape = kernel_shape(*request.graph, operator_of(request), request.rows_at_once);
      call->scratch_bytes = tn_scratch_thumb2(TN_KIND_DEPTHWISE, &shape);
    }
    return call;
  }
};

}  // namespace

const KernelSet& thumb2_kernels() {
  static const Thumb2Kernels set;
  return set;
}

}  // namespace tinynas
