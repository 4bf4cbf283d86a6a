// Which source rows (or columns) a resized row reads: TensorFlow Lite's definitions of RESIZE_NEAREST_NEIGHBOR and
// RESIZE_BILINEAR.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace tinynas {

inline std::int32_t nearest_source(std::int32_t out, std::int32_t in_size, std::int32_t out_size, bool align_corners,
                                   bool half_pixel_centers) {
  const float scale = align_corners && out_size > 1 ? static_cast<float>(in_size - 1) / static_cast<float>(out_size - 1)
                                                    : static_cast<float>(in_size) / static_cast<float>(out_size);
  const float position = (static_cast<float>(out) + (half_pixel_centers ? 0.5F : 0.0F)) * scale;
  const auto source = static_cast<std::int32_t>(align_corners ? std::round(position) : std::floor(position));
  return std::clamp(source, 0, in_size - 1);
}

/// Two neighbours; in float the second weighs `fraction`, in the integer form `fraction_10` / 1024.
struct Neighbours {
  std::int32_t lower = 0, upper = 0;
  float fraction = 0;
  std::int32_t fraction_10 = 0;
};

inline Neighbours bilinear_source(std::int32_t out, std::int32_t in_size, std::int32_t out_size, bool align_corners,
                                  bool half_pixel_centers) {
  const float scale = align_corners && out_size > 1 ? static_cast<float>(in_size - 1) / static_cast<float>(out_size - 1)
                                                    : static_cast<float>(in_size) / static_cast<float>(out_size);
  const float position =
      half_pixel_centers ? (static_cast<float>(out) + 0.5F) * scale - 0.5F : static_cast<float>(out) * scale;
  Neighbours n;
  n.lower = std::max(static_cast<std::int32_t>(std::floor(position)), 0);
  n.upper = std::min(static_cast<std::int32_t>(std::ceil(position)), in_size - 1);
  n.lower = std::min(n.lower, in_size - 1);
  n.fraction = position - static_cast<float>(n.lower);
  return n;
}

inline Neighbours bilinear_source_integer(std::int32_t out, std::int32_t in_size, std::int32_t out_size, bool align_corners,
                                          bool half_pixel_centers) {
  constexpr std::int32_t kOne = 1 << 10;
  const bool align = align_corners && out_size > 1;
  const std::int32_t scale =
      align ? (kOne * (in_size - 1) + (out_size - 1) / 2) / (out_size - 1) : (kOne * in_size + out_size / 2) / out_size;
  const std::int32_t position = half_pixel_centers ? out * scale + scale / 2 - kOne / 2 : out * scale;
  Neighbours n;
  n.lower = std::min(std::max(position / kOne, 0), in_size - 1);
  n.upper = std::min((position + kOne - 1) / kOne, in_size - 1);
  n.fraction_10 = position - kOne * n.lower;
  return n;
}

}  // namespace tinynas
