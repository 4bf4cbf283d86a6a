// TinyEngine's placement of activations: first fit, largest first, in-place operators taking over the address of their
// input.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tinynas {

/// One address taken over by a chain of tensors: a map, and what is computed in place of it. Kept between uses, so that
/// nothing is allocated when networks of one size follow each other.
class FirstFit {
 public:
  void clear() { used_ = 0; }

  /// A new block; its number.
  std::int32_t add_block();

  /// A tensor of `bytes` that lives during operators [lower, upper), at the block's address.
  void add_piece(std::int32_t block, std::int64_t bytes, std::int32_t lower, std::int32_t upper);

  /// The block's latest tensor lives until `upper` at least.
  void extend(std::int32_t block, std::int32_t upper);

  /// Places all blocks, equal sizes in the order of their birth; the bytes taken.
  std::int64_t place();

  /// Bytes taken while operator `op` runs; a map and what replaces it share theirs.
  [[nodiscard]] std::int64_t live_bytes(std::int32_t op) const;

 private:
  struct Piece {
    std::int64_t bytes = 0;
    std::int32_t lower = 0, upper = 0;
  };
  struct Block {
    std::vector<Piece> pieces;
    std::int64_t bytes = 0, offset = 0;  // bytes: of the largest piece
    std::int32_t lower = 0, upper = 0;   // of all pieces
  };

  [[nodiscard]] static std::int64_t above(const Block& block, const Block& other);

  std::vector<Block> blocks_;  // the first `used_` count
  std::size_t used_ = 0;
  std::vector<std::int32_t> order_;
};

}  // namespace tinynas
