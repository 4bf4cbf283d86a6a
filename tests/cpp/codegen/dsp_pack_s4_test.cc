#include "codegen/dsp_pack_s4.h"

#include <gtest/gtest.h>

#include <cstddef>

#include "tinynas/dsp.h"

namespace tinynas {
namespace {

constexpr std::size_t kDepth = 96, kChannels = 4;  // 48 steps: 3 chunks

OutputStage stage_for(std::int32_t low, std::int32_t high) {
  OutputStage stage;
  for (std::size_t c = 0; c < kChannels; ++c) {
    stage.bias.push_back(static_cast<std::int64_t>(c) * 10 - 20);
    stage.multiplier.push_back(std::int64_t{1} << 30);
    stage.shift.push_back(-5);  // 2^-6 of an output step per unit of the sum
  }
  stage.zero_point = -8;
  stage.low = low;
  stage.high = high;
  return stage;
}

std::vector<std::int64_t> weights_of(std::int64_t value) { return std::vector<std::int64_t>(kDepth * kChannels, value); }

TEST(PackQuads, GroupsAreAsLongAsTheLowSumStaysWithinTwelveBits) {
  const auto group = [](std::int64_t weight) { return pack_quads(weights_of(weight), stage_for(-8, 7))->words.front(); };
  // Inputs are -8..7: 32 of them, a chunk, change the sum by -8 * 32 |w| to 7 * 32 |w|, or the other way round.
  EXPECT_EQ(group(7), 1);
  EXPECT_EQ(group(-7), 1);
  EXPECT_EQ(group(4), 2);   // -2048 is within twelve bits
  EXPECT_EQ(group(-4), 1);  // 2048 is not
  EXPECT_EQ(group(-2), 3);
  EXPECT_EQ(group(0), 3);
}

TEST(PackQuads, WordsAreHeaderStartsAndOneStepEach) {
  const auto packed = pack_quads(weights_of(7), stage_for(-8, 7));
  ASSERT_TRUE(packed.has_value());
  EXPECT_EQ(packed->steps, 48);
  EXPECT_EQ(packed->pairs, 1);
  EXPECT_EQ(packed->words.size(), 2 + 17 + 3 * 2 + 48U);
  // -8 * (4096 + 1) times the sum of 32 weights
  EXPECT_EQ(static_cast<std::int32_t>(packed->words[19]), -8 * 4097 * 7 * 32);
}

TEST(PackQuads, LeavesToOthersWhatItCannotProve) {
  EXPECT_FALSE(pack_quads(weights_of(-8), stage_for(-8, 7)).has_value());  // two in a halfword are below -32768
  EXPECT_FALSE(pack_quads(weights_of(1), stage_for(-8, 5)).has_value());   // clamped by more than saturation
  OutputStage coarse = stage_for(-8, 7);
  coarse.shift.assign(kChannels, 20);
  EXPECT_FALSE(pack_quads(weights_of(7), coarse).has_value());
}

TEST(InNibbles, HoldsTwoStepsInAWord) {
  OutputStage stage = stage_for(-128, 127);
  std::vector<std::int64_t> weights;
  for (std::size_t i = 0; i < 8 * kChannels; ++i) weights.push_back(static_cast<std::int64_t>(i % 15) - 7);
  const PackedMatrix wide = pack_matrix(weights, 1, 8, stage, {});
  const PackedMatrix packed = in_nibbles(wide);
  const auto lead = static_cast<std::size_t>(tn_dsp_lead(wide.steps));
  EXPECT_EQ(packed.words.size(), (wide.words.size() - lead) - 2 * static_cast<std::size_t>(wide.steps) / 2);
  for (std::int32_t pair = 0; pair < wide.pairs; ++pair) {
    for (std::int32_t step = 0; step < wide.steps; ++step) {
      const auto word = packed.words[static_cast<std::size_t>(pair * (10 + wide.steps / 2) + 10 + step / 2)];
      const auto bytes = static_cast<std::uint32_t>(word >> (step % 2 * 4)) & 0x0F0F0F0FU;
      const auto expected =
          static_cast<std::uint32_t>(wide.words[lead + static_cast<std::size_t>(pair * (10 + wide.steps) + 10 + step)]);
      const auto half = [](std::uint32_t value) { return static_cast<std::uint16_t>((value & 0xffffU) - 0x0808U); };
      EXPECT_EQ(half(bytes), expected & 0xffffU);
      EXPECT_EQ(half(bytes >> 16), expected >> 16);
    }
  }
}

}  // namespace
}  // namespace tinynas
