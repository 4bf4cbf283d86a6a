// Calls that compute one pixel at a time: the portable calls of rows with windows as pointers to their taps.
#include <algorithm>
#include <array>

#include "codegen/kernel_call.h"
#include "oracle/kernels/scratch.h"
#include "oracle/rows.h"

namespace tinynas {
namespace {

struct PixelBody {
  const char *rows, *rows_source, *pixel, *pixel_source;
};

/// Kernels of windows and the bodies that take their place.
constexpr std::array<PixelBody, 8> kBodies{{
    {"tn_conv2d", "portable/conv2d.c", "tn_conv2d_pixel", "portable/pixel_conv.c"},
    {"tn_depthwise", "portable/depthwise.c", "tn_depthwise_pixel", "portable/pixel_depthwise.c"},
    {"tn_average_pool", "portable/pool.c", "tn_average_pool_pixel", "portable/pixel_pool.c"},
    {"tn_max_pool", "portable/pool.c", "tn_max_pool_pixel", "portable/pixel_pool.c"},
    {"tn_conv2d_s4", "portable/conv2d_s4.c", "tn_conv2d_pixel_s4", "portable/pixel_conv_s4.c"},
    {"tn_depthwise_s4", "portable/depthwise_s4.c", "tn_depthwise_pixel_s4", "portable/pixel_depthwise_s4.c"},
    {"tn_average_pool_s4", "portable/pool_s4.c", "tn_average_pool_pixel_s4", "portable/pixel_pool_s4.c"},
    {"tn_max_pool_s4", "portable/pool_s4.c", "tn_max_pool_pixel_s4", "portable/pixel_pool_s4.c"},
}};

void set_field(KernelCall& call, const std::string& name, std::int64_t value) {
  for (auto& field : call.fields) {
    if (field.name == name) field.value = std::to_string(value);
  }
}

}  // namespace

bool reads_taps(const KernelCall& call) {
  return std::any_of(kBodies.begin(), kBodies.end(), [&](const PixelBody& body) { return call.function == body.pixel; });
}

void compute_by_pixels(KernelCall& call, const KernelRequest& request) {
  const bool map = output_of(request).shape.size() == 4;
  if (call.form == CallForm::rows && map) call.columns = 1;
  if (call.form == CallForm::accumulate) set_field(call, "width", 1);
  if (std::holds_alternative<Pad>(operator_of(request).kind)) {  // columns of padding come as NULL, like rows
    set_field(call, "input_w", 1);
    set_field(call, "left", 0);
  }
  for (const auto& body : kBodies) {
    if (call.function != body.rows) continue;
    call.function = body.pixel;
    call.sources.erase(std::remove(call.sources.begin(), call.sources.end(), body.rows_source), call.sources.end());
    call.sources.emplace_back(body.pixel_source);
    call.headers.emplace_back("tinynas/pixels.h");
    if (call.function == "tn_conv2d_pixel") call.sources.emplace_back("portable/pointwise.c");  // it goes on to the 1x1
    break;
  }
}

}  // namespace tinynas
