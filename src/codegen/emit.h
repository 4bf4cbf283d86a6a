// C text of a program, file by file.
#pragma once

#include <string>

#include "codegen/program.h"

namespace tinynas {

/// Sizes of the graph's ends, as both the header and the manifest state them.
struct EndSizes {
  std::int64_t bytes = 0, row_bytes = 0;
  std::int32_t rows = 1;
};
[[nodiscard]] EndSizes end_sizes(const Program& program, std::int32_t tensor);

/// Bytes of all constant arrays, parameter structs not counted.
[[nodiscard]] std::int64_t weights_bytes(const Program& program);

[[nodiscard]] std::string emit_header(const Program& program);          // <name>.h
[[nodiscard]] std::string emit_model(const Program& program);           // <name>.c
[[nodiscard]] std::string emit_weights_header(const Program& program);  // <name>_weights.h
[[nodiscard]] std::string emit_weights(const Program& program);         // <name>_weights.c
[[nodiscard]] std::string emit_host_main(const Program& program);       // main.c
[[nodiscard]] std::string emit_makefile(const Program& program);        // Makefile
[[nodiscard]] std::string emit_cmake(const Program& program);           // CMakeLists.txt
[[nodiscard]] std::string emit_manifest(const Program& program);        // manifest.json

/// What an operator is, for comments: "3 conv2d 'stem': [1, 80, 80, 3] -> [1, 40, 40, 16]".
[[nodiscard]] std::string step_comment(const Program& program, const Step& step);

/// Engine sources that the program's kernels need, without repetition, relative to src/engine.
[[nodiscard]] std::vector<std::string> engine_sources(const Program& program);
/// Compile definitions that they need, without repetition.
[[nodiscard]] std::vector<std::string> engine_defines(const Program& program);

}  // namespace tinynas
