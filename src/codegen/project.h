// A graph and its plan as a C project.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "codegen/program.h"

namespace tinynas {

struct Project {
  std::map<std::string, std::string> files;  // name -> text: <name>.c, <name>.h, weights, main.c, build files, manifest.json
  std::vector<std::string>
      engine_sources;  // to be copied from src/engine into engine/, with include/ and the headers beside them
  std::int64_t arena_bytes = 0;
  std::int64_t weights_bytes = 0;  // constant arrays
};

/// InputError as make_program, and for a name that is no C identifier.
[[nodiscard]] Project generate_project(const Graph& graph, const Plan& plan, const ProgramOptions& options);

}  // namespace tinynas
