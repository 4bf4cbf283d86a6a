// What a schedule decides, what the checker verifies and what the code generator emits: one value.
//
// A plan cuts the operators into segments that run one after the other. Inside a segment rows flow: the segment's first
// operator (its driver) computes its output rows from top to bottom, and after every row its readers inside the segment, in
// operator order, compute every row that has become computable, and so on depth first. An output row is computable when
// every input row that its window covers has been produced. In the first segment of a plan with a streamed image the driver
// is itself fed: a row pushed by the camera counts as a produced row of the image, and every reader of the image in that
// segment takes it, in operator order. Layer-wise execution is the plan with one operator per segment.
//
// A segment is a run of consecutive operators; each but the driver reads at least one tensor produced inside it (or the
// streamed image). What an operator needs of a row is input_rows() of graph/operators.h. A pool, mean or maximum over the
// whole map takes every input row as soon as it has been produced, whether it stands inside a segment or drives it, and
// writes its row after the last. row_mode() of oracle/rows.h says which operators work by rows; one that does not is a
// segment of its own and runs once, when all of its inputs are there (with a streamed image: after the last row).
//
// A segment of grain `pixels` works in the same way with pixels for rows: each operator computes the next pixel of its
// output as soon as every pixel under its window has been produced, and after every pixel its readers follow. A row that the
// camera pushes is taken pixel by pixel. Pixels come in raster order, or in bands where a strided window reads them
// (oracle/rows.h, Band; oracle/pixels.h says why).
//
// A tensor lies in the arena whole or as a ring: row y of the feature map in slot y % rows; in a segment of grain `pixels`
// pixel (y, x) of a map W wide in slot (y / s * W + x) % pixels[y % s] of ring y % s, the s = pixels.size() rings lying one
// after the other. Graph inputs that are not
// streamed are whole from the first segment on, graph outputs are whole until the last. Offsets are multiples of 4.
//
// Buffers that live together may share bytes: a whole tensor that a segment writes from its start on while it gives up
// another one. No row is written over a row that the row order, or the operator that is just writing, still has to read;
// kernels need not know. Only a buffer with `shares_with` >= 0 wants a kernel that works in place.
//
// A segment's scratch holds first the accumulators of its whole-map pools, in operator order, 4 bytes a channel, and after
// them one region that its other kernels share, each as large as tn_scratch_bytes() says (oracle/kernels/scratch.h asks it
// for an operator).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace tinynas {

enum class Layout : std::uint8_t {
  nhwc,  // a row is W pixels of C values
  /// A row is C planes of W values + 128, unsigned. A word holds four columns in the order 0, 2, 1, 3; the columns that the
  /// last word lacks hold the zero point. DSP kernels only (oracle/streaming/planar.h).
  planar,
};

/// What the steps of a segment compute: rows, or single pixels of feature maps (of anything else the whole row).
enum class Grain : std::uint8_t { rows, pixels };

/// A place in the arena, live during segments [first_segment, last_segment].
struct Buffer {
  std::int32_t tensor = -1;  // index into Graph::tensors; -1: scratch
  Layout layout = Layout::nhwc;
  std::int32_t rows = 0;             // rows held: the map's height when whole, fewer in a ring
  std::int64_t row_bytes = 0;        // distance of two slots
  std::vector<std::int32_t> pixels;  // slots of its rings of pixels; empty: rows. Then rows = 1 and row_bytes = bytes
  std::int64_t offset = 0;           // from the arena's start
  std::int64_t bytes = 0;
  std::int32_t first_segment = 0, last_segment = 0;
  std::int32_t shares_with = -1;  // buffer whose bytes this one takes over in place (in-place depthwise, ADD), -1: none
};

struct Segment {
  std::vector<std::int32_t> operators;  // indices, ascending
  /// Parallel to `operators` (empty: all 1; always so with grain pixels): rows that a step computes together. The operator
  /// waits until its next min(rows_at_once, rows left) rows are all computable.
  std::vector<std::int32_t> rows_at_once;
  std::int32_t scratch = -1;  // index into Plan::buffers, -1: none
  Grain grain = Grain::rows;
};

struct Plan {
  std::string schedule;
  bool image_streamed = false;  // the graph's input is a ring fed by the caller
  std::vector<Segment> segments;
  std::vector<Buffer> buffers;      // at most one per tensor, and scratch
  std::int64_t arena_bytes = 0;     // max(offset + bytes)
  std::int64_t scratch_bytes = 0;   // scratch of the segment at the peak
  std::int32_t peak_operator = -1;  // operator that runs when most is live
};

}  // namespace tinynas
