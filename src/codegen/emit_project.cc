// model.h, the host's main, build files and the manifest.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "codegen/emit.h"
#include "codegen/kernel_call.h"
#include "graph/formats.h"
#include "graph/operators.h"
#include "graph/shape.h"

namespace tinynas {

std::vector<std::string> engine_sources(const Program& program) {
  std::set<std::string> names = {"portable/move.c", "portable/ring.c"};
  if (program.cursors > 0) names.insert("portable/pixels.c");
  for (const auto& step : program.steps) names.insert(step.call.sources.begin(), step.call.sources.end());
  return {names.begin(), names.end()};
}

std::vector<std::string> engine_defines(const Program& program) {
  std::set<std::string> names;
  for (const auto& step : program.steps) names.insert(step.call.defines.begin(), step.call.defines.end());
  return {names.begin(), names.end()};
}

EndSizes end_sizes(const Program& program, std::int32_t tensor) {
  const Tensor& end = tensor_at(*program.graph, tensor);
  EndSizes sizes;
  sizes.bytes = activation_bytes(end.shape, end.dtype);
  sizes.rows = row_count(end.shape);
  sizes.row_bytes = sizes.bytes / sizes.rows;
  return sizes;
}

std::string emit_header(const Program& program) {
  const std::string& name = program.options.name;
  const auto input = end_sizes(program, program.graph->inputs.front());
  const auto output = end_sizes(program, program.graph->outputs.front());
  const bool streamed = program.image >= 0;
  const bool single = name == "model";
  std::ostringstream out;
  out << "/* " << name << ": an int8 network as C. Generated; do not edit.\n *\n";
  if (streamed) {
    out << " * The image is not stored: for every picture push its " << input.rows << " rows of " << input.row_bytes
        << " bytes from top to bottom, then\n * call " << name
        << "_run() and read the output. A pushed row is the caller's again when the call returns.\n";
  } else {
    out << " * For every picture fill " << name << "_input() (or push its " << input.rows << " rows), call " << name
        << "_run(), read the output. The\n * input's bytes are used again while the network runs.\n";
  }
  out << " * Nothing here is reentrant; there is no heap, and all working memory is the static arena. */\n"
      << "#ifndef TN_" << name << "_h\n#define TN_" << name
      << "_h\n\n#include <stdint.h>\n\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n";
  const auto define = [&](const std::string& key, std::int64_t value, const std::string& comment) {
    out << "#define " << name << "_" << key << " " << value << (comment.empty() ? "" : " /* " + comment + " */") << "\n";
    if (single) out << "#define TN_" << key << " " << name << "_" << key << "\n";
  };
  define("ARENA_BYTES", program.plan->arena_bytes, "activations, rings and scratch");
  define("IMAGE_STREAMED", streamed ? 1 : 0, "");
  define("INPUTS", static_cast<std::int64_t>(program.graph->inputs.size()), "");
  define("INPUT_BYTES", input.bytes, "of the first input");
  define("INPUT_ROWS", input.rows, "");
  define("INPUT_ROW_BYTES", input.row_bytes, "");
  define("OUTPUTS", static_cast<std::int64_t>(program.graph->outputs.size()), "");
  define("OUTPUT_BYTES", output.bytes, "of the first output");
  define("OPERATORS", static_cast<std::int64_t>(program.graph->operators.size()), "");
  out << "\n/* Once, and to give up a picture that was pushed in part. */\nvoid " << name << "_init(void);\n"
      << "/* The stored first input, " << name << "_INPUT_BYTES; NULL when the image is streamed. */\nint8_t *" << name
      << "_input(void);\n"
      << "int8_t *" << name << "_input_at(int32_t index);\n"
      << "/* The next row of the first input. */\nvoid " << name << "_push_row(const int8_t *row);\n"
      << "/* What is left to compute once the input is there. */\nvoid " << name << "_run(void);\n"
      << "/* The first output; valid until the next row is pushed or the next run. */\nint8_t *" << name
      << "_output(void);\nint8_t *" << name << "_output_at(int32_t index);\n\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n";
  return out.str();
}

std::string emit_host_main(const Program& program) {
  const std::string& name = program.options.name;
  std::ostringstream out;
  const auto table = [&](const char* key, const std::vector<std::int32_t>& tensors) {
    out << "static const long " << key << "[] = {";
    for (std::size_t i = 0; i < tensors.size(); ++i) out << (i > 0 ? ", " : "") << end_sizes(program, tensors[i]).bytes;
    out << "};\n";
  };
  out << "/* Runs the network over a file of raw inputs (all inputs of a picture, then those of the next) and writes its "
         "raw outputs.\n"
      << " * With TN_CHECK_LAYERS the CRC-32 of every operator's output for the last picture goes to standard output. */\n"
      << "#include <stdio.h>\n#include <stdlib.h>\n\n#include \"" << name
      << ".h\"\n#ifdef TN_CHECK_LAYERS\n#include \"tinynas/check.h\"\n#endif\n\n";
  table("input_bytes", program.graph->inputs);
  table("output_bytes", program.graph->outputs);
  out << R"(
static int read_stored(FILE *file) {
  for (int i = 0; i < NAME_INPUTS; ++i) {
    if (NAME_IMAGE_STREAMED && i == 0) continue;
    if (fread(NAME_input_at(i), 1, (size_t)input_bytes[i], file) != (size_t)input_bytes[i]) return 0;
  }
  return 1;
}

static int read_picture(FILE *file) {
  static int8_t row[NAME_INPUT_ROW_BYTES];
  if (!NAME_IMAGE_STREAMED) return read_stored(file);
  for (int y = 0; y < NAME_INPUT_ROWS; ++y) {
    if (fread(row, 1, sizeof row, file) != sizeof row) return 0;
    NAME_push_row(row);
  }
  return read_stored(file);
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: %s INPUTS OUTPUTS\n", argv[0]);
    return 2;
  }
  FILE *in = fopen(argv[1], "rb");
  FILE *out = in == NULL ? NULL : fopen(argv[2], "wb");
  if (out == NULL) {
    fprintf(stderr, "cannot open %s\n", in == NULL ? argv[1] : argv[2]);
    return 2;
  }
  NAME_init();
#ifdef TN_CHECK_LAYERS
  tn_check_start();
#endif
  while (read_picture(in)) {
    NAME_run();
    for (int i = 0; i < NAME_OUTPUTS; ++i) {
      if (fwrite(NAME_output_at(i), 1, (size_t)output_bytes[i], out) != (size_t)output_bytes[i]) return 1;
    }
#ifdef TN_CHECK_LAYERS
    for (int i = 0; i < NAME_OPERATORS; ++i) printf("layer %d %08lx\n", i, (unsigned long)tn_check_crc(i));
    tn_check_start();
#endif
  }
  fclose(in);
  return fclose(out) == 0 ? 0 : 1;
}
)";
  std::string text = out.str();
  for (std::size_t at = text.find("NAME_"); at != std::string::npos; at = text.find("NAME_", at))
    text.replace(at, 5, name + "_");
  return text;
}

std::string emit_makefile(const Program& program) {
  const std::string& name = program.options.name;
  std::ostringstream out;
  out << "# Builds the network for any compiler: `make` for this machine, `make CC=arm-none-eabi-gcc CPU=-mcpu=cortex-m7 lib"
      << name << ".a`\n# for a library to link into a firmware. CHECK=1 adds the CRC-32 of every layer.\n"
      << "CC ?= cc\nAR ?= ar\nCPU ?=\nOPT ?= -O2\nCFLAGS ?= -Wall -Wextra -Werror\nCHECK ?=\n"
      << "CPPFLAGS += -I. -Iengine/include\nDEFINES = ";
  for (const auto& define : engine_defines(program)) out << " -D" << define;
  out << "\nENGINE =";
  for (const auto& source : engine_sources(program)) out << " engine/" << source;
  out << "\nifneq ($(CHECK),)\nDEFINES += -DTN_CHECK_LAYERS\nENGINE += engine/portable/check.c\nendif\n"
      << "OBJECTS = " << name << ".o " << name << "_weights.o $(patsubst %.S,%.o,$(ENGINE:.c=.o))\n\n"
      << "all: " << name << "_host\n\n"
      << name << "_host: main.o $(OBJECTS)\n\t$(CC) $(CPU) $(OPT) $(LDFLAGS) -o $@ $^\n\n"
      << "lib" << name << ".a: $(OBJECTS)\n\t$(AR) rcs $@ $^\n\n"
      << "%.o: %.c\n\t$(CC) -std=c11 $(CPU) $(OPT) $(CFLAGS) $(CPPFLAGS) $(DEFINES) -ffunction-sections -fdata-sections -c "
         "-o $@ $<\n\n"
      << "%.o: %.S\n\t$(CC) $(CPU) $(CPPFLAGS) $(DEFINES) -c -o $@ $<\n\n"
      << "clean:\n\trm -f $(OBJECTS) main.o " << name << "_host lib" << name << ".a\n\n.PHONY: all clean\n";
  return out.str();
}

std::string emit_cmake(const Program& program) {
  const std::string& name = program.options.name;
  std::ostringstream out;
  out << "cmake_minimum_required(VERSION 3.20)\nproject(" << name << " C ASM)\nset(CMAKE_C_STANDARD 11)\n"
      << "if(NOT CMAKE_BUILD_TYPE)\n  set(CMAKE_BUILD_TYPE Release)\nendif()\n\n"
      << "# The network as a library; a firmware links it.\nadd_library(" << name << " STATIC\n  " << name << ".c\n  "
      << name << "_weights.c\n";
  for (const auto& source : engine_sources(program)) out << "  engine/" << source << "\n";
  out << ")\ntarget_include_directories(" << name
      << " PUBLIC ${CMAKE_CURRENT_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR}/engine/include)\n";
  for (const auto& define : engine_defines(program))
    out << "target_compile_definitions(" << name << " PRIVATE " << define << ")\n";
  out << "\nif(NOT CMAKE_CROSSCOMPILING)\n  add_executable(" << name << "_host main.c)\n  target_link_libraries(" << name
      << "_host " << name << ")\nendif()\n";
  return out.str();
}

namespace {

/// Every engine function that an operator needs: called by the network's file or named by its parameters.
std::vector<std::string> functions_of(const KernelCall& call) {
  std::vector<std::string> names = {call.function};
  for (const auto& name : {call.start, call.finish}) {
    if (!name.empty()) names.push_back(name);
  }
  for (const auto& field : call.fields) {  // bodies that the parameters point to
    const std::string name = field.value.substr(field.value.rfind('&') == 0 ? 1 : 0);
    if (name.rfind("tn_", 0) == 0) names.push_back(name);
  }
  return names;
}

}  // namespace

std::string emit_manifest(const Program& program) {
  const auto ends = [&](const std::vector<std::int32_t>& tensors) {
    auto list = nlohmann::ordered_json::array();
    for (const auto t : tensors) {
      const Tensor& tensor = tensor_at(*program.graph, t);
      nlohmann::ordered_json end = {{"name", tensor.name}, {"shape", tensor.shape}, {"dtype", dtype_name(tensor.dtype)}};
      end["bytes"] = end_sizes(program, t).bytes;
      end["scale"] = tensor.quantization.scale;
      end["zero_point"] = tensor.quantization.zero_point;
      list.push_back(std::move(end));
    }
    return list;
  };
  nlohmann::ordered_json manifest = {{"name", program.options.name},
                                     {"schedule", program.plan->schedule},
                                     {"core", program.options.core},
                                     {"image_streamed", program.image >= 0},
                                     {"arena_bytes", program.plan->arena_bytes},
                                     {"scratch_bytes", program.plan->scratch_bytes},
                                     {"weights_bytes", weights_bytes(program)},
                                     {"segments", program.segments.size()},
                                     {"rings", program.rings.size()},
                                     {"inputs", ends(program.graph->inputs)},
                                     {"outputs", ends(program.graph->outputs)},
                                     {"engine_sources", engine_sources(program)},
                                     {"engine_defines", engine_defines(program)}};
  auto operators = nlohmann::ordered_json::array();
  for (const auto& step : program.steps) {
    const Operator& op = program.graph->operators[static_cast<std::size_t>(step.op)];
    operators.push_back({{"index", step.op},
                         {"operator", operator_name(op.kind)},
                         {"name", op.name},
                         {"source_index", op.source_index},
                         {"segment", step.segment},
                         {"kernel", step.call.function},
                         {"functions", functions_of(step.call)},
                         {"params_type", step.call.params_type},
                         {"params", std::max<std::size_t>(1, step.call.parts.size())},
                         {"inputs", step.inputs.size()},
                         {"waits", step.waits.size()},
                         {"readers", step.readers.size()},
                         {"accumulates", step.call.form == CallForm::accumulate},
                         {"by_pixels", step.by_pixels},
                         {"bands", step.by_pixels && step.target.band.rows > 1},
                         {"rows_at_once", step.call.form == CallForm::rows ? step.batch : 1},
                         {"macs", operator_macs(*program.graph, op)}});
  }
  manifest["operators"] = std::move(operators);
  return manifest.dump(2) + "\n";
}

}  // namespace tinynas
