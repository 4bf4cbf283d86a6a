// model.c: one function per operator of a segment, called in the order of the plan.
#include <algorithm>
#include <map>
#include <sstream>

#include "codegen/emit.h"
#include "codegen/emit_pixels.h"
#include "codegen/kernel_call.h"
#include "graph/operators.h"

namespace tinynas {
namespace {

std::string number(std::int64_t value) { return std::to_string(value); }

const Ring& ring_at(const Program& program, std::int32_t index) { return program.rings[static_cast<std::size_t>(index)]; }
const Step& step_at(const Program& program, std::int32_t index) { return program.steps[static_cast<std::size_t>(index)]; }
std::string done(const Step& step) { return "done[" + number(step.counter) + "]"; }

/// Rows of a tensor that the running segment has produced so far.
std::string produced(const Program& program, std::int32_t tensor) {
  if (tensor == program.image) return "image_rows";
  const Step& step = step_at(program, program.step_of_tensor[static_cast<std::size_t>(tensor)]);
  if (step.call.form == CallForm::accumulate) return "(" + done(step) + " == " + number(step.input_rows) + " ? 1 : 0)";
  return done(step);
}

/// Addresses of rows that a step of the operator takes together.
std::int32_t pointer_count(const Step& step) {
  const std::int32_t rows = step.call.form == CallForm::rows ? std::min(step.batch, step.output_rows) : 1;
  std::int32_t most = 0;
  for (const auto& input : step.inputs) most = std::max(most, (rows - 1) * input.stride + input.extent);
  const bool second = step.inputs.size() > 1 && step.call.parts.empty();
  return rows + most + (second ? rows : 0);
}

std::string scratch(const Step& step) { return step.scratch_offset < 0 ? "NULL" : "arena + " + number(step.scratch_offset); }

std::string params(const Program& program, const Step& step) {
  return "&" + program.options.name + "_params_" + number(step.op);
}

/// Kernels that are called with the rows of rings.
std::vector<std::string> row_kernels(const Step& step) {
  if (step.call.form != CallForm::accumulate) {
    return step.by_pixels ? std::vector<std::string>{} : std::vector{step.call.function};
  }
  std::vector<std::string> kernels = {step.call.start, step.call.finish};
  if (!step.by_pixels) kernels.push_back(step.call.function);
  return kernels;
}

/// static void call_KERNEL(...) for every kernel of rows: what the operators that it computes have in common.
void write_callers(std::ostringstream& out, const Program& program) {
  struct Caller {
    std::string params_type;
    std::int32_t pointers = 0;
  };
  std::map<std::string, Caller> callers;
  for (const auto& step : program.steps) {
    for (const auto& kernel : row_kernels(step)) {
      auto& caller = callers[kernel];
      caller.params_type = step.call.params_type;
      caller.pointers = std::max(caller.pointers, pointer_count(step));
    }
  }
  for (const auto& [kernel, caller] : callers) {
    out << "static TN_NOINLINE void call_" << kernel << "(int32_t y, int32_t rows, const tn_rows *at, const "
        << caller.params_type << " *params) {\n  int8_t *pointers[" << caller.pointers << "];\n"
        << "  const tn_step step = tn_rows_step(at, y, rows, pointers);\n  " << kernel << "(&step, params);\n}\n\n";
  }
}

/// static const tn_rows `name`: where the operator's rows lie, `input` being the one that its window moves over.
void write_rows(std::ostringstream& out, const Program& program, const Step& step, const std::string& name,
                const Input& input) {
  const bool second = step.inputs.size() > 1 && step.call.parts.empty();
  out << "static const tn_rows " << name << " = {&" << ring_at(program, input.ring).name << ", "
      << (second ? "&" + ring_at(program, step.inputs[1].ring).name : "NULL") << ", &"
      << ring_at(program, step.output_ring).name << ", " << scratch(step) << ", " << step.call.columns << ", "
      << input.stride << ", " << input.pad << ", " << input.extent << "};\n";
}

/// static void compute_N(int32_t y, int32_t rows): one step of operator N.
void write_compute(std::ostringstream& out, const Program& program, const Step& step) {
  const std::string op = number(step.op);
  const auto one = [&](const Input& input, const std::string& suffix, const std::string& part) {
    write_rows(out, program, step, "rows_" + op + suffix, input);
    return "  call_" + step.call.function + "(y, rows, &rows_" + op + suffix + ", " + params(program, step) + part + ");\n";
  };
  std::string body;
  out << "/* " << step_comment(program, step) << " */\n";
  if (step.call.parts.empty()) {
    body = one(step.inputs.front(), "", "");
  } else {
    for (std::size_t i = 0; i < step.inputs.size(); ++i) {
      const std::string index = number(static_cast<std::int64_t>(i));
      body += one(step.inputs[i], "_" + index, "[" + index + "]");
    }
  }
  out << "static TN_NOINLINE void compute_" << op << "(int32_t y, int32_t rows) {\n" << body << "}\n\n";
}

/// start_N, compute_N (one input row) and finish_N of an operator that accumulates.
void write_accumulate(std::ostringstream& out, const Program& program, const Step& step) {
  const std::string op = number(step.op);
  out << "/* " << step_comment(program, step) << " */\n";
  write_rows(out, program, step, "rows_" + op, step.inputs.front());
  const auto call = [&](const std::string& name, const std::string& kernel, bool row) {
    out << "static TN_NOINLINE void " << name << "_" << op << (row ? "(int32_t y)" : "(void)") << " {\n  call_" << kernel
        << (row ? "(y" : "(0") << ", 1, &rows_" << op << ", " << params(program, step) << ");\n}\n";
  };
  call("start", step.call.start, false);
  if (step.by_pixels) {
    out << "static TN_NOINLINE void compute_" << op << "(int32_t y, int32_t x) {\n  (void)x;\n"
        << "  const int8_t *const input[1] = {" << pixel_address(step.sources[0], "y", "x") << "};\n"
        << "  const tn_step step = {input, NULL, NULL, y, 1, 0, " << step.call.columns << ", " << scratch(step) << "};\n  "
        << step.call.function << "(&step, " << params(program, step) << ");\n}\n";
  } else {
    call("compute", step.call.function, true);
  }
  call("finish", step.call.finish, false);
  out << "\n";
}

void write_check(std::ostringstream& out, const Program& program, const Step& step, const std::string& y,
                 const std::string& rows) {
  const auto tensor = program.graph->operators[static_cast<std::size_t>(step.op)].outputs.front();
  const Ring& ring = ring_at(program, step.output_ring);
  const Tensor& map = tensor_at(*program.graph, tensor);
  const Buffer* buffer = nullptr;
  for (const auto& candidate : program.plan->buffers) {
    if (candidate.tensor == tensor) buffer = &candidate;
  }
  if (buffer->layout == Layout::planar) {
    out << "    CHECK_PLANAR(" << step.op << ", &" << ring.name << ", " << y << ", " << rows << ", " << map.shape[2] << ", "
        << map.shape[3] << ");\n";
  } else {
    out << "    CHECK(" << step.op << ", &" << ring.name << ", " << y << ", " << rows << ");\n";
  }
}

std::string need(const Wait& wait, const std::string& last) {
  if (wait.access.all) return number(wait.access.height);
  const std::int32_t reach = wait.access.extent - wait.access.pad;
  const std::string rows =
      (wait.access.stride == 1 ? last : last + " * " + number(wait.access.stride)) + " + " + number(reach);
  return "needed(" + rows + ", " + number(wait.access.height) + ")";
}

void write_readers(std::ostringstream& out, const Step& step) {
  for (const auto reader : step.readers) out << "    run_" << reader << "();\n";
}

/// static void run_N(void): every step of operator N that has become computable, and after each its readers.
void write_run(std::ostringstream& out, const Program& program, const Step& step) {
  const std::string op = number(step.op), counter = done(step);
  out << "static void run_" << op << "(void) {\n";
  if (step.call.form == CallForm::accumulate) {
    const std::string height = number(step.input_rows);
    const std::string end = step.waits.empty() ? height : produced(program, step.waits.front().tensor);
    out << "  if (" << counter << " == " << height << ") return;\n  for (; " << counter << " < " << end << "; ++" << counter
        << ") {\n"
        << "    PROBE_BEGIN(" << op << ");\n    compute_" << op << "(" << counter << ");\n    PROBE_END(" << op
        << ");\n  }\n"
        << "  if (" << counter << " == " << height << ") {\n    PROBE_BEGIN(" << op << ");\n    finish_" << op
        << "();\n    PROBE_END(" << op << ");\n";
    write_check(out, program, step, "0", "1");
    write_readers(out, step);
    out << "  }\n}\n\n";
    return;
  }
  const bool whole = step.call.form == CallForm::whole;
  const std::string height = number(step.output_rows);
  std::string rows = whole ? height : number(step.batch);
  out << "  while (" << counter << " < " << height << ") {\n    const int32_t y = " << counter << ";\n";
  if (!whole && step.batch > 1) {
    out << "    const int32_t rows = " << height << " - y < " << rows << " ? " << height << " - y : " << rows << ";\n";
    rows = "rows";
  }
  const std::string last = rows == "1" ? "y" : "y + " + rows + " - 1";
  for (const auto& wait : step.waits) {
    out << "    if (" << produced(program, wait.tensor) << " < " << need(wait, rows == "1" ? "y" : "(" + last + ")")
        << ") return;\n";
  }
  out << "    PROBE_BEGIN(" << op << ");\n    compute_" << op << "(y, " << (whole ? "1" : rows) << ");\n    PROBE_END(" << op
      << ");\n";
  write_check(out, program, step, "y", rows);
  out << "    " << counter << " = y + " << rows << ";\n";
  write_readers(out, step);
  out << "  }\n}\n\n";
}

void write_segment(std::ostringstream& out, const Program& program, std::size_t index) {
  const auto& segment = program.segments[index];
  out << "/* Segment " << index << ": operators " << segment.steps.front() << " to " << segment.steps.back() << ". */\n"
      << "static void begin_" << index << "(void) {\n  "
      << (segment.by_pixels ? "tn_fill(at, 0, (int32_t)sizeof at)" : "clear_counters()") << ";\n";
  for (const auto& fill : segment.fills) {
    out << "  tn_fill(arena + " << fill.offset << ", " << fill.value << ", " << fill.bytes << ");\n";
  }
  for (const auto s : segment.steps) {
    if (step_at(program, s).call.form == CallForm::accumulate) out << "  start_" << s << "();\n";
  }
  out << "}\n\n";
}

void write_prologue(std::ostringstream& out, const Program& program, const std::string& body) {
  const std::string& name = program.options.name;
  out << "/* " << name << ": the network as calls of row kernels, in the order of its plan (" << program.plan->schedule
      << "). Generated; do not edit.\n *\n"
      << " * run_N computes every row of operator N whose input rows have been produced, and after each step calls the "
         "operators that\n"
      << " * read it. Tensors inside a segment are rings of rows in the arena; those between two segments are whole. */\n"
      << "#include \"" << name << ".h\"\n\n#include <stddef.h>\n#include <string.h>\n\n"
      << "#include \"tinynas/move.h\"\n#include \"tinynas/ring.h\"\n#include \"" << name << "_weights.h\"\n"
      << (program.cursors > 0 ? "#include \"tinynas/pixels.h\"\n\n" : "\n")
      << "#ifdef __GNUC__\n#define TN_NOINLINE __attribute__((noinline))\n#else\n#define TN_NOINLINE\n#endif\n\n"
      << "#ifdef TN_CHECK_LAYERS\n#include \"tinynas/check.h\"\n"
      << "#define CHECK(op, ring, y, rows) tn_check_rows(op, ring, y, rows)\n"
      << "#define CHECK_PLANAR(op, ring, y, rows, width, channels) tn_check_planar(op, ring, y, rows, width, channels)\n"
      << "#else\n#define CHECK(op, ring, y, rows)\n#define CHECK_PLANAR(op, ring, y, rows, width, channels)\n#endif\n\n"
      << "#ifdef TN_PROBES\n#include \"tinynas/probe.h\"\n#define PROBE_BEGIN(op) tn_probe_begin(op)\n#define PROBE_END(op) "
         "tn_probe_end(op)\n"
      << "#else\n#define PROBE_BEGIN(op)\n#define PROBE_END(op)\n#endif\n\n"
      << "static _Alignas(8) int8_t arena[" << name << "_ARENA_BYTES];\n"
      << "static int32_t image_rows; /* rows pushed */\n";
  if (program.counters > 0) {
    out << "static int32_t done[" << program.counters << "]; /* rows computed by each operator of the running segment */\n";
  }
  out << "\n";
  if (program.cursors > 0) out << pixel_declarations(program, body);
  for (const auto& ring : program.rings) {
    if (body.find("&" + ring.name + ",") == std::string::npos) continue;
    out << "static const tn_ring " << ring.name << " = {" << ring.base << ", " << ring.slot_bytes << ", " << ring.height
        << ", " << ring.slots << "};\n";
  }
  out << "\nstatic inline int32_t needed(int32_t rows, int32_t height) { return rows < height ? rows : height; }\n\n";
}

void write_push_row(std::ostringstream& out, const Program& program) {
  const std::string& name = program.options.name;
  const auto tensor = program.graph->inputs.front();
  const auto sizes = end_sizes(program, tensor);
  const Ring& ring = ring_at(program, program.ring_of_tensor[static_cast<std::size_t>(tensor)]);
  out << "void " << name << "_push_row(const int8_t *row) {\n";
  if (program.image >= 0) out << "  if (image_rows == 0) begin_0();\n";
  if (program.image >= 0 && program.segments.front().by_pixels) {
    write_pixel_push(out, program);
    out << "}\n\n";
    return;
  }
  out << "  int8_t *slot[1];\n";
  out << "  tn_ring_rows(&" << ring.name << ", image_rows, 1, slot);\n  memcpy(slot[0], row, " << sizes.row_bytes
      << ");\n  ++image_rows;\n";
  if (program.image >= 0) {
    for (const auto reader : program.segments.front().image_readers) out << "  run_" << reader << "();\n";
  }
  out << "}\n\n";
}

void write_interface(std::ostringstream& out, const Program& program) {
  const std::string& name = program.options.name;
  out << "void " << name << "_init(void) { image_rows = 0; }\n\n";
  write_push_row(out, program);
  out << "void " << name << "_run(void) {\n";
  for (std::size_t s = 0; s < program.segments.size(); ++s) {
    if (s == 0 && program.image >= 0) continue;
    out << "  begin_" << s << "();\n  run_" << program.segments[s].steps.front() << "();\n";
  }
  out << "  image_rows = 0;\n}\n\n";
  const auto pointers = [&](const char* function, const std::vector<std::int32_t>& tensors) {
    out << "int8_t *" << name << "_" << function << "_at(int32_t index) {\n  switch (index) {\n";
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      const auto ring = program.ring_of_tensor[static_cast<std::size_t>(tensors[i])];
      out << "    case " << i << ":\n      return " << (tensors[i] == program.image ? "NULL" : ring_at(program, ring).base)
          << ";\n";
    }
    out << "    default:\n      return NULL;\n  }\n}\n\n"
        << "int8_t *" << name << "_" << function << "(void) { return " << name << "_" << function << "_at(0); }\n";
  };
  pointers("input", program.graph->inputs);
  out << "\n";
  pointers("output", program.graph->outputs);
}

}  // namespace

std::string step_comment(const Program& program, const Step& step) {
  const Operator& op = program.graph->operators[static_cast<std::size_t>(step.op)];
  std::string text = number(step.op) + " " + std::string(operator_name(op.kind));
  std::string name;
  for (const char c : op.name) {
    if (c != '*' && c != '\\' && c >= ' ') name += c;
  }
  if (!name.empty()) text += " '" + name + "'";
  return text + ": " + shape_text(tensor_at(*program.graph, op.inputs.front()).shape) + " -> " +
         shape_text(tensor_at(*program.graph, op.outputs.front()).shape);
}

std::string emit_model(const Program& program) {
  std::ostringstream body;
  write_callers(body, program);
  for (const auto& step : program.steps) {
    if (step.call.form == CallForm::accumulate) {
      write_accumulate(body, program, step);
    } else if (step.by_pixels) {
      write_pixel_compute(body, program, step);
    } else {
      write_compute(body, program, step);
    }
  }
  // Readers come after what they read, so their functions are written first.
  for (auto step = program.steps.rbegin(); step != program.steps.rend(); ++step) {
    if (step->by_pixels) {
      write_pixel_run(body, program, *step);
    } else {
      write_run(body, program, *step);
    }
  }
  if (program.counters > 0)
    body << "static TN_NOINLINE void clear_counters(void) { tn_fill(done, 0, (int32_t)sizeof done); }\n\n";
  for (std::size_t s = 0; s < program.segments.size(); ++s) write_segment(body, program, s);
  write_interface(body, program);
  std::ostringstream out;
  write_prologue(out, program, body.str());
  return out.str() + body.str();
}

}  // namespace tinynas
