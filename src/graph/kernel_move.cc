// Operators that move values without computing, and resizing.
#include <array>
#include <cstring>

#include "graph/kernel.h"
#include "graph/resize.h"

namespace tinynas::kernels {
namespace {

std::size_t value_bytes(DType dtype) { return dtype == DType::s4 ? 1 : static_cast<std::size_t>(dtype_bits(dtype)) / 8; }

/// out[i] = in[source[i]] for values of `bytes` bytes; -1: `fill`.
Kernel gather(std::vector<std::int64_t> source, std::size_t bytes, std::array<std::uint8_t, 8> fill = {}) {
  return [source = std::move(source), bytes, fill](const Arguments& a) {
    const auto* in = a.input<std::uint8_t>(0);
    auto* out = a.out<std::uint8_t>();
    for (const std::int64_t s : source) {
      std::memcpy(out, s < 0 ? fill.data() : in + static_cast<std::size_t>(s) * bytes, bytes);
      out += bytes;
    }
  };
}

}  // namespace

Kernel make_kernel(const Context& c, const Reshape&) {
  const std::size_t bytes = static_cast<std::size_t>(element_count(c.output().shape)) * value_bytes(c.output().dtype);
  return [bytes](const Arguments& a) { std::memcpy(a.output, a.inputs[0], bytes); };
}

Kernel make_kernel(const Context& c, const Pad& op) {
  const Shape &x = c.input(0).shape, &y = c.output().shape;
  const std::size_t bytes = value_bytes(c.output().dtype);
  std::array<std::uint8_t, 8> fill{};
  if (!c.is_float() && !c.output().quantization.scale.empty()) {
    const std::int32_t zero = c.zero_point(c.output());
    std::memcpy(fill.data(), &zero, std::min(bytes, sizeof zero));
  }
  std::vector<std::int64_t> source(static_cast<std::size_t>(element_count(y)), -1);
  const std::vector<std::int64_t> stride = broadcast_strides(y, y);
  std::int64_t start = 0;
  for (std::size_t d = 0; d < y.size(); ++d) start += op.amounts[d][0] * stride[d];
  // Positions of the input within the output: the output's strides over the input's dimensions.
  std::vector<std::int32_t> position(x.size(), 0);
  const std::int64_t count = element_count(x);
  for (std::int64_t i = 0; i < count; ++i) {
    std::int64_t target = start;
    for (std::size_t d = 0; d < x.size(); ++d) target += position[d] * stride[d];
    source[target] = i;
    advance(position, x);
  }
  return gather(std::move(source), bytes, fill);
}

Kernel make_kernel(const Context& c, const Transpose& op) {
  const Shape &x = c.input(0).shape, &y = c.output().shape;
  const std::vector<std::int64_t> in_strides = broadcast_strides(x, x);
  std::vector<std::int64_t> source;
  std::vector<std::int32_t> position(y.size(), 0);
  const std::int64_t count = element_count(y);
  for (std::int64_t i = 0; i < count; ++i) {
    std::int64_t from = 0;
    for (std::size_t d = 0; d < y.size(); ++d) from += position[d] * in_strides[op.permutation[d]];
    source.push_back(from);
    advance(position, y);
  }
  return gather(std::move(source), value_bytes(c.output().dtype));
}

Kernel make_kernel(const Context& c, const Concat& op) {
  const Shape& y = c.output().shape;
  const auto axis = static_cast<std::size_t>(resolve_axis(op.axis, y.size(), c.place()));
  std::size_t outer = 1, inner = value_bytes(c.output().dtype);
  for (std::size_t d = 0; d < y.size(); ++d) {
    if (d < axis) outer *= y[d];
    if (d > axis) inner *= y[d];
  }
  std::vector<std::size_t> runs;  // contiguous bytes that each input gives in turn
  for (std::size_t i = 0; i < c.op.inputs.size(); ++i) runs.push_back(c.input(i).shape[axis] * inner);
  return [=](const Arguments& a) {
    auto* out = a.out<std::uint8_t>();
    for (std::size_t o = 0; o < outer; ++o) {
      for (std::size_t i = 0; i < runs.size(); ++i) {
        std::memcpy(out, a.input<std::uint8_t>(i) + o * runs[i], runs[i]);
        out += runs[i];
      }
    }
  };
}

Kernel make_kernel(const Context& c, const ResizeNearest& op) {
  const Shape &x = c.input(0).shape, &y = c.output().shape;
  const std::size_t pixel = value_bytes(c.output().dtype) * static_cast<std::size_t>(y[3]);
  std::vector<std::int64_t> source;
  for (std::int32_t oy = 0; oy < y[1]; ++oy) {
    const std::int32_t iy = nearest_source(oy, x[1], y[1], op.align_corners, op.half_pixel_centers);
    for (std::int32_t ox = 0; ox < y[2]; ++ox) {
      source.push_back(std::int64_t{iy} * x[2] + nearest_source(ox, x[2], y[2], op.align_corners, op.half_pixel_centers));
    }
  }
  return gather(std::move(source), pixel);
}

namespace {

struct BilinearPlan {
  std::vector<Neighbours> rows, columns;
  std::int64_t row_values, channels;  // of the input

  template <class T>
  [[nodiscard]] const T* pixel(const T* x, std::int32_t row, std::int32_t column) const {
    return x + row * row_values + column * channels;
  }
};

/// Visits every output value with its four neighbours.
template <class T, class Mix>
void bilinear(const BilinearPlan& plan, const Arguments& a, Mix mix) {
  const T* x = a.input<T>(0);
  T* out = a.out<T>();
  for (const Neighbours& r : plan.rows) {
    for (const Neighbours& c : plan.columns) {
      const T *p00 = plan.pixel(x, r.lower, c.lower), *p01 = plan.pixel(x, r.lower, c.upper);
      const T *p10 = plan.pixel(x, r.upper, c.lower), *p11 = plan.pixel(x, r.upper, c.upper);
      for (std::int64_t ch = 0; ch < plan.channels; ++ch) *out++ = mix(r, c, p00[ch], p01[ch], p10[ch], p11[ch]);
    }
  }
}

float mix_float(const Neighbours& r, const Neighbours& c, float p00, float p01, float p10, float p11) {
  return p00 * (1 - r.fraction) * (1 - c.fraction) + p10 * r.fraction * (1 - c.fraction) +
         p01 * (1 - r.fraction) * c.fraction + p11 * r.fraction * c.fraction;
}

/// Weights in 1/1024 along each side; the sum is rounded to nearest, ties away from zero.
std::int8_t mix_integer(const Neighbours& r, const Neighbours& c, std::int64_t p00, std::int64_t p01, std::int64_t p10,
                        std::int64_t p11) {
  constexpr std::int64_t kOne = 1 << 10;
  const std::int64_t sum = p00 * (kOne - r.fraction_10) * (kOne - c.fraction_10) +
                           p10 * r.fraction_10 * (kOne - c.fraction_10) + p01 * (kOne - r.fraction_10) * c.fraction_10 +
                           p11 * r.fraction_10 * c.fraction_10;
  const std::int64_t half = sum > 0 ? kOne * kOne / 2 : -kOne * kOne / 2;
  return static_cast<std::int8_t>((sum + half) / (kOne * kOne));
}

}  // namespace

Kernel make_kernel(const Context& c, const ResizeBilinear& op) {
  const Shape &x = c.input(0).shape, &y = c.output().shape;
  const auto source = c.is_float() ? bilinear_source : bilinear_source_integer;
  BilinearPlan plan{{}, {}, std::int64_t{x[2]} * x[3], x[3]};
  for (std::int32_t i = 0; i < y[1]; ++i)
    plan.rows.push_back(source(i, x[1], y[1], op.align_corners, op.half_pixel_centers));
  for (std::int32_t i = 0; i < y[2]; ++i)
    plan.columns.push_back(source(i, x[2], y[2], op.align_corners, op.half_pixel_centers));
  if (c.is_float()) return [plan](const Arguments& a) { bilinear<float>(plan, a, mix_float); };
  return [plan](const Arguments& a) { bilinear<std::int8_t>(plan, a, mix_integer); };
}

}  // namespace tinynas::kernels
