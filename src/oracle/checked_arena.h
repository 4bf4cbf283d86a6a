// The checker's memory: every byte of the arena remembers which value it holds.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "oracle/plan.h"

namespace tinynas {

/// Values that a step computes: row y, or of grain pixels the pixel (y, x).
struct Place {
  std::int32_t y = 0;
  std::int32_t x = -1;  // -1: the whole row
};

class CheckedArena {
 public:
  CheckedArena(const Graph& graph, const Plan& plan);

  /// What is wrong with the plan's buffers by themselves; while there is something, no other method may be called.
  [[nodiscard]] std::vector<std::string> check_buffers();

  [[nodiscard]] bool has(std::int32_t tensor) const { return buffer_of_[static_cast<std::size_t>(tensor)] >= 0; }
  [[nodiscard]] const Buffer& buffer(std::int32_t tensor) const {
    return plan_.buffers[static_cast<std::size_t>(buffer_of_[static_cast<std::size_t>(tensor)])];
  }

  void write(std::int32_t tensor, Place place);
  [[nodiscard]] bool holds(std::int32_t tensor, Place place) const;

  /// Bytes that belong to no tensor: `owner` >= 0 puts and finds values of its own, nothing forgets what was there.
  void put(std::int64_t offset, std::int64_t bytes, std::int32_t owner);
  [[nodiscard]] bool holds_own(std::int64_t offset, std::int64_t bytes, std::int32_t owner) const;
  void forget(std::int64_t offset, std::int64_t bytes);

 private:
  using Tag = std::uint64_t;  // byte `byte` of row `row` of an owner: tensors first, then what `put` names

  static Tag tag(std::int64_t owner, std::int64_t row, std::int64_t byte);
  void check_pixel_rings(const Buffer& buffer, const std::string& name, std::vector<std::string>& problems) const;
  template <class Visit>
  void visit_bytes(std::int32_t tensor, Place place, Visit visit) const;

  const Graph& graph_;
  const Plan& plan_;
  std::vector<std::int32_t> buffer_of_;  // by tensor
  std::vector<Tag> bytes_;
};

/// The operator that alone reads the tensor, through a window; nullptr otherwise.
[[nodiscard]] const Operator* only_window_reader(const Graph& graph, std::int32_t tensor);

}  // namespace tinynas
