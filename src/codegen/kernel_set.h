// Which kernel computes an operator on a core, and with which constants. The generator asks a kernel set; each instruction
// set (portable, DSP, Helium, Thumb-2) is one, and a set hands on to the portable one what it has no body for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "graph/fixed_point.h"
#include "graph/graph.h"
#include "oracle/oracle.h"
#include "oracle/plan.h"
#include "tinynas/scratch.h"

namespace tinynas {

/// One operator to be computed. `op` indexes graph.operators.
struct KernelRequest {
  const Graph* graph = nullptr;
  std::int32_t op = -1;
  Prefer prefer = Prefer::memory;
  Layout input = Layout::nhwc, output = Layout::nhwc;  // of the first input and the output
  std::int32_t rows_at_once = 1;
  bool in_place = false;     // depthwise whose output takes over its input's bytes, whole tensor at once
  bool accumulates = false;  // pool or mean over the whole map, fed row by row
  bool by_pixels = false;    // one pixel a call; windows come as pointers to their taps (tinynas/pixels.h)
};

/// A constant array in Flash. `type` is a C type ("int8_t", "int32_t", "uint32_t", ...); values fit it.
struct ConstantArray {
  std::string name;  // unique within the operator: "weights", "bias"; the generator prefixes it
  std::string type;
  std::vector<std::int64_t> values;
  std::int32_t alignment = 4;
};

/// A call of the vocabulary (engine/include/tinynas). `fields` initialise the params struct by name; a value may use $name
/// for an array's address: {"stage.bias", "$bias"}. Nested fields are written with dots; C99 designators accept them.
struct KernelField {
  std::string name;
  std::string value;
};

/// How the generator drives the operator.
enum class CallForm : std::uint8_t {
  rows,        // one call a step
  whole,       // one call for everything: input[0], second[0] and output[0] are the tensors' starts, y = 0, rows = 1
  accumulate,  // start at the segment's start, row for each input row, finish after the last
};

struct KernelCall {
  CallForm form = CallForm::rows;
  std::string function;       // "tn_pointwise"; with CallForm::accumulate the row function
  std::string start, finish;  // CallForm::accumulate
  std::string params_type;    // "tn_pointwise_params"
  std::vector<KernelField> fields;
  /// Concatenation: one call per input with fields of its own instead of `fields`; the step's input is that input.
  std::vector<std::vector<KernelField>> parts;
  std::int32_t columns = 1;  // x1 of the steps; x0 is 0
  std::vector<ConstantArray> arrays;
  std::vector<std::string> headers;  // "tinynas/window.h"
  std::vector<std::string> sources;  // of the engine, relative to src/engine: "portable/pointwise.c"
  std::vector<std::string> defines;  // compile definitions that the sources need, "TN_..."
  std::int64_t scratch_bytes = 0;    // equals tn_scratch_bytes of the shape
};

class KernelSet {
 public:
  virtual ~KernelSet() = default;
  [[nodiscard]] virtual tn_set id() const = 0;
  /// nullopt: this set has no body for the request; the generator then asks the portable set (layouts nhwc only).
  [[nodiscard]] virtual std::optional<KernelCall> choose(const KernelRequest& request) const = 0;
};

/// Throws InputError for an operator, data type or layout that nothing supports.
[[nodiscard]] const KernelSet& portable_kernels();
[[nodiscard]] const KernelSet& dsp_kernels();     // dsp_set.cc
[[nodiscard]] const KernelSet& helium_kernels();  // helium_set.cc
[[nodiscard]] const KernelSet& thumb2_kernels();  // thumb2_set.cc
[[nodiscard]] const KernelSet& kernels_for(tn_set set);

/// The integer values of a constant s8, s4, s32 or s16 tensor. InputError when it has no data (a graph that only describes
/// sizes).
[[nodiscard]] std::vector<std::int64_t> constant_values(const Tensor& tensor);

/// The array named `name` as a field: KernelField{field, "$name"} and the array itself.
void add_array(KernelCall& call, const std::string& field, ConstantArray array);
/// The fields of a tn_output_stage at `prefix` ("stage") with its arrays.
void add_output_stage(KernelCall& call, const std::string& prefix, const KernelRequest& request);

/// What convolutions share: per-channel requantisation with the input's zero point folded into the bias.
struct OutputStage {
  std::vector<std::int64_t> bias, multiplier, shift;
  std::int32_t zero_point = 0, low = -128, high = 127;
};
[[nodiscard]] OutputStage output_stage_of(const KernelRequest& request);

}  // namespace tinynas
