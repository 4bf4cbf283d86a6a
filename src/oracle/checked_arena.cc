#include "oracle/checked_arena.h"

#include <algorithm>
#include <numeric>

#include "graph/operators.h"

namespace tinynas {
namespace {

constexpr auto kNothing = ~std::uint64_t{0};

std::int64_t natural_row_bytes(const Tensor& tensor) {
  std::int64_t values = 1;
  for (const auto dimension : tensor.shape) values *= dimension;
  const auto bits = values / row_count(tensor.shape) * dtype_bits(tensor.dtype);
  return (bits + 7) / 8;
}

std::int64_t natural_pixel_bytes(const Tensor& tensor) { return natural_row_bytes(tensor) / column_count(tensor.shape); }

}  // namespace

CheckedArena::CheckedArena(const Graph& graph, const Plan& plan)
    : graph_(graph), plan_(plan), buffer_of_(graph.tensors.size(), -1) {}

std::vector<std::string> CheckedArena::check_buffers() {
  std::vector<std::string> problems;
  for (std::size_t b = 0; b < plan_.buffers.size(); ++b) {
    const auto& buffer = plan_.buffers[b];
    const auto name = "buffer " + std::to_string(b);
    const auto fail = [&](const char* what) { problems.push_back(name + what); };
    if (buffer.offset < 0 || buffer.bytes < 0 || buffer.offset + buffer.bytes > plan_.arena_bytes) fail(" leaves the arena");
    if (buffer.offset % 4 != 0) fail(" is not aligned to 4 bytes");
    if (buffer.rows < 1 || buffer.rows * buffer.row_bytes > buffer.bytes) fail(" is smaller than its rows");
    if (buffer.tensor < 0) continue;
    if (buffer.tensor >= static_cast<std::int32_t>(graph_.tensors.size())) {
      fail(" belongs to no tensor");
      continue;
    }
    auto& slot = buffer_of_[static_cast<std::size_t>(buffer.tensor)];
    if (slot >= 0) fail(": its tensor has another buffer");
    slot = static_cast<std::int32_t>(b);
    const auto& tensor = graph_.tensors[static_cast<std::size_t>(buffer.tensor)];
    if (!buffer.pixels.empty()) {
      check_pixel_rings(buffer, name, problems);
    } else if (buffer.row_bytes < natural_row_bytes(tensor)) {
      fail(" has rows smaller than the tensor's");
    }
  }
  if (problems.empty()) bytes_.assign(static_cast<std::size_t>(plan_.arena_bytes), kNothing);
  return problems;
}

void CheckedArena::check_pixel_rings(const Buffer& buffer, const std::string& name,
                                     std::vector<std::string>& problems) const {
  const auto slots = std::accumulate(buffer.pixels.begin(), buffer.pixels.end(), std::int64_t{0});
  const auto& tensor = graph_.tensors[static_cast<std::size_t>(buffer.tensor)];
  if (slots * natural_pixel_bytes(tensor) > buffer.bytes) problems.push_back(name + " is smaller than its pixels");
  const auto segments = static_cast<std::int32_t>(plan_.segments.size());
  const auto first = buffer.first_segment;
  if (first != buffer.last_segment || first < 0 || first >= segments ||
      plan_.segments[static_cast<std::size_t>(first)].grain != Grain::pixels) {
    problems.push_back(name + " is a ring of pixels outside a segment of pixels");
  }
  const auto* reader = only_window_reader(graph_, buffer.tensor);
  const auto rings = static_cast<std::int32_t>(buffer.pixels.size());
  if (rings > 1 && (reader == nullptr || kernel_window(graph_, *reader)->window.stride_h != rings)) {
    problems.push_back(name + " has several rings without a reader of that stride");
  }
}

CheckedArena::Tag CheckedArena::tag(std::int64_t owner, std::int64_t row, std::int64_t byte) {
  return static_cast<Tag>(owner) << 44U | static_cast<Tag>(row) << 28U | static_cast<Tag>(byte);
}

/// visit(arena byte, its tag when it holds this value) until that returns false.
template <class Visit>
void CheckedArena::visit_bytes(std::int32_t t, Place place, Visit visit) const {
  const auto& b = buffer(t);
  const auto& shape = graph_.tensors[static_cast<std::size_t>(t)].shape;
  const auto pixel = natural_pixel_bytes(graph_.tensors[static_cast<std::size_t>(t)]);
  auto begin = b.offset;
  auto bytes = pixel;
  auto first = std::int64_t{0};  // byte of the row
  if (b.pixels.empty()) {
    first = place.x < 0 ? 0 : place.x * pixel;
    bytes = place.x < 0 ? b.row_bytes : pixel;
    begin += place.y % b.rows * b.row_bytes + first;
  } else {
    const auto rings = static_cast<std::int32_t>(b.pixels.size());
    const auto ring = static_cast<std::size_t>(place.y % rings);
    begin +=
        std::accumulate(b.pixels.begin(), b.pixels.begin() + static_cast<std::ptrdiff_t>(ring), std::int64_t{0}) * pixel;
    if (b.pixels[ring] == 0) return (void)visit(b.offset, kNothing);  // no slot: holds nothing
    begin += (place.y / rings * column_count(shape) + place.x) % b.pixels[ring] * pixel;
    first = place.x * pixel;
  }
  for (std::int64_t i = 0; i < bytes; ++i) {
    if (!visit(begin + i, tag(t, place.y, first + i))) return;
  }
}

void CheckedArena::write(std::int32_t tensor, Place place) {
  visit_bytes(tensor, place, [&](std::int64_t at, Tag value) {
    bytes_[static_cast<std::size_t>(at)] = value;
    return true;
  });
}

bool CheckedArena::holds(std::int32_t tensor, Place place) const {
  bool all = true;
  visit_bytes(tensor, place, [&](std::int64_t at, Tag value) {
    return all = bytes_[static_cast<std::size_t>(at)] == value && value != kNothing;
  });
  return all;
}

void CheckedArena::put(std::int64_t offset, std::int64_t bytes, std::int32_t owner) {
  const auto tensors = static_cast<std::int64_t>(graph_.tensors.size());
  for (std::int64_t i = 0; i < bytes; ++i) bytes_[static_cast<std::size_t>(offset + i)] = tag(tensors + owner, 0, i);
}

bool CheckedArena::holds_own(std::int64_t offset, std::int64_t bytes, std::int32_t owner) const {
  const auto tensors = static_cast<std::int64_t>(graph_.tensors.size());
  for (std::int64_t i = 0; i < bytes; ++i) {
    if (bytes_[static_cast<std::size_t>(offset + i)] != tag(tensors + owner, 0, i)) return false;
  }
  return true;
}

void CheckedArena::forget(std::int64_t offset, std::int64_t bytes) { std::fill_n(bytes_.begin() + offset, bytes, kNothing); }

const Operator* only_window_reader(const Graph& graph, std::int32_t tensor) {
  const Operator* found = nullptr;
  for (const auto& op : graph.operators) {
    const auto uses = std::count(op.inputs.begin(), op.inputs.end(), tensor);
    if (uses == 0) continue;
    if (uses > 1 || found != nullptr || !kernel_window(graph, op)) return nullptr;
    found = &op;
  }
  return found;
}

}  // namespace tinynas
