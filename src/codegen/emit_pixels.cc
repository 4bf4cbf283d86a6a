#include "codegen/emit_pixels.h"

#include <algorithm>

#include "codegen/emit.h"
#include "codegen/kernel_call.h"
#include "graph/operators.h"

namespace tinynas {
namespace {

std::string number(std::int64_t value) { return std::to_string(value); }

const Step& step_at(const Program& program, std::int32_t index) { return program.steps[static_cast<std::size_t>(index)]; }
std::string cursor(const Step& step) { return "at[" + number(step.counter) + "]"; }
std::string bands_name(const Step& step) { return "bands_" + number(step.op); }
bool banded(const Step& step) { return step.by_pixels && step.target.band.rows > 1; }

std::string affine(const std::string& variable, std::int32_t stride, std::int32_t pad) {
  std::string text = stride == 1 ? variable : variable + " * " + number(stride);
  if (pad != 0) text += (pad > 0 ? " - " : " + ") + number(std::abs(pad));
  return text;
}

/// Where a source is read for output pixel (y, x).
std::string read_address(const PixelSource& source) {
  const std::string row = affine("y", 1, source.pad_top), column = affine("x", 1, source.pad_left);
  const std::string address = pixel_address(source, row, column);
  if (!source.may_miss) return address;
  return "y < " + number(source.pad_top) + " || " + row + " >= " + number(source.height) + " || x < " +
         number(source.pad_left) + " || " + column + " >= " + number(source.width) + " ? NULL : " + address;
}

/// Rows (columns) of an input that the output at `variable` needs.
std::string needed(const AxisAccess& axis, const std::string& variable) {
  if (axis.all) return number(axis.size);
  return "needed(" + affine(variable, axis.stride, axis.pad - axis.extent) + ", " + number(axis.size) + ")";
}

std::string arrived(const Program& program, const Wait& wait) {
  const std::string counts = needed(wait.access.vertical(), "y") + ", " + needed(wait.access.columns, "x");
  if (wait.tensor == program.image) return "tn_pixels_there(image_at, " + counts + ")";
  const Step& producer = step_at(program, program.step_of_tensor[static_cast<std::size_t>(wait.tensor)]);
  if (producer.call.form == CallForm::accumulate) return cursor(producer) + ".y == " + number(producer.input_rows);
  if (banded(producer)) return "tn_bands_there(" + cursor(producer) + ", &" + bands_name(producer) + ", " + counts + ")";
  return "tn_pixels_there(" + cursor(producer) + ", " + counts + ")";
}

void write_readers(std::ostringstream& out, const Step& step) {
  for (const auto reader : step.readers) out << "    run_" << reader << "();\n";
}

std::string params(const Program& program, const Step& step, const std::string& part) {
  return "&" + program.options.name + "_params_" + number(step.op) + part;
}

/// Where the parameters hold the window's geometry: "geometry", or within those of the 8-bit body.
std::string geometry_field(const KernelCall& call) {
  const std::string last = ".kernel_h";
  const auto found = std::find_if(call.fields.begin(), call.fields.end(),
                                  [&](const KernelField& field) { return field.name.ends_with("geometry" + last); });
  return found->name.substr(0, found->name.size() - last.size());
}

void write_check(std::ostringstream& out, const Step& step) {
  const std::string pixel = pixel_address(step.target, "y", "x");
  out << "    CHECK_" << (banded(step) ? "BANDS" : "PIXEL") << "(" << step.op << ", " << pixel << ", "
      << step.target.pixel_bytes;
  if (banded(step)) out << ", band_" << step.op << ", &" << bands_name(step) << ", " << cursor(step);
  out << ");\n";
}

void write_accumulate_run(std::ostringstream& out, const Program& program, const Step& step) {
  const std::string at = cursor(step), height = number(step.input_rows);
  out << "  if (" << at << ".y == " << height << ") return;\n  while (" << at << ".y < " << height << ") {\n"
      << "    const int32_t y = " << at << ".y, x = " << at << ".x;\n";
  if (!step.waits.empty()) {
    Wait next = step.waits.front();  // the pixel itself
    next.access = {.tensor = next.tensor, .height = next.access.height, .columns = {.size = step.sources[0].width}};
    out << "    if (!(" << arrived(program, next) << ")) break;\n";
  }
  out << "    PROBE_BEGIN(" << step.op << ");\n    compute_" << step.op << "(y, x);\n    PROBE_END(" << step.op
      << ");\n    tn_next_pixel(&" << at << ", " << step.sources[0].width << ");\n  }\n"
      << "  if (" << at << ".y == " << height << ") {\n    PROBE_BEGIN(" << step.op << ");\n    finish_" << step.op
      << "();\n    PROBE_END(" << step.op << ");\n    CHECK_PIXEL(" << step.op << ", "
      << pixel_address(step.target, "0", "0") << ", " << step.target.pixel_bytes << ");\n";
  write_readers(out, step);
  out << "  }\n";
}

}  // namespace

std::string pixel_address(const PixelSource& source, const std::string& row, const std::string& column) {
  const bool one_row = source.height == 1, one_column = source.width == 1;
  if (source.slots.size() > 1) return "tn_pixel_at(&" + source.name + ", " + row + ", " + column + ")";
  const auto slots = source.slots.front();
  if (slots == 1 || (one_row && one_column)) return source.base;
  std::string index = one_row ? "" : "(" + row + ") * " + number(source.width);
  if (one_row) index = "(" + column + ")";
  if (!one_row && !one_column) index += " + " + column;
  if (slots < source.height * source.width)
    index = "(" + index + ") % " + number(slots);
  else if (!one_row && !one_column)
    index = "(" + index + ")";
  return source.base + " + " + index + " * " + number(source.pixel_bytes);
}

void write_pixel_compute(std::ostringstream& out, const Program& program, const Step& step) {
  const bool taps = reads_taps(step.call);
  const bool second = step.sources.size() > 1 && step.call.parts.empty();
  const std::string scratch = step.scratch_offset < 0 ? "NULL" : "arena + " + number(step.scratch_offset);
  const auto window = kernel_window(*program.graph, program.graph->operators[static_cast<std::size_t>(step.op)]);
  out << "/* " << step_comment(program, step) << " */\n"
      << "static TN_NOINLINE void compute_" << step.op << "(int32_t y, int32_t x) {\n"
      << "  const int8_t *input[" << (taps ? window->kernel_h * window->kernel_w : 1) << "];\n"
      << "  int8_t *const output[1] = {" << pixel_address(step.target, "y", "x") << "};\n";
  if (second) out << "  const int8_t *const second[1] = {" << read_address(step.sources[1]) << "};\n";
  out << "  const tn_step step = {input, " << (second ? "second" : "NULL") << ", output, y, 1, 0, " << step.call.columns
      << ", " << scratch << "};\n  (void)x;\n";
  const auto call = [&](const std::string& part) {
    out << "  " << step.call.function << "(&step, " << params(program, step, part) << ");\n";
  };
  if (taps) {
    const auto& source = step.sources[0];
    out << "  tn_pixel_taps(&" << source.name << ", " << params(program, step, "." + geometry_field(step.call)) << ", "
        << affine("y", source.stride_h, source.pad_top) << ", " << affine("x", source.stride_w, source.pad_left) << ", "
        << (step.outside.empty() ? "NULL" : step.outside) << ", input);\n";
    call("");
  } else if (step.call.parts.empty()) {
    out << "  input[0] = " << read_address(step.sources[0]) << ";\n";
    call("");
  } else {
    for (std::size_t i = 0; i < step.sources.size(); ++i) {
      out << "  input[0] = " << read_address(step.sources[i]) << ";\n";
      call("[" + number(static_cast<std::int64_t>(i)) + "]");
    }
  }
  out << "}\n\n";
}

void write_pixel_run(std::ostringstream& out, const Program& program, const Step& step) {
  out << "static void run_" << step.op << "(void) {\n";
  if (step.call.form == CallForm::accumulate) {
    write_accumulate_run(out, program, step);
    out << "}\n\n";
    return;
  }
  const std::string at = cursor(step);
  out << "  while (" << at << ".y < " << step.output_rows << ") {\n    const int32_t y = " << at << ".y, x = " << at
      << ".x;\n";
  for (const auto& wait : step.waits) out << "    if (!(" << arrived(program, wait) << ")) return;\n";
  out << "    PROBE_BEGIN(" << step.op << ");\n    compute_" << step.op << "(y, x);\n    PROBE_END(" << step.op << ");\n";
  write_check(out, step);
  if (banded(step)) {
    out << "    tn_next_in_bands(&" << at << ", &" << bands_name(step) << ");\n";
  } else {
    out << "    tn_next_pixel(&" << at << ", " << step.target.width << ");\n";
  }
  write_readers(out, step);
  out << "  }\n}\n\n";
}

void write_pixel_push(std::ostringstream& out, const Program& program) {
  const auto& image = program.image_target;
  out << "  image_at = (tn_cursor){image_rows, 0};\n  for (int32_t x = 0; x < " << image.width
      << "; ++x, row += " << image.pixel_bytes << ") {\n    memcpy(" << pixel_address(image, "image_rows", "x") << ", row, "
      << image.pixel_bytes << ");\n    tn_next_pixel(&image_at, " << image.width << ");\n";
  for (const auto reader : program.segments.front().image_readers) out << "    run_" << reader << "();\n";
  out << "  }\n  ++image_rows;\n";
}

std::string pixel_declarations(const Program& program, const std::string& body) {
  std::ostringstream out;
  const auto named = [&](const std::string& name) { return body.find("&" + name + ",") != std::string::npos; };
  out << "#ifdef TN_CHECK_LAYERS\n#define CHECK_PIXEL(op, pixel, bytes) tn_check_pixel(op, pixel, bytes)\n"
      << "#define CHECK_BANDS(op, pixel, bytes, band, bands, at) tn_check_bands(op, pixel, bytes, band, bands, at)\n"
      << "#else\n#define CHECK_PIXEL(op, pixel, bytes)\n#define CHECK_BANDS(op, pixel, bytes, band, bands, at)\n#endif\n\n"
      << "static tn_cursor at[" << program.cursors << "]; /* the next pixel of each operator of the running segment */\n";
  if (program.image >= 0 && program.segments.front().by_pixels)
    out << "static tn_cursor image_at; /* the next pixel pushed */\n";
  std::vector<std::string> done;
  const auto write_map = [&](const PixelSource& map) {
    if (map.name.empty() || !named(map.name) || std::find(done.begin(), done.end(), map.name) != done.end()) return;
    done.push_back(map.name);
    out << "static const tn_pixel_ring " << map.name << "_rings[" << map.slots.size() << "] = {";
    std::int64_t before = 0;
    for (const auto slots : map.slots) {
      out << (before > 0 ? ", " : "") << "{" << map.base << " + " << before << ", " << slots << "}";
      before += slots * map.pixel_bytes;
    }
    out << "};\nstatic const tn_pixel_map " << map.name << " = {" << map.name << "_rings, " << map.slots.size() << ", "
        << map.height << ", " << map.width << ", " << map.pixel_bytes << "};\n";
  };
  for (const auto& step : program.steps) {
    if (!step.by_pixels) continue;
    for (const auto& source : step.sources) write_map(source);
    write_map(step.target);
    if (!banded(step)) continue;
    const auto& map = step.target;
    out << "static const tn_bands " << bands_name(step) << " = {" << map.band.rows << ", " << -map.band.first << ", "
        << map.height << ", " << map.width << "};\n#ifdef TN_CHECK_LAYERS\nstatic int8_t band_" << step.op << "["
        << map.band.rows * map.width * map.pixel_bytes << "];\n#endif\n";
  }
  out << "\n";
  return out.str();
}

}  // namespace tinynas
