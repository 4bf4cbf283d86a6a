#include "codegen/project.h"

#include <algorithm>
#include <cctype>

#include "codegen/emit.h"
#include "graph/error.h"

namespace tinynas {

Project generate_project(const Graph& graph, const Plan& plan, const ProgramOptions& options) {
  const std::string& name = options.name;
  const auto ok = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; };
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name[0])) != 0 || !std::all_of(name.begin(), name.end(), ok)) {
    throw InputError("[codegen] name '" + name + "': expected a C identifier");
  }
  const Program program = make_program(graph, plan, options);
  Project project;
  project.files[name + ".h"] = emit_header(program);
  project.files[name + ".c"] = emit_model(program);
  project.files[name + "_weights.h"] = emit_weights_header(program);
  project.files[name + "_weights.c"] = emit_weights(program);
  project.files["main.c"] = emit_host_main(program);
  project.files["Makefile"] = emit_makefile(program);
  project.files["CMakeLists.txt"] = emit_cmake(program);
  project.files["manifest.json"] = emit_manifest(program);
  project.engine_sources = engine_sources(program);
  project.arena_bytes = plan.arena_bytes;
  project.weights_bytes = weights_bytes(program);
  return project;
}

}  // namespace tinynas
