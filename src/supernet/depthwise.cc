#include "supernet/depthwise.h"

#include <omp.h>

#include <algorithm>
#include <vector>

namespace tinynas::kernels {
namespace {

/// One picture's plane of 16 channels with a border of zeros.
struct Plane {
  float* data = nullptr;
  int border = 0, width = 0;  // width: with both borders, in pixels

  [[nodiscard]] float* at(int y, int x) const {
    return data + (static_cast<std::ptrdiff_t>(y + border) * width + x + border) * kLanes;
  }
};

Plane make_plane(const Buffer& buffer, int height, int width, int border) {
  const Plane plane{buffer.get(), border, width + 2 * border};
  std::fill_n(plane.data, static_cast<std::size_t>(height + 2 * border) * plane.width * kLanes, 0.0F);
  return plane;
}

/// `count` outputs along a row: sum over taps of in[offset[tap] + i * step] * weight[tap].
template <int N>
void convolve(const float* in, std::ptrdiff_t step, const std::ptrdiff_t* offsets, const float* const* weights, int taps,
              float* out, std::ptrdiff_t out_step) {
  Vec sum[N] = {};
  for (int t = 0; t < taps; ++t) {
    const Vec w = load(weights[t]);
    const float* p = in + offsets[t];
#pragma GCC unroll 16
    for (int i = 0; i < N; ++i) sum[i] += load(p + i * step) * w;
  }
#pragma GCC unroll 16
  for (int i = 0; i < N; ++i) store(out + i * out_step, sum[i]);
}

void convolve_row(const float* in, std::ptrdiff_t step, const std::ptrdiff_t* offsets, const float* const* weights, int taps,
                  float* out, std::ptrdiff_t out_step, int count) {
  int i = 0;
  for (; i + 8 <= count; i += 8) convolve<8>(in + i * step, step, offsets, weights, taps, out + i * out_step, out_step);
  if (i + 4 <= count) {
    convolve<4>(in + i * step, step, offsets, weights, taps, out + i * out_step, out_step);
    i += 4;
  }
  for (; i < count; ++i) convolve<1>(in + i * step, step, offsets, weights, taps, out + i * out_step, out_step);
}

/// weight gradient of G rows of a kernel K wide: sum over pixels of dy * z.
template <int K, int G>
void correlate(const float* dy, const BlockedShape& out, const Plane& z, int stride, int ky, float* gradient) {
  Vec sum[G][K] = {};
  for (int y = 0; y < out.height; ++y) {
    const float* g = dy + static_cast<std::ptrdiff_t>(y) * out.width * kLanes;
    const float* in = z.at(y * stride + ky - K / 2, -(K / 2));
    for (int x = 0; x < out.width; ++x, g += kLanes, in += stride * kLanes) {
      const Vec left = load(g);
#pragma GCC unroll 8
      for (int i = 0; i < G; ++i) {
#pragma GCC unroll 8
        for (int k = 0; k < K; ++k) sum[i][k] += left * load(in + (static_cast<std::ptrdiff_t>(i) * z.width + k) * kLanes);
      }
    }
  }
  for (int i = 0; i < G; ++i) {
    for (int k = 0; k < K; ++k) {
      float* to = gradient + ((ky + i) * K + k) * kLanes;
      store(to, load(to) + sum[i][k]);
    }
  }
}

void correlate_any(const float* dy, const BlockedShape& out, const Plane& z, int stride, int kernel, float* gradient) {
  for (int tap = 0; tap < kernel * kernel; ++tap) {
    Vec sum = {};
    for (int y = 0; y < out.height; ++y) {
      const float* g = dy + static_cast<std::ptrdiff_t>(y) * out.width * kLanes;
      const float* in = z.at(y * stride + tap / kernel - kernel / 2, tap % kernel - kernel / 2);
      for (int x = 0; x < out.width; ++x) sum += load(g + x * kLanes) * load(in + x * stride * kLanes);
    }
    store(gradient + tap * kLanes, load(gradient + tap * kLanes) + sum);
  }
}

void weight_gradient(const float* dy, const BlockedShape& out, const Plane& z, int stride, int kernel, float* gradient) {
  switch (kernel) {
    case 3:
      correlate<3, 3>(dy, out, z, stride, 0, gradient);
      break;
    case 5:
      correlate<5, 5>(dy, out, z, stride, 0, gradient);
      break;
    case 7:
      correlate<7, 3>(dy, out, z, stride, 0, gradient);
      correlate<7, 3>(dy, out, z, stride, 3, gradient);
      correlate<7, 1>(dy, out, z, stride, 6, gradient);
      break;
    default:
      correlate_any(dy, out, z, stride, kernel, gradient);
  }
}

/// The input plane through its BatchNorm and ReLU6, into the middle of `plane`.
void fill_input(const DepthwiseWork& work, int block, const float* x, const Plane& plane) {
  const int height = work.in.height, width = work.in.width;
  if (work.affine.scale == nullptr) {
    for (int y = 0; y < height; ++y, x += width * kLanes) std::copy_n(x, width * kLanes, plane.at(y, 0));
    return;
  }
  const Vec scale = load(work.affine.scale + block * kLanes);
  const Vec shift = load(work.affine.shift + block * kLanes);
  for (int y = 0; y < height; ++y) {
    float* to = plane.at(y, 0);
    for (int i = 0; i < width; ++i, x += kLanes, to += kLanes) store(to, relu6(scale * load(x) + shift));
  }
}

struct Taps {
  std::vector<std::ptrdiff_t> offsets;
  std::vector<const float*> weights;
};

/// The gradient by the input plane: for each phase of the stride, the taps that reach it, over the plane of dy.
void input_gradient(const DepthwiseWork& work, const float* weight, const Plane& dy, float* out) {
  const int k = work.kernel, s = work.stride, pad = k / 2;
  Taps taps;
  for (int phase_y = 0; phase_y < std::min(s, work.in.height); ++phase_y) {
    for (int phase_x = 0; phase_x < std::min(s, work.in.width); ++phase_x) {
      taps.offsets.clear();
      taps.weights.clear();
      for (int ky = (phase_y + pad) % s; ky < k; ky += s) {
        for (int kx = (phase_x + pad) % s; kx < k; kx += s) {
          const int dy_row = (phase_y + pad - ky) / s, dy_column = (phase_x + pad - kx) / s;
          taps.offsets.push_back((static_cast<std::ptrdiff_t>(dy_row) * dy.width + dy_column) * kLanes);
          taps.weights.push_back(weight + (ky * k + kx) * kLanes);
        }
      }
      const int columns = (work.in.width - phase_x + s - 1) / s;
      for (int y = phase_y, row = 0; y < work.in.height; y += s, ++row) {
        float* to = out + (static_cast<std::ptrdiff_t>(y) * work.in.width + phase_x) * kLanes;
        convolve_row(dy.at(row, 0), kLanes, taps.offsets.data(), taps.weights.data(), static_cast<int>(taps.offsets.size()),
                     to, s * kLanes, columns);
      }
    }
  }
}

void add_lanes(Vec a, Vec b, int block, int blocks, double* sums) {
  for (int l = 0; l < kLanes; ++l) {
    sums[block * kLanes + l] += a[l];
    sums[(blocks + block) * kLanes + l] += b[l];
  }
}

void gather(const std::vector<Sums>& parts, Sums& total) {
  total.assign(parts[0].size(), 0.0);
  for (const Sums& part : parts) {
    for (std::size_t i = 0; i < part.size(); ++i) total[i] += part[i];
  }
}

/// dy = BatchNorm's backward of the gradient; into the middle of `plane` and, contiguous, into `flat`.
void fill_gradient(const DepthwiseWork& work, const DepthwiseBackward& backward, int block, std::size_t at,
                   const Plane& plane, float* flat) {
  const float* g = backward.gradient + at;
  const float* value = backward.y + at;
  const Vec of_gradient = load(backward.norm.of_gradient + block * kLanes);
  const Vec of_value = load(backward.norm.of_value + block * kLanes);
  const Vec constant = load(backward.norm.constant + block * kLanes);
  for (int y = 0; y < work.out.height; ++y) {
    float* to = plane.at(y, 0);
    for (int x = 0; x < work.out.width; ++x, g += kLanes, value += kLanes, to += kLanes, flat += kLanes) {
      const Vec dy = of_gradient * load(g) + (of_value * load(value) + constant);
      store(to, dy);
      store(flat, dy);
    }
  }
}

/// ReLU6's derivative and the sums, or the residual's gradient, on one plane of the input's gradient.
void finish_input_gradient(const DepthwiseWork& work, const DepthwiseBackward& backward, int block, std::size_t at,
                           double* sums) {
  float* g = backward.x_gradient + at;
  const auto pixels = static_cast<int>(work.in.pixels());
  if (work.affine.scale != nullptr) {
    const Vec scale = load(work.affine.scale + block * kLanes);
    const Vec shift = load(work.affine.shift + block * kLanes);
    const Vec mean = load(backward.x_mean + block * kLanes);
    const float* x = work.x + at;
    Vec sum = {}, product = {};
    for (int i = 0; i < pixels; ++i) {
      const Vec value = load(x + i * kLanes);
      const Vec masked = relu6_gradient(scale * value + shift, load(g + i * kLanes));
      store(g + i * kLanes, masked);
      sum += masked;
      product += masked * (value - mean);
    }
    add_lanes(sum, product, block, work.in.blocks, sums);
  } else if (backward.added != nullptr) {
    const float* added = backward.added + at;
    for (int i = 0; i < pixels; ++i) store(g + i * kLanes, load(g + i * kLanes) + load(added + i * kLanes));
  }
}

}  // namespace

void depthwise_forward(const DepthwiseWork& work, float* y, Sums* sums) {
  const int k = work.kernel, pad = k / 2, blocks = work.in.blocks;
  const std::size_t in_plane = work.in.pixels() * kLanes, out_plane = work.out.pixels() * kLanes;
  std::vector<Sums> parts(work.threads, Sums(2 * blocks * kLanes, 0.0));
#pragma omp parallel num_threads(work.threads)
  {
    const Buffer buffer(static_cast<std::size_t>(work.in.height + 2 * pad) * (work.in.width + 2 * pad) * kLanes);
    const Plane plane = make_plane(buffer, work.in.height, work.in.width, pad);
    Taps taps{std::vector<std::ptrdiff_t>(k * k), std::vector<const float*>(k * k)};
    for (int t = 0; t < k * k; ++t) taps.offsets[t] = plane.at(t / k - pad, t % k - pad) - plane.at(0, 0);
    double* part = parts[omp_get_thread_num()].data();
#pragma omp for schedule(static)
    for (int item = 0; item < blocks * work.in.pictures; ++item) {
      const int block = item / work.in.pictures;
      fill_input(work, block, work.x + item * in_plane, plane);
      for (int t = 0; t < k * k; ++t) taps.weights[t] = work.weight + (block * k * k + t) * kLanes;
      float* out = y + item * out_plane;
      for (int row = 0; row < work.out.height; ++row) {
        convolve_row(plane.at(row * work.stride, 0), work.stride * kLanes, taps.offsets.data(), taps.weights.data(), k * k,
                     out + static_cast<std::size_t>(row) * work.out.width * kLanes, kLanes, work.out.width);
      }
      if (sums == nullptr) continue;
      Vec sum = {}, square = {};
      for (std::size_t i = 0; i < out_plane; i += kLanes) {
        const Vec v = load(out + i);
        sum += v;
        square += v * v;
      }
      add_lanes(sum, square, block, blocks, part);
    }
  }
  if (sums != nullptr) gather(parts, *sums);
}

void depthwise_backward(const DepthwiseWork& work, const DepthwiseBackward& backward) {
  const int k = work.kernel, pad = k / 2, blocks = work.in.blocks;
  const std::size_t in_plane = work.in.pixels() * kLanes, out_plane = work.out.pixels() * kLanes;
  const std::size_t weights = static_cast<std::size_t>(blocks) * k * k * kLanes;
  std::vector<Sums> parts(work.threads, Sums(2 * blocks * kLanes, 0.0));
  std::vector<Buffer> gradients;
  for (int t = 0; t < work.threads; ++t) {
    gradients.emplace_back(weights);
    std::fill_n(gradients.back().get(), weights, 0.0F);
  }
#pragma omp parallel num_threads(work.threads)
  {
    const Buffer in_buffer(static_cast<std::size_t>(work.in.height + 2 * pad) * (work.in.width + 2 * pad) * kLanes);
    const Plane z = make_plane(in_buffer, work.in.height, work.in.width, pad);
    // One pixel more than the kernel reaches: an odd last row of the input belongs to the phase of a row that is not there.
    const int border = pad + 1;
    const Buffer out_buffer(static_cast<std::size_t>(work.out.height + 2 * border) * (work.out.width + 2 * border) * kLanes);
    const Plane dy = make_plane(out_buffer, work.out.height, work.out.width, border);
    const Buffer flat(out_plane);
    const int thread = omp_get_thread_num();
#pragma omp for schedule(static)
    for (int item = 0; item < blocks * work.in.pictures; ++item) {
      const int block = item / work.in.pictures;
      fill_gradient(work, backward, block, item * out_plane, dy, flat.get());
      fill_input(work, block, work.x + item * in_plane, z);
      const std::size_t offset = static_cast<std::size_t>(block) * k * k * kLanes;
      weight_gradient(flat.get(), work.out, z, work.stride, k, gradients[thread].get() + offset);
      input_gradient(work, work.weight + offset, dy, backward.x_gradient + item * in_plane);
      finish_input_gradient(work, backward, block, item * in_plane, parts[thread].data());
    }
  }
  for (std::size_t i = 0; i < weights; ++i) {
    float sum = 0;
    for (const Buffer& part : gradients) sum += part.get()[i];
    backward.weight_gradient[i] = sum;
  }
  if (backward.sums != nullptr) gather(parts, *backward.sums);
}

}  // namespace tinynas::kernels
