#include "oracle/random_graphs.h"

namespace tinynas::testing {
namespace {

using Engine = std::mt19937_64;

std::int32_t between(Engine& engine, std::int32_t low, std::int32_t high) {
  return low + static_cast<std::int32_t>(engine() % static_cast<std::uint64_t>(high - low + 1));
}

bool chance(Engine& engine, std::int32_t percent) { return between(engine, 1, 100) <= percent; }

std::int32_t odd_kernel(Engine& engine) { return 2 * between(engine, 0, 3) + 1; }

std::int32_t bottleneck(GraphBuilder& builder, Engine& engine, std::int32_t x, std::int32_t stride) {
  const auto channels = builder.shape_of(x)[3];
  const auto mid = builder.conv(x, channels * between(engine, 1, 4), 1, 1);
  const bool residual = stride == 1 && chance(engine, 60);
  const auto deep = builder.depthwise(mid, 2 * between(engine, 1, 3) + 1, stride);
  const auto out = builder.conv(deep, residual ? channels : between(engine, 1, 12), 1, 1);
  return residual ? builder.join(x, out) : out;
}

std::int32_t squeeze(GraphBuilder& builder, std::int32_t x) {
  const auto pooled = builder.mean(x);
  const auto inner = builder.conv(pooled, 3, 1, 1);
  return builder.gate(x, builder.logistic(builder.conv(inner, builder.shape_of(x)[3], 1, 1)));
}

std::int32_t branches(GraphBuilder& builder, Engine& engine, std::int32_t x) {
  auto left = builder.conv(x, between(engine, 1, 6), odd_kernel(engine), 1);
  auto right = chance(engine, 50) ? x : builder.depthwise(x, odd_kernel(engine), 1);
  if (chance(engine, 50)) left = builder.depthwise(left, odd_kernel(engine), 1);
  if (chance(engine, 40)) right = builder.max_pool(right, 3, 1);
  const auto joined = builder.concat(left, right);
  return chance(engine, 50) ? joined : builder.conv(joined, between(engine, 1, 8), 1, 1);
}

std::int32_t any_piece(GraphBuilder& builder, Engine& engine, std::int32_t x) {
  const auto& shape = builder.shape_of(x);
  const bool large = shape[1] > 3 && shape[2] > 3;
  switch (between(engine, 0, 8)) {
    case 0:
      return builder.conv(x, between(engine, 1, 8), odd_kernel(engine), large ? between(engine, 1, 2) : 1);
    case 1:
      return builder.depthwise(x, odd_kernel(engine), large ? between(engine, 1, 3) : 1);
    case 2:
      return branches(builder, engine, x);
    case 3:
      return squeeze(builder, x);
    case 4:
      return large ? builder.max_pool(x, between(engine, 1, 3), 2) : builder.logistic(x);
    case 5:
      return large ? builder.conv(builder.pad(x, 1), between(engine, 1, 8), 1, 1) : builder.logistic(x);
    case 6:
      return chance(engine, 30) ? builder.transpose(x) : builder.logistic(x);
    default:
      return bottleneck(builder, engine, x, large ? between(engine, 1, 2) : 1);
  }
}

}  // namespace

Graph random_graph(std::uint64_t seed) {
  Engine engine(seed);
  GraphBuilder builder({1, between(engine, 2, 20), between(engine, 1, 12), between(engine, 1, 4)});
  std::int32_t x = 0;
  std::vector<std::int32_t> outputs;
  for (auto pieces = between(engine, 1, 6); pieces > 0; --pieces) {
    x = any_piece(builder, engine, x);
    if (chance(engine, 8)) outputs.push_back(x);
  }
  if (chance(engine, 60)) x = builder.classifier(chance(engine, 50) ? builder.global_pool(x) : builder.mean(x), 5);
  if (outputs.empty() || outputs.back() != x) outputs.push_back(x);
  return builder.finish(std::move(outputs));
}

Graph random_bottlenecks(std::uint64_t seed) {
  Engine engine(seed);
  const auto size = between(engine, 8, 24);
  GraphBuilder builder({1, size, size, 3});
  auto x = builder.conv(0, between(engine, 2, 6), 3, 2);
  x = builder.conv(builder.depthwise(x, 3, 1), between(engine, 2, 6), 1, 1);
  for (auto blocks = between(engine, 1, 8); blocks > 0; --blocks) {
    x = bottleneck(builder, engine, x, builder.shape_of(x)[1] > 3 && chance(engine, 30) ? 2 : 1);
  }
  return builder.finish({builder.classifier(builder.global_pool(x), 10)});
}

}  // namespace tinynas::testing
