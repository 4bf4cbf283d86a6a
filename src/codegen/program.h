// A plan resolved against its graph: which kernel computes what from which rows, and when. The one thing that the emitters
// of C text read; everything is decided here.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "codegen/kernel_set.h"
#include "oracle/rows.h"

namespace tinynas {

struct ProgramOptions {
  std::string name = "model";  // prefix of every symbol and file
  std::string core;            // whose kernels run; empty: portable
  Prefer prefer = Prefer::memory;
};

/// A tn_ring: rows of a tensor as an operator sees them. `operand` rings repeat a single row (broadcast) or lie in Flash.
struct Ring {
  std::string name;
  std::string base;  // C expression of type int8_t *
  std::int64_t slot_bytes = 0;
  std::int32_t height = 1, slots = 1;
};

/// A tensor as steps by pixels see it: whole, rings of pixels, or a constant. Pixel (y, x) of the step reads or writes pixel
/// (y * stride_h - pad_top, x * stride_w - pad_left), of an operand with one row (column) always that.
struct PixelSource {
  std::string name;  // of its tn_pixel_map; empty: not in the arena
  std::string base;  // C expression of type int8_t *
  std::int32_t height = 1, width = 1;
  std::int64_t pixel_bytes = 0;
  std::vector<std::int32_t> slots;  // of its rings
  Band band;                        // of a target: the order in which it is computed
  std::int32_t stride_h = 1, stride_w = 1, pad_top = 0, pad_left = 0;
  bool may_miss = false;  // PAD: pixels outside are padding
};

/// A condition of a step: rows of `tensor`, produced in the same segment, that its last output row needs.
struct Wait {
  std::int32_t tensor = -1;
  RowAccess access;
};

struct Input {
  std::int32_t ring = -1;  // index into Program::rings
  std::int32_t stride = 1, pad = 0, extent = 1;
};

struct Step {
  std::int32_t op = -1;
  std::int32_t segment = 0;
  KernelCall call;
  std::vector<Input> inputs;  // those that the kernel reads as rows
  std::int32_t output_ring = -1;
  std::int32_t output_rows = 1, input_rows = 1;
  std::int32_t batch = 1;            // output rows a step
  std::int32_t counter = 0;          // index into the segment's row counters
  std::int64_t scratch_offset = -1;  // in the arena, -1: none
  std::vector<Wait> waits;
  std::vector<std::int32_t> readers;  // steps of the same segment that read the output, ascending
  // One pixel at a time: what `inputs` and `output_ring` are for rows.
  bool by_pixels = false;
  std::vector<PixelSource> sources;
  PixelSource target;
  std::string outside;  // C expression of what taps in the padding point to, empty: NULL
};

/// The columns that a planar ring's last words lack are filled when its segment starts.
struct Fill {
  std::int64_t offset = 0, bytes = 0;
  std::int32_t value = 0;
};

struct ProgramSegment {
  std::vector<std::int32_t> steps;  // indices into Program::steps
  std::vector<Fill> fills;
  std::vector<std::int32_t> image_readers;  // steps that read the streamed image
  bool by_pixels = false;
};

/// A constant operand of an element-wise operator.
struct Operand {
  std::string name;
  ConstantArray array;
};

struct Program {
  const Graph* graph = nullptr;
  const Plan* plan = nullptr;
  ProgramOptions options;
  std::vector<Ring> rings;
  std::vector<std::int32_t> ring_of_tensor;  // -1: not in the arena
  std::vector<std::int32_t> step_of_tensor;  // the step that produces it, -1: none
  std::vector<Step> steps;                   // one per operator, in its order
  std::vector<ProgramSegment> segments;
  std::vector<Operand> operands;
  std::int32_t image = -1;    // streamed tensor, -1: none
  PixelSource image_target;   // where a first segment by pixels keeps it
  std::int32_t counters = 0;  // row counters that the largest segment of rows needs
  std::int32_t cursors = 0;   // cursors that the largest segment of pixels needs
};

/// InputError for an operator, type or layout that no kernel of the core handles, or a plan that is not one of the graph's.
[[nodiscard]] Program make_program(const Graph& graph, const Plan& plan, const ProgramOptions& options);

}  // namespace tinynas
