// Networks whose operators form a chain (each reads the output of the one before; an ADD also an earlier one), as flat
// records: what the search for the best cut needs when it is asked for millions of networks of one space.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "oracle/oracle.h"

namespace tinynas {

/// One operator. Its first input is the output of the operator before, for the first one the image.
struct ChainOperator {
  std::int32_t row_bytes = 0, bytes = 0;  // of the output
  std::int32_t scratch = 0;
  std::int32_t ring_bytes = 0;                                   // of its input, when that is a ring and closes here
  std::int32_t skip_ring_bytes = 0;                              // of an ADD's other input, which closes here
  std::int16_t rows = 1;                                         // of the output
  std::int16_t stride = 1, pad = 0, extent = 1, input_rows = 1;  // window over the rows of its input
  std::int16_t skip = 0;  // an ADD's other input is the output of the operator `skip` + 1 places before; 0: no ADD
  bool reads_all = false, accumulates = false;
  bool closes_input = true;  // no later operator reads its input
};

/// The chain's figures, each operator by itself: those of make_ring_table() and the row arithmetic of the graph. Empty when
/// the operators of the graph do not form such a chain, one of them does not work by rows, or a figure is too large.
[[nodiscard]] std::vector<ChainOperator> make_chain(const Graph& graph, const ScheduleOptions& options);

using ChainView = std::span<const ChainOperator* const>;

/// The least peak of any cut into segments of rows: the minimax of streaming.h, with nothing allocated per call.
class ChainCut {
 public:
  /// `image_bytes`: of the whole image; streamed, it is a ring. `boundaries`: operators before which a cut is tried first
  /// (the ends of blocks), ascending, without 0; any choice gives the same answer, a good one sooner.
  [[nodiscard]] std::int64_t least_peak(ChainView operators, std::span<const std::int32_t> boundaries,
                                        std::int64_t image_bytes, bool image_streamed);

 private:
  /// Rows of a reader that must be computed before row r of a later output: r * stride + shift.
  struct Progress {
    std::int32_t stride = 0, shift = 0;
  };
  /// An operator that reads the tensor given up.
  struct Reader {
    const ChainOperator* link;
    Progress progress;
    bool writes;  // it computes the segment's output
  };
  /// What sums over a segment come from, by operator: values of the operators up to it, itself included.
  struct Prefix {
    std::int64_t rings = 0, accumulators = 0;
    std::int32_t stride = 1, shift = 0;  // of rows of the first operator's output (up to a pool)
  };
  /// A block with a residual around an operator: its ADD, and the tensor that the block begins with.
  struct Skip {
    std::int32_t add = -1;
    std::int64_t bytes = 0, ring_bytes = 0;
  };
  /// The largest tensor that a segment's first operator reads; last_reader -1: nothing may be written over it.
  struct GivenUp {
    std::int64_t bytes = 0, row_bytes = 0;
    std::int32_t rows = 0, last_reader = -1;
  };

  void prepare(ChainView operators, std::int64_t image_bytes, bool image_streamed);
  void close_skip(std::size_t add);
  [[nodiscard]] GivenUp given_up_by(std::int32_t first) const;
  [[nodiscard]] Progress progress(std::int32_t reader, std::int32_t op) const;
  [[nodiscard]] std::int64_t saving(const GivenUp& given_up, std::int32_t first, std::int32_t op) const;
  [[nodiscard]] static std::int32_t freed_rows(std::span<const Reader> readers, std::int32_t height, std::int32_t row);
  [[nodiscard]] std::int64_t whole_bytes(std::int32_t first, std::int32_t op) const;
  [[nodiscard]] std::int64_t ring_bytes(std::int32_t first, std::int32_t op) const;
  void relax(std::int32_t first, std::int32_t op, std::int64_t bytes, std::int64_t limit);
  [[nodiscard]] std::int64_t each_alone() const;
  [[nodiscard]] std::int64_t shortest(std::int64_t limit, std::span<const std::int32_t> cuts);

  ChainView operators_;
  std::int64_t image_bytes_ = 0;
  bool image_streamed_ = false;
  std::int32_t pool_ = 0;           // the first operator that reads whole maps
  std::vector<std::int64_t> live_;  // by cut: bytes of the tensors from before it that are read after it
  std::vector<Prefix> prefix_;      // by operator
  std::vector<Skip> skips_;         // by operator
  std::vector<std::int64_t> peak_;  // by cut
  std::vector<std::int32_t> cuts_, fine_cuts_;
};

}  // namespace tinynas
