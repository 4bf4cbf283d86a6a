#include "codegen/dsp_pack.h"

#include <gtest/gtest.h>

#include <cstddef>

#include "tinynas/constants.h"

namespace tinynas {
namespace {

constexpr std::size_t kDepth = 8, kChannels = 3;
constexpr DspPlacement kPlanar{true, 40, true};

OutputStage stage_of_shift(std::int64_t shift) {
  OutputStage stage;
  for (std::size_t c = 0; c < kChannels; ++c) {
    stage.bias.push_back(static_cast<std::int64_t>(c) - 1);
    stage.multiplier.push_back(std::int64_t{1} << 30);
    stage.shift.push_back(shift);
  }
  stage.zero_point = stage.low = -128;
  stage.high = 127;
  return stage;
}

std::vector<std::int64_t> weights_of(std::int64_t value) { return std::vector<std::int64_t>(kDepth * kChannels, value); }

TEST(PackMatrixW16, HoldsTwoWordsAStepAndLetsTheLastPairOverlap) {
  const auto packed = pack_matrix_w16(weights_of(100), 1, kDepth, stage_of_shift(-8), kPlanar);
  ASSERT_TRUE(packed.has_value());
  EXPECT_EQ(packed->steps, 4);
  EXPECT_EQ(packed->pairs, 2);
  EXPECT_EQ(packed->words.size(), static_cast<std::size_t>(tn_dsp_w16_words(4, kChannels)));
  const auto first = static_cast<std::size_t>(tn_dsp_lead(4)), second = first + TN_DSP_W16_HEADER + 8;
  EXPECT_EQ(packed->words[first + 6], 0);
  EXPECT_EQ(packed->words[second + 6], 40);  // channels 1 and 2
  EXPECT_EQ(packed->words[first + 1], packed->words[second]);
  EXPECT_EQ(packed->words[first + TN_DSP_W16_HEADER], 0x00010001 * (100 << 3));  // 2^-9 an output step: three bits to 10
}

TEST(PackMatrixW16, LeavesToOthersWhatItCannotProve) {
  EXPECT_FALSE(pack_matrix_w16(weights_of(100), 1, kDepth, stage_of_shift(-2), kPlanar).has_value());  // 9 bits more
  EXPECT_TRUE(pack_matrix_w16(weights_of(40), 1, kDepth, stage_of_shift(-2), kPlanar).has_value());
  OutputStage clamped = stage_of_shift(-8);
  clamped.high = 100;
  EXPECT_FALSE(pack_matrix_w16(weights_of(100), 1, kDepth, clamped, kPlanar).has_value());
  OutputStage linear = stage_of_shift(-8);
  linear.zero_point = 3;
  EXPECT_FALSE(pack_matrix_w16(weights_of(100), 1, kDepth, linear, kPlanar).has_value());
}

}  // namespace
}  // namespace tinynas
