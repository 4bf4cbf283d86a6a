#include "supernet/pointwise.h"

#include <omp.h>

#include <algorithm>
#include <cstring>

namespace tinynas::kernels {
namespace {

constexpr int kTile = 96;  // rows at a time: a tile of a wide map stays in the second-level cache

/// c[MR rows][NV blocks] = a * b over `blocks` blocks of 16 inner channels.
template <int MR, int NV>
void product(const float* a, std::size_t a_stride, int blocks, const float* b, std::size_t b_stride, float* c,
             std::size_t c_stride) {
  Vec sum[MR][NV] = {};
  for (int block = 0; block < blocks; ++block, a += a_stride, b += kLanes * kLanes) {
    for (int k = 0; k < kLanes; ++k) {
      Vec right[NV];
#pragma GCC unroll 8
      for (int j = 0; j < NV; ++j) right[j] = load(b + j * b_stride + k * kLanes);
#pragma GCC unroll 16
      for (int i = 0; i < MR; ++i) {
#pragma GCC unroll 8
        for (int j = 0; j < NV; ++j) sum[i][j] += a[i * kLanes + k] * right[j];
      }
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < MR; ++i) {
#pragma GCC unroll 8
    for (int j = 0; j < NV; ++j) store(c + j * c_stride + i * kLanes, sum[i][j]);
  }
}

template <int MR, int NV>
void product_rows(const float* a, std::size_t a_stride, int blocks, const float* b, std::size_t b_stride, float* c,
                  std::size_t c_stride, int rows) {
  int i = 0;
  for (; i + MR <= rows; i += MR) product<MR, NV>(a + i * kLanes, a_stride, blocks, b, b_stride, c + i * kLanes, c_stride);
  for (; i + 2 <= rows; i += 2) product<2, NV>(a + i * kLanes, a_stride, blocks, b, b_stride, c + i * kLanes, c_stride);
  if (i < rows) product<1, NV>(a + i * kLanes, a_stride, blocks, b, b_stride, c + i * kLanes, c_stride);
}

/// c (blocks_out blocks of `rows` rows) = a (blocks_in blocks) * packed [blocks_out][16 * blocks_in][16].
void multiply(const float* a, std::size_t a_stride, int blocks_in, const float* packed, int blocks_out, float* c,
              std::size_t c_stride, int rows) {
  const std::size_t panel = static_cast<std::size_t>(blocks_in) * kLanes * kLanes;
  int j = 0;
  for (; j + 4 <= blocks_out; j += 4) {
    product_rows<6, 4>(a, a_stride, blocks_in, packed + j * panel, panel, c + j * c_stride, c_stride, rows);
  }
  const float* b = packed + j * panel;
  float* rest = c + j * c_stride;
  switch (blocks_out - j) {
    case 3:
      product_rows<8, 3>(a, a_stride, blocks_in, b, panel, rest, c_stride, rows);
      break;
    case 2:
      product_rows<12, 2>(a, a_stride, blocks_in, b, panel, rest, c_stride, rows);
      break;
    case 1:
      product_rows<16, 1>(a, a_stride, blocks_in, b, panel, rest, c_stride, rows);
      break;
    default:
      break;
  }
}

/// c[MR][NV blocks] += sum over rows of g[row][i] * z[row][.]
template <int MR, int NV>
void outer(const float* g, const float* z, std::size_t z_stride, int rows, float* c, std::size_t c_stride) {
  Vec sum[MR][NV];
#pragma GCC unroll 16
  for (int i = 0; i < MR; ++i) {
#pragma GCC unroll 8
    for (int j = 0; j < NV; ++j) sum[i][j] = load(c + j * c_stride + i * kLanes);
  }
  for (int row = 0; row < rows; ++row) {
    Vec right[NV];
#pragma GCC unroll 8
    for (int j = 0; j < NV; ++j) right[j] = load(z + j * z_stride + row * kLanes);
#pragma GCC unroll 16
    for (int i = 0; i < MR; ++i) {
#pragma GCC unroll 8
      for (int j = 0; j < NV; ++j) sum[i][j] += g[row * kLanes + i] * right[j];
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < MR; ++i) {
#pragma GCC unroll 8
    for (int j = 0; j < NV; ++j) store(c + j * c_stride + i * kLanes, sum[i][j]);
  }
}

/// weight gradient [blocks_in][16 * blocks_out][16] += g^T z.
void accumulate_weight(const float* g, std::size_t g_stride, int blocks_out, const float* z, std::size_t z_stride,
                       int blocks_in, int rows, float* c) {
  const std::size_t c_stride = static_cast<std::size_t>(blocks_out) * kLanes * kLanes;
  for (int o = 0; o < 2 * blocks_out; ++o) {
    const float* left = g + (o / 2) * g_stride + (o % 2) * 8;
    float* to = c + o * 8 * kLanes;
    int j = 0;
    for (; j + 3 <= blocks_in; j += 3) outer<8, 3>(left, z + j * z_stride, z_stride, rows, to + j * c_stride, c_stride);
    if (blocks_in - j == 2) outer<8, 2>(left, z + j * z_stride, z_stride, rows, to + j * c_stride, c_stride);
    if (blocks_in - j == 1) outer<8, 1>(left, z + j * z_stride, z_stride, rows, to + j * c_stride, c_stride);
  }
}

/// [blocks(columns)][16 * blocks(inner)][16], zero padded: element (inner i, column c) of the right factor.
Buffer pack(const float* data, std::size_t inner_stride, std::size_t column_stride, int inner, int columns) {
  const int padded = blocks_of(inner) * kLanes;
  const std::size_t count = static_cast<std::size_t>(blocks_of(columns)) * padded * kLanes;
  Buffer buffer(count);
  std::fill_n(buffer.get(), count, 0.0F);
  for (int c = 0; c < columns; ++c) {
    float* to = buffer.get() + static_cast<std::size_t>(c / kLanes) * padded * kLanes + c % kLanes;
    for (int i = 0; i < inner; ++i) to[static_cast<std::size_t>(i) * kLanes] = data[i * inner_stride + c * column_stride];
  }
  return buffer;
}

void window_row(const Windows& w, std::size_t row, float* to, std::size_t stride) {
  const int x = static_cast<int>(row % w.out_width);
  const int y = static_cast<int>(row / w.out_width % w.out_height);
  const float* picture = w.image + row / w.out_width / w.out_height * w.height * w.width * w.channels;
  int k = 0;
  const auto put = [&](float value) {
    to[(k / kLanes) * stride + k % kLanes] = value;
    ++k;
  };
  for (int ky = 0; ky < w.kernel; ++ky) {
    const int iy = y * w.stride + ky - w.kernel / 2;
    for (int kx = 0; kx < w.kernel; ++kx) {
      const int ix = x * w.stride + kx - w.kernel / 2;
      const bool inside = iy >= 0 && iy < w.height && ix >= 0 && ix < w.width;
      const float* pixel = picture + (static_cast<std::size_t>(iy) * w.width + ix) * w.channels;
      for (int c = 0; c < w.channels; ++c) put(inside ? pixel[c] : 0.0F);
    }
  }
  while (k % kLanes != 0) put(0.0F);
}

struct Tile {
  const float* data;
  std::size_t stride;  // between blocks
};

/// Rows `first`.. as blocks: in place where nothing is to be computed, else in `scratch`.
Tile take_rows(const Rows& rows, std::size_t count, int blocks, std::size_t first, int n, float* scratch) {
  constexpr std::size_t stride = kTile * kLanes;
  if (rows.windows != nullptr) {
    for (int i = 0; i < n; ++i) window_row(*rows.windows, first + i, scratch + i * kLanes, stride);
    return {scratch, stride};
  }
  const float* from = rows.map + first * kLanes;
  if (rows.affine.scale == nullptr) return {from, count * kLanes};
  for (int b = 0; b < blocks; ++b) {
    const Vec scale = load(rows.affine.scale + b * kLanes);
    const Vec shift = load(rows.affine.shift + b * kLanes);
    const float* block = from + b * count * kLanes;
    float* to = scratch + b * stride;
    for (int i = 0; i < n; ++i) store(to + i * kLanes, relu6(scale * load(block + i * kLanes) + shift));
  }
  return {scratch, stride};
}

/// Adds sum and sum of squares per channel of a tile.
void add_squares(const float* tile, std::size_t stride, int blocks, int rows, double* sums) {
  for (int b = 0; b < blocks; ++b) {
    Vec sum = {}, square = {};
    for (int i = 0; i < rows; ++i) {
      const Vec v = load(tile + b * stride + i * kLanes);
      sum += v;
      square += v * v;
    }
    for (int l = 0; l < kLanes; ++l) {
      sums[b * kLanes + l] += sum[l];
      sums[(blocks + b) * kLanes + l] += square[l];
    }
  }
}

/// Adds up per-thread parts in order, so that the result depends on the number of threads alone.
void gather(const std::vector<Sums>& parts, Sums& total) {
  total.assign(parts[0].size(), 0.0);
  for (const Sums& part : parts) {
    for (std::size_t i = 0; i < part.size(); ++i) total[i] += part[i];
  }
}

Tile gradient_rows(const PointwiseBackward& work, int blocks, std::size_t first, int n, float* scratch) {
  const std::size_t from_stride = work.count * kLanes;
  const float* g = work.gradient + first * kLanes;
  if (work.norm.of_gradient == nullptr) return {g, from_stride};
  constexpr std::size_t stride = kTile * kLanes;
  const float* y = work.y + first * kLanes;
  for (int b = 0; b < blocks; ++b) {
    const Vec of_gradient = load(work.norm.of_gradient + b * kLanes);
    const Vec of_value = load(work.norm.of_value + b * kLanes);
    const Vec constant = load(work.norm.constant + b * kLanes);
    for (int i = 0; i < n; ++i) {
      const std::size_t at = b * from_stride + i * kLanes;
      store(scratch + b * stride + i * kLanes, of_gradient * load(g + at) + (of_value * load(y + at) + constant));
    }
  }
  return {scratch, stride};
}

/// ReLU6's derivative and the sums, or the residual's gradient, on a tile of the map's gradient.
void finish_map_gradient(const PointwiseBackward& work, int blocks, std::size_t first, int n, double* sums) {
  const std::size_t stride = work.count * kLanes;
  float* g = work.map_gradient + first * kLanes;
  if (work.rows.affine.scale != nullptr) {
    const float* map = work.rows.map + first * kLanes;
    for (int b = 0; b < blocks; ++b) {
      const Vec scale = load(work.rows.affine.scale + b * kLanes);
      const Vec shift = load(work.rows.affine.shift + b * kLanes);
      const Vec mean = load(work.map_mean + b * kLanes);
      Vec sum = {}, product_sum = {};
      for (int i = 0; i < n; ++i) {
        const std::size_t at = b * stride + i * kLanes;
        const Vec value = load(map + at);
        const Vec masked = relu6_gradient(scale * value + shift, load(g + at));
        store(g + at, masked);
        sum += masked;
        product_sum += masked * (value - mean);
      }
      for (int l = 0; l < kLanes; ++l) {
        sums[b * kLanes + l] += sum[l];
        sums[(blocks + b) * kLanes + l] += product_sum[l];
      }
    }
  } else if (work.added != nullptr) {
    const float* added = work.added + first * kLanes;
    for (int b = 0; b < blocks; ++b) {
      for (int i = 0; i < n; ++i) {
        const std::size_t at = b * stride + i * kLanes;
        store(g + at, load(g + at) + load(added + at));
      }
    }
  }
}

void write_weight_gradient(const std::vector<Buffer>& parts, const WeightView& weight, float* out) {
  const std::size_t block = static_cast<std::size_t>(blocks_of(weight.out)) * kLanes * kLanes;
  for (int o = 0; o < weight.out; ++o) {
    for (int i = 0; i < weight.in; ++i) {
      const std::size_t at = (i / kLanes) * block + static_cast<std::size_t>(o) * kLanes + i % kLanes;
      float sum = 0;
      for (const Buffer& part : parts) sum += part.get()[at];
      out[static_cast<std::size_t>(o) * weight.in + i] = sum;
    }
  }
}

}  // namespace

void pointwise_forward(std::size_t count, const Rows& rows, const WeightView& weight, float* y, Sums* sums, int threads) {
  const int in = blocks_of(weight.in), out = blocks_of(weight.out);
  const Buffer packed = pack(weight.data, weight.in_stride, weight.out_stride, weight.in, weight.out);
  const auto tiles = static_cast<std::ptrdiff_t>((count + kTile - 1) / kTile);
  std::vector<Sums> parts(threads, Sums(2 * out * kLanes, 0.0));
#pragma omp parallel num_threads(threads)
  {
    const Buffer scratch(static_cast<std::size_t>(in) * kTile * kLanes);
    double* part = parts[omp_get_thread_num()].data();
#pragma omp for schedule(static)
    for (std::ptrdiff_t t = 0; t < tiles; ++t) {
      const std::size_t first = t * kTile;
      const int n = static_cast<int>(std::min<std::size_t>(kTile, count - first));
      const Tile a = take_rows(rows, count, in, first, n, scratch.get());
      float* c = y + first * kLanes;
      multiply(a.data, a.stride, in, packed.get(), out, c, count * kLanes, n);
      if (sums != nullptr) add_squares(c, count * kLanes, out, n, part);
    }
  }
  if (sums != nullptr) gather(parts, *sums);
}

void pointwise_backward(const PointwiseBackward& work, int threads) {
  const WeightView& weight = work.weight;
  const int in = blocks_of(weight.in), out = blocks_of(weight.out);
  const std::size_t weights = static_cast<std::size_t>(in) * out * kLanes * kLanes;
  const Buffer packed = pack(weight.data, weight.out_stride, weight.in_stride, weight.out, weight.in);
  std::vector<Buffer> gradients;
  for (int t = 0; t < threads; ++t) {
    gradients.emplace_back(weights);
    std::fill_n(gradients.back().get(), weights, 0.0F);
  }
  std::vector<Sums> parts(threads, Sums(2 * in * kLanes, 0.0));
  const auto tiles = static_cast<std::ptrdiff_t>((work.count + kTile - 1) / kTile);
#pragma omp parallel num_threads(threads)
  {
    const Buffer left(static_cast<std::size_t>(in) * kTile * kLanes);
    const Buffer right(static_cast<std::size_t>(out) * kTile * kLanes);
    const int thread = omp_get_thread_num();
#pragma omp for schedule(static)
    for (std::ptrdiff_t t = 0; t < tiles; ++t) {
      const std::size_t first = t * kTile;
      const int n = static_cast<int>(std::min<std::size_t>(kTile, work.count - first));
      const Tile g = gradient_rows(work, out, first, n, right.get());
      const Tile z = take_rows(work.rows, work.count, in, first, n, left.get());
      accumulate_weight(g.data, g.stride, out, z.data, z.stride, in, n, gradients[thread].get());
      if (work.map_gradient == nullptr) continue;
      multiply(g.data, g.stride, out, packed.get(), in, work.map_gradient + first * kLanes, work.count * kLanes, n);
      finish_map_gradient(work, in, first, n, parts[thread].data());
    }
  }
  write_weight_gradient(gradients, weight, work.weight_gradient);
  if (work.sums != nullptr) gather(parts, *work.sums);
}

}  // namespace tinynas::kernels
