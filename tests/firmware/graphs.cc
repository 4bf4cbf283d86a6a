// Writes many random networks with the answers of the reference interpreter as C for one firmware.
//
//   firmware_graphs CORE FIRST COUNT FOLDER [packed]
//
// `packed`: networks of 4 and of 8 bits instead of int8 ones. Network i has seed FIRST + i; schedule, stored or streamed
// image and preference follow from the seed. FOLDER gets net<i>.c, their weights and headers, graphs.c with the table that
// tests/firmware/graphs.h describes, and build.txt: the engine's sources ("source PATH") and compile definitions ("define
// NAME").
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>
#include <sstream>

#include "checksum.h"
#include "codegen/emit.h"
#include "codegen/project.h"
#include "codegen/random_network.h"
#include "codegen/whole_plan.h"
#include "graph/error.h"
#include "graph/interpreter.h"
#include "graph/shape.h"
#include "oracle/checker.h"

namespace tinynas {
namespace {

constexpr int kPictures = 2;

struct Way {
  const char* schedule;
  bool streamed;
};
constexpr Way kWays[] = {{"streaming", true}, {"streaming", false}, {"layerwise", false}, {"tinyengine", false}};

class Suite {
 public:
  Suite(std::string core, std::filesystem::path folder, bool packed)
      : core_(std::move(core)), folder_(std::move(folder)), packed_(packed) {
    std::filesystem::create_directories(folder_);
  }

  void add(std::uint64_t seed) {
    const Graph graph = packed_ ? testing::random_packed_network(seed) : testing::random_network(seed);
    const Way way = kWays[seed % 4];
    const ScheduleOptions options{way.streamed, seed % 8 < 4 ? Prefer::speed : Prefer::memory, core_};
    const Plan plan = plan_of(graph, way, options);
    const std::string name = "net" + std::to_string(count_++);
    const Project project = generate_project(graph, plan, {name, core_, options.prefer});
    for (const auto* suffix : {".h", ".c", "_weights.h", "_weights.c"}) {
      std::ofstream(folder_ / (name + suffix), std::ios::binary) << project.files.at(name + suffix);
    }
    sources_.insert(project.engine_sources.begin(), project.engine_sources.end());
    const Program program = make_program(graph, plan, {name, core_, options.prefer});
    for (const auto& define : engine_defines(program)) defines_.insert(define);
    add_entry(graph, name, seed);
  }

  void finish() const {
    std::ofstream table(folder_ / "graphs.c", std::ios::binary);
    table << "#include \"graphs.h\"\n"
          << includes_ << answers_ << "const test_graph graphs[] = {\n"
          << entries_ << "};\n"
          << "const int32_t graph_count = " << count_ << ";\n";
    std::ofstream build(folder_ / "build.txt");
    for (const auto& source : sources_) build << "source " << source << "\n";
    for (const auto& define : defines_) build << "define " << define << "\n";
  }

 private:
  [[nodiscard]] Plan plan_of(const Graph& graph, const Way& way, const ScheduleOptions& options) const {
    if (std::string(way.schedule) != "streaming") return whole_tensor_plan(graph, way.schedule, options);
    Plan plan = *make_oracle(way.schedule, options)->plan(graph);
    const auto faults = check_plan(graph, plan, core_);
    if (!faults.empty()) throw InputError("[firmware_graphs] the checker: " + faults.front());
    return plan;
  }

  void add_entry(const Graph& graph, const std::string& name, std::uint64_t seed) {
    const auto bytes =
        static_cast<std::size_t>(element_count(graph.tensors[static_cast<std::size_t>(graph.inputs.front())].shape));
    std::ostringstream entry, answers;
    entry << "    {" << seed << "u, " << name << "_INPUT_ROWS, " << name << "_INPUT_ROW_BYTES, " << name << "_OPERATORS, "
          << name << "_init, " << name << "_push_row, " << name << "_run, " << name << "_crc},\n";
    answers << "static const uint32_t " << name << "_crc[] = {";
    for (int picture = 0; picture < kPictures; ++picture) {
      const auto input =
          pseudo_random(bytes, static_cast<std::uint32_t>(seed * kPictures) + static_cast<std::uint32_t>(picture));
      const auto tensors = run_all(graph, {input});
      for (const auto& op : graph.operators)
        answers << crc32(tensors[static_cast<std::size_t>(op.outputs.front())]) << "u, ";
    }
    entries_ += entry.str();
    answers_ += answers.str() + "};\n";
    includes_ += "#include \"" + name + ".h\"\n";
  }

  std::string core_;
  std::filesystem::path folder_;
  bool packed_;
  int count_ = 0;
  std::set<std::string> sources_, defines_;
  std::string includes_, answers_, entries_;
};

}  // namespace
}  // namespace tinynas

int main(int argc, char** argv) {
  try {
    const bool packed = argc == 6 && std::string(argv[5]) == "packed";
    if (argc != 5 && !packed) throw tinynas::InputError("usage: firmware_graphs CORE FIRST COUNT FOLDER [packed]");
    tinynas::Suite suite(argv[1], argv[4], packed);
    const auto first = std::strtoull(argv[2], nullptr, 10), count = std::strtoull(argv[3], nullptr, 10);
    for (std::uint64_t seed = first; seed < first + count; ++seed) suite.add(seed);
    suite.finish();
    return 0;
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 2;
  }
}
