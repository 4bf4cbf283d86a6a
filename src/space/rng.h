// A small random generator whose sequence is the same on every platform (the standard library's distributions are not).
#pragma once

#include <array>
#include <cstdint>

namespace tinynas {

/// xoshiro256** (Blackman and Vigna, 2018), seeded through splitmix64.
class Rng {
 public:
  using State = std::array<std::uint64_t, 4>;

  explicit Rng(std::uint64_t seed);
  /// An independent stream for a part of the work, such as one subspace: the same (seed, stream) gives the same numbers.
  Rng(std::uint64_t seed, std::uint64_t stream);

  std::uint64_t next();
  /// Uniform in [0, n), n > 0, without modulo bias.
  std::uint32_t below(std::uint32_t n);
  /// Uniform in [0, 1).
  double uniform();
  /// Standard normal (Box and Muller).
  double normal();

  [[nodiscard]] const State& state() const { return state_; }
  void set_state(const State& state) { state_ = state; }

 private:
  State state_{};
};

}  // namespace tinynas
