// The packer's exact search for a capacity: can these buffers be placed within so many bytes, and how?
//
// Time is cut into sections between the events of the buffers; over every section stands the top of what has been placed
// (the skyline). A valley is a run of sections of one height between higher ones. Of whatever solution, pushed down, the
// lowest remaining buffer over a corner of a valley either stands in that corner, or leaves bytes of the corner's section
// unused. So the search takes the corner with the fewest choices (buffers that begin there and end within the valley, and
// the waste that the section's slack allows), tries each, and backtracks. What remains falls apart in time and is then
// searched part by part; states that failed are remembered. Sections and the order by floors follow Moffitt, "MiniMalloc"
// (ASPLOS 2023); the branching on corners is ours.
#pragma once

#include <atomic>
#include <cstdint>
#include <random>
#include <span>
#include <unordered_set>
#include <vector>

#include "oracle/packing/packing.h"

namespace tinynas::packing {

enum class Verdict : std::uint8_t { found, impossible, undecided };

/// What may end a search early.
struct Stop {
  Clock::time_point deadline = Clock::time_point::max();
  const std::atomic<bool>* flag = nullptr;  // set by another thread

  [[nodiscard]] bool reached() const { return (flag != nullptr && flag->load()) || Clock::now() >= deadline; }
};

class SkylineSearch {
 public:
  SkylineSearch(std::span<const PackItem> items, std::int64_t alignment, std::int64_t capacity, std::uint64_t seed);

  /// Searches within `nodes` more placements. A second call restarts with other choices and what was learnt: failed states,
  /// and which corners fail often.
  [[nodiscard]] Verdict run(std::uint64_t nodes, const Stop& stop);

  /// Parallel to the items, once found.
  [[nodiscard]] const std::vector<std::int64_t>& offsets() const { return offsets_; }

 private:
  struct Range {
    std::int32_t begin = 0, end = 0;  // sections [begin, end)
  };
  struct Corner {
    Range valley;
    bool left = true;
    std::int64_t height = 0, raised = 0;  // raised: the next height at which a buffer over the corner can stand
    std::int32_t choices = 0;
    bool may_waste = false;
    double score = 0;
    [[nodiscard]] std::int32_t section() const { return left ? valley.begin : valley.end - 1; }
  };
  struct Section {
    std::int64_t floor = 0;      // nothing remaining stands lower
    std::int64_t remaining = 0;  // bytes of the buffers not placed
    std::int32_t count = 0;      // buffers not placed
    std::int32_t crossing = 0;   // of them, those that live in the section before as well
    bool wasted = false;         // the floor is not the top of a buffer
  };
  struct Undo {
    std::int32_t item = -1, section = -1;
    std::int64_t floor = 0;
    bool wasted = false;
  };

  /// A part of what remains, the choices for its corner, and the parts that the choice taken leaves.
  struct Level {
    Range range;
    Corner corner = {};
    std::size_t mark = 0;  // of the trail, before a choice
    std::uint64_t hash = 0;
    std::vector<std::int32_t> choices = {};
    std::size_t next_choice = 0;
    bool may_waste = false;
    std::vector<Range> parts = {};
    std::size_t next_part = 0;
  };

  [[nodiscard]] Section& at(std::int32_t s) { return sections_[static_cast<std::size_t>(s)]; }
  [[nodiscard]] const Section& at(std::int32_t s) const { return sections_[static_cast<std::size_t>(s)]; }
  [[nodiscard]] Range span_of(std::int32_t item) const { return spans_[static_cast<std::size_t>(item)]; }
  [[nodiscard]] bool waiting(std::int32_t item) const { return offsets_[static_cast<std::size_t>(item)] < 0; }
  [[nodiscard]] std::int64_t size_of(std::int32_t item) const { return sizes_[static_cast<std::size_t>(item)]; }
  [[nodiscard]] std::int64_t slack(std::int32_t s) const { return top_ - at(s).floor - at(s).remaining; }

  void count_in(std::int32_t item, std::int32_t sign);
  void set_floor(std::int32_t s, std::int64_t floor, bool wasted);
  void place(std::int32_t item, std::int64_t offset);
  void undo_to(std::size_t mark);
  [[nodiscard]] std::vector<Range> split(Range range) const;
  [[nodiscard]] Verdict solve(Range range);
  [[nodiscard]] Verdict enter(Range part, std::vector<Level>& levels);
  [[nodiscard]] bool take_next_choice(Level& level);
  void note_failure(const Level& level);
  [[nodiscard]] bool pick_corner(Range range, Corner& best);
  [[nodiscard]] Corner look_at(Range range, Range valley, bool left) const;
  [[nodiscard]] std::int64_t next_height(Range range, const Corner& corner) const;
  [[nodiscard]] std::int64_t floor_under(std::int32_t item) const;
  [[nodiscard]] bool stands(std::int32_t item, std::int64_t offset) const;
  [[nodiscard]] std::vector<std::int32_t> candidates(Range range, const Corner& corner);
  [[nodiscard]] double preference(Range range, const Corner& corner, std::int32_t item);
  [[nodiscard]] std::uint64_t state_hash(Range range) const;

  std::int64_t top_ = 0;                                  // capacity, rounded up
  std::vector<std::int64_t> sizes_, highest_;             // by item: bytes rounded up, highest offset
  std::vector<Range> spans_;                              // by item
  std::vector<std::vector<std::int32_t>> starts_, ends_;  // by section boundary
  std::vector<std::vector<std::int32_t>> covering_;       // by section
  std::vector<Section> sections_;
  std::vector<double> failures_;  // by section
  std::vector<std::int64_t> offsets_;
  std::vector<Undo> trail_;
  std::unordered_set<std::uint64_t> failed_;
  std::mt19937_64 random_;
  const Stop* stop_ = nullptr;
  std::uint64_t nodes_ = 0, node_limit_ = 0;
  bool randomise_ = false;
  std::int64_t alignment_ = 1;
};

}  // namespace tinynas::packing
