#include "oracle/packing/skyline.h"

#include <algorithm>
#include <limits>

namespace tinynas::packing {
namespace {

constexpr std::size_t kMostFailures = 4'000'000;  // states remembered
constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

/// SplitMix64's finaliser.
std::uint64_t mixed(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31U);
}

std::vector<std::int32_t> event_steps(std::span<const PackItem> items) {
  std::vector<std::int32_t> steps;
  for (const auto& item : items) {
    steps.push_back(item.lower);
    steps.push_back(item.upper);
  }
  std::sort(steps.begin(), steps.end());
  steps.erase(std::unique(steps.begin(), steps.end()), steps.end());
  return steps;
}

}  // namespace

SkylineSearch::SkylineSearch(std::span<const PackItem> items, std::int64_t alignment, std::int64_t capacity,
                             std::uint64_t seed)
    : offsets_(items.size(), -1), random_(seed), alignment_(alignment) {
  const auto rounded = [&](std::int64_t bytes) { return (bytes + alignment - 1) / alignment * alignment; };
  top_ = rounded(capacity);
  const auto steps = event_steps(items);
  const auto index_of = [&](std::int32_t step) {
    return static_cast<std::int32_t>(std::lower_bound(steps.begin(), steps.end(), step) - steps.begin());
  };
  starts_.resize(steps.size());
  ends_.resize(steps.size());
  sections_.resize(steps.empty() ? 0 : steps.size() - 1);
  covering_.resize(sections_.size());
  failures_.assign(sections_.size(), 1);
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto item = static_cast<std::int32_t>(i);
    const Range span{index_of(items[i].lower), index_of(items[i].upper)};
    sizes_.push_back(rounded(items[i].size));
    highest_.push_back(capacity < items[i].size ? -1 : (capacity - items[i].size) / alignment * alignment);
    spans_.push_back(span);
    starts_[static_cast<std::size_t>(span.begin)].push_back(item);
    ends_[static_cast<std::size_t>(span.end)].push_back(item);
    for (auto s = span.begin; s < span.end; ++s) covering_[static_cast<std::size_t>(s)].push_back(item);
    count_in(item, 1);
  }
}

/// Adds the item to what remains over its sections, or takes it away.
void SkylineSearch::count_in(std::int32_t item, std::int32_t sign) {
  const auto span = span_of(item);
  for (auto s = span.begin; s < span.end; ++s) {
    auto& section = at(s);
    section.remaining += sign * size_of(item);
    section.count += sign;
    if (s > span.begin) section.crossing += sign;
  }
}

void SkylineSearch::set_floor(std::int32_t s, std::int64_t floor, bool wasted) {
  trail_.push_back({-1, s, at(s).floor, at(s).wasted});
  at(s).floor = floor;
  at(s).wasted = wasted;
}

void SkylineSearch::place(std::int32_t item, std::int64_t offset) {
  offsets_[static_cast<std::size_t>(item)] = offset;
  trail_.push_back({item, -1, 0, false});
  count_in(item, -1);
  const auto span = span_of(item);
  for (auto s = span.begin; s < span.end; ++s) set_floor(s, offset + size_of(item), false);
}

void SkylineSearch::undo_to(std::size_t mark) {
  while (trail_.size() > mark) {
    const auto undo = trail_.back();
    trail_.pop_back();
    if (undo.item >= 0) {
      offsets_[static_cast<std::size_t>(undo.item)] = -1;
      count_in(undo.item, 1);
    } else {
      at(undo.section).floor = undo.floor;
      at(undo.section).wasted = undo.wasted;
    }
  }
}

Verdict SkylineSearch::run(std::uint64_t nodes, const Stop& stop) {
  for (std::size_t i = 0; i < offsets_.size(); ++i) {
    if (highest_[i] < 0) return Verdict::impossible;
  }
  const auto count = static_cast<std::int32_t>(sections_.size());
  for (std::int32_t s = 0; s < count; ++s) {
    if (slack(s) < 0) return Verdict::impossible;
  }
  stop_ = &stop;
  node_limit_ = nodes_ + nodes;
  for (auto& failures : failures_) failures = 1 + (failures - 1) / 2;
  if (failed_.size() > kMostFailures) failed_.clear();
  const auto verdict = solve({0, count});
  if (verdict != Verdict::found) undo_to(0);
  randomise_ = true;
  return verdict;
}

/// What remains in the range, split where nothing crosses, the shortest part first.
std::vector<SkylineSearch::Range> SkylineSearch::split(Range range) const {
  std::vector<Range> parts;
  std::int32_t begin = -1;
  for (auto s = range.begin; s <= range.end; ++s) {
    const bool open = s < range.end && at(s).count > 0;
    if (begin >= 0 && (!open || at(s).crossing == 0)) {
      parts.push_back({begin, s});
      begin = -1;
    }
    if (open && begin < 0) begin = s;
  }
  std::stable_sort(parts.begin(), parts.end(),
                   [](const Range& a, const Range& b) { return a.end - a.begin < b.end - b.begin; });
  return parts;
}

/// Depth first, on a stack of our own: as deep as there are buffers and wasted corners, which no thread's stack need hold.
Verdict SkylineSearch::solve(Range range) {
  std::vector<Level> levels;
  levels.push_back({.range = range, .parts = split(range)});
  auto verdict = Verdict::found;  // of the part looked at last
  while (!levels.empty()) {
    auto& level = levels.back();
    if (verdict == Verdict::undecided) return verdict;
    if (verdict == Verdict::impossible) {
      undo_to(level.mark);
      if (take_next_choice(level)) {
        verdict = Verdict::found;
        continue;
      }
      if (levels.size() > 1) note_failure(level);
      levels.pop_back();
    } else if (level.next_part < level.parts.size()) {
      verdict = enter(level.parts[level.next_part++], levels);
    } else {
      levels.pop_back();
    }
  }
  return verdict;
}

/// Begins with a part. `impossible` with a new level means that its first choice is still to be taken.
Verdict SkylineSearch::enter(Range part, std::vector<Level>& levels) {
  if (++nodes_ > node_limit_ || (nodes_ % 64 == 0 && stop_->reached())) return Verdict::undecided;
  Level level{.range = part, .mark = trail_.size(), .hash = state_hash(part)};
  if (failed_.contains(level.hash)) return Verdict::impossible;
  if (pick_corner(part, level.corner)) {
    level.choices = candidates(part, level.corner);
    level.may_waste = level.corner.may_waste;
    levels.push_back(std::move(level));
  } else {
    note_failure(level);
  }
  return Verdict::impossible;
}

/// Places the level's next candidate, or at last wastes the corner. False when nothing is left to try.
bool SkylineSearch::take_next_choice(Level& level) {
  if (level.next_choice < level.choices.size()) {
    place(level.choices[level.next_choice++], level.corner.height);
  } else if (level.may_waste) {
    level.may_waste = false;
    set_floor(level.corner.section(), level.corner.raised, true);
  } else {
    return false;
  }
  level.parts = split(level.range);
  level.next_part = 0;
  return true;
}

void SkylineSearch::note_failure(const Level& level) {
  failures_[static_cast<std::size_t>(level.corner.section())] += 1;
  if (failed_.size() < 2 * kMostFailures) failed_.insert(level.hash);
}

/// The corner with the fewest choices, those counting less that failed often. False when one has none; `best` is that one.
bool SkylineSearch::pick_corner(Range range, Corner& best) {
  best.score = std::numeric_limits<double>::max();
  for (auto begin = range.begin; begin < range.end;) {
    const auto height = at(begin).floor;
    auto end = begin + 1;
    while (end < range.end && at(end).floor == height) ++end;
    const Range valley{begin, end};
    begin = end;
    const bool walled = (valley.begin == range.begin || at(valley.begin - 1).floor > height) &&
                        (valley.end == range.end || at(valley.end).floor > height);
    if (!walled) continue;
    for (const bool left : {true, false}) {
      auto corner = look_at(range, valley, left);
      const auto ways = corner.choices + (corner.may_waste ? 1 : 0);
      if (ways == 0) {
        best = corner;
        return false;
      }
      const auto section = static_cast<std::size_t>(corner.section());
      corner.score =
          ways == 1 ? -1 : ways / failures_[section] + 1e-3 * static_cast<double>(height) / static_cast<double>(top_);
      if (corner.score < best.score) best = corner;
    }
  }
  return true;
}

SkylineSearch::Corner SkylineSearch::look_at(Range range, Range valley, bool left) const {
  Corner corner{valley, left, at(valley.begin).floor, 0, 0, false, 0};
  const auto& here = left ? starts_[static_cast<std::size_t>(valley.begin)] : ends_[static_cast<std::size_t>(valley.end)];
  for (const auto item : here) {
    const auto span = span_of(item);
    if (waiting(item) && span.begin >= valley.begin && span.end <= valley.end) ++corner.choices;
  }
  const auto room = slack(corner.section());
  if (room > 0) {
    corner.raised = next_height(range, corner);
    corner.may_waste = corner.raised - corner.height <= room;
  }
  return corner;
}

/// The least height above the corner's at which some remaining buffer over it can stand: on its walls, or on another
/// buffer of the valley.
std::int64_t SkylineSearch::next_height(Range range, const Corner& corner) const {
  const auto section = corner.section();
  const auto valley = corner.valley;
  auto on_another = kNever;  // of buffers within the valley
  for (auto s = valley.begin; s < valley.end; ++s) {
    for (const auto item : starts_[static_cast<std::size_t>(s)]) {
      const auto span = span_of(item);
      const bool over_corner = span.begin <= section && section < span.end;
      if (waiting(item) && span.end <= valley.end && !over_corner)
        on_another = std::min(on_another, corner.height + size_of(item));
    }
  }
  // A buffer across a wall stands on the wall at least.
  if (valley.begin > range.begin) on_another = std::min(on_another, at(valley.begin - 1).floor + alignment_);
  if (valley.end < range.end) on_another = std::min(on_another, at(valley.end).floor + alignment_);
  auto next = kNever;
  for (const auto item : covering_[static_cast<std::size_t>(section)]) {
    if (!waiting(item)) continue;
    const auto span = span_of(item);
    const bool within = span.begin >= valley.begin && span.end <= valley.end;
    next = std::min(next, within ? on_another : floor_under(item));
  }
  return next == kNever ? top_ + alignment_ : next;
}

std::int64_t SkylineSearch::floor_under(std::int32_t item) const {
  const auto span = span_of(item);
  std::int64_t floor = 0;
  for (auto s = span.begin; s < span.end; ++s) floor = std::max(floor, at(s).floor);
  return floor;
}

/// Whether something carries the item there: the ground, or the top of a buffer.
bool SkylineSearch::stands(std::int32_t item, std::int64_t offset) const {
  const auto span = span_of(item);
  if (offset == 0) return true;
  for (auto s = span.begin; s < span.end; ++s) {
    if (at(s).floor == offset && !at(s).wasted) return true;
  }
  return false;
}

/// The buffers that may stand in the corner, the most promising first, of equal ones one.
std::vector<std::int32_t> SkylineSearch::candidates(Range range, const Corner& corner) {
  struct Candidate {
    double preference;
    std::int32_t item;
  };
  std::vector<Candidate> found;
  const auto valley = corner.valley;
  const auto& here =
      corner.left ? starts_[static_cast<std::size_t>(valley.begin)] : ends_[static_cast<std::size_t>(valley.end)];
  for (const auto item : here) {
    const auto span = span_of(item);
    if (!waiting(item) || span.begin < valley.begin || span.end > valley.end) continue;
    const auto i = static_cast<std::size_t>(item);
    if (corner.height > highest_[i] || !stands(item, corner.height)) continue;
    const bool again = std::any_of(found.begin(), found.end(), [&](const Candidate& other) {
      const auto o = static_cast<std::size_t>(other.item);
      return spans_[o].begin == span.begin && spans_[o].end == span.end && sizes_[o] == sizes_[i] &&
             highest_[o] == highest_[i];
    });
    if (!again) found.push_back({preference(range, corner, item), item});
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const Candidate& a, const Candidate& b) { return a.preference > b.preference; });
  std::vector<std::int32_t> items;
  for (const auto& candidate : found) items.push_back(candidate.item);
  return items;
}

/// Tops that are flush with a wall first, then the full width of the valley, then wide and large ones.
double SkylineSearch::preference(Range range, const Corner& corner, std::int32_t item) {
  const auto span = span_of(item);
  const auto valley = corner.valley;
  const auto top = corner.height + size_of(item);
  double value = 0;
  if (span.begin == valley.begin && valley.begin > range.begin && at(valley.begin - 1).floor == top) value += 4;
  if (span.end == valley.end && valley.end < range.end && at(valley.end).floor == top) value += 4;
  if (span.begin == valley.begin && span.end == valley.end) value += 2;
  value += static_cast<double>(span.end - span.begin) / (valley.end - valley.begin);
  value += 0.5 * static_cast<double>(size_of(item)) / static_cast<double>(top_);
  if (randomise_) value += 3e-3 * static_cast<double>(random_() % 1000);
  return value;
}

/// Of the floors and of what remains over the range: all that decides whether it can be solved.
std::uint64_t SkylineSearch::state_hash(Range range) const {
  auto hash = mixed(static_cast<std::uint64_t>(range.begin) << 32U | static_cast<std::uint64_t>(range.end));
  for (auto s = range.begin; s < range.end; ++s) {
    const auto& section = at(s);
    const auto floor = static_cast<std::uint64_t>(section.floor) * 2 + (section.wasted ? 1 : 0);
    hash += mixed(mixed(floor) + static_cast<std::uint64_t>(s));
    for (const auto item : starts_[static_cast<std::size_t>(s)]) {
      if (waiting(item)) hash += mixed(~static_cast<std::uint64_t>(item));
    }
  }
  return hash;
}

}  // namespace tinynas::packing
