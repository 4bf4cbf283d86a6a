// Generated C against the reference interpreter: random networks, many in one program, compiled with sanitizers, every
// output byte compared, under every schedule that our engine runs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <sstream>

#include "codegen/emit.h"
#include "codegen/project.h"
#include "codegen/whole_plan.h"
#include "graph/interpreter.h"
#include "graph/shape.h"
#include "oracle/checker.h"
#include "oracle/published.h"
#include "random_network.h"
#include "random_values.h"

namespace tinynas::testing {
namespace {

namespace fs = std::filesystem;

void write_file(const fs::path& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

std::string array_text(const std::string& name, const Bytes& values) {
  std::ostringstream out;
  out << "static const int8_t " << name << "[] = {";
  for (const auto v : values) out << static_cast<int>(static_cast<std::int8_t>(v)) << ",";
  out << "};\n";
  return out.str();
}

/// One program that runs many networks twice each on inputs in Flash and compares with expected outputs.
class Suite {
 public:
  explicit Suite(fs::path folder) : folder_(std::move(folder)) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }

  void add(const Graph& graph, std::uint64_t seed, const std::string& schedule, bool streamed) {
    const ScheduleOptions options{.image_streamed = streamed, .prefer = Prefer::memory, .core = ""};
    const bool whole = schedule != "streaming";
    const Plan plan = whole ? whole_tensor_plan(graph, schedule, options) : *make_oracle(schedule, options)->plan(graph);
    if (!whole) {
      ASSERT_THAT(check_plan(graph, plan), ::testing::IsEmpty()) << "seed " << seed;
    }
    by_pixels_ += std::count_if(plan.segments.begin(), plan.segments.end(),
                                [](const Segment& segment) { return segment.grain == Grain::pixels; });
    const std::string name = "net" + std::to_string(count_++);
    const Project project = generate_project(graph, plan, {.name = name, .core = "", .prefer = Prefer::memory});
    for (const auto& file : {name + ".h", name + ".c", name + "_weights.h", name + "_weights.c"}) {
      write_file(folder_ / file, project.files.at(file));
    }
    sources_.insert(project.engine_sources.begin(), project.engine_sources.end());
    add_case(graph, name, seed);
  }

  /// Compiles and runs; the text is empty when every byte agrees.
  std::string run() {
    write_file(folder_ / "main.c",
               "#include <stdio.h>\n#include <string.h>\n" + includes_ +
                   "static int failures;\n"
                   "static void compare(const char *name, const int8_t *got, const int8_t *want, unsigned long bytes) {\n"
                   "  if (memcmp(got, want, bytes) == 0) return;\n  printf(\"%s differs\\n\", name);\n  ++failures;\n}\n" +
                   cases_ + "int main(void) {\n" + calls_ + "  return failures != 0;\n}\n");
    const std::string engine = std::string(TINYNAS_SOURCE_DIR) + "/src/engine";
    std::string files = "main.c";
    for (int i = 0; i < count_; ++i) files += " net" + std::to_string(i) + ".c net" + std::to_string(i) + "_weights.c";
    for (const auto& source : sources_) files += " " + engine + "/" + source;
    const std::string flags =
        "-std=c11 -O1 -Wall -Wextra -Werror -Wpedantic -fsanitize=address,undefined -fno-sanitize-recover=all";
    const std::string build =
        "cd " + folder_.string() + " && cc " + flags + " -I. -I" + engine + "/include -o suite " + files;
    return output_of(build + " 2>&1 && ./suite 2>&1");
  }

  /// Segments of all networks that compute one pixel at a time.
  [[nodiscard]] std::int64_t by_pixels() const { return by_pixels_; }

 private:
  void add_case(const Graph& graph, const std::string& name, std::uint64_t seed) {
    const Tensor& image = graph.tensors[static_cast<std::size_t>(graph.inputs[0])];
    std::mt19937_64 random(seed + 1);
    includes_ += "#include \"" + name + ".h\"\n";
    std::string body;
    for (int picture = 0; picture < 2; ++picture) {
      Bytes input(static_cast<std::size_t>(element_count(image.shape)));
      for (auto& v : input) v = static_cast<std::uint8_t>(random());
      const auto expected = tinynas::run(graph, {input})[0];
      const std::string tag = name + "_" + std::to_string(picture);
      cases_ += array_text(tag + "_in", input) + array_text(tag + "_out", expected);
      body += "  for (int y = 0; y < " + name + "_INPUT_ROWS; ++y) " + name + "_push_row(" + tag + "_in + y * " + name +
              "_INPUT_ROW_BYTES);\n  " + name + "_run();\n  compare(\"" + tag + "\", " + name + "_output(), " + tag +
              "_out, sizeof " + tag + "_out);\n";
    }
    calls_ += "  " + name + "_init();\n" + body;
  }

  static std::string output_of(const std::string& command) {
    std::string text;
    FILE* pipe = popen(command.c_str(), "r");
    if (pipe == nullptr) return "cannot start: " + command;
    char line[512];
    while (fgets(line, sizeof line, pipe) != nullptr) text += line;
    const int status = pclose(pipe);
    if (status != 0 && text.empty()) text = "exit status " + std::to_string(status);
    return text;
  }

  fs::path folder_;
  int count_ = 0;
  std::int64_t by_pixels_ = 0;
  std::set<std::string> sources_;
  std::string includes_, cases_, calls_;
};

/// TINYNAS_RANDOM_NETWORKS=500 runs as many of each kind, a third as many in 4 bits (in the test suite: few).
std::uint64_t network_count() {
  const char* text = std::getenv("TINYNAS_RANDOM_NETWORKS");
  return text == nullptr ? 24 : std::strtoull(text, nullptr, 10);
}

struct Way {
  const char* schedule;
  bool streamed;
};

class Generated : public ::testing::TestWithParam<Way> {};

TEST_P(Generated, EqualsTheInterpreter) {
  const auto [schedule, streamed] = GetParam();
  const std::string name = std::string(schedule) + (streamed ? "_streamed" : "_stored");
  Suite suite(fs::temp_directory_path() / ("tinynas_generated_" + name + "_" + std::to_string(getpid())));
  for (std::uint64_t seed = 0; seed < network_count(); ++seed) {
    suite.add(random_network(seed), seed, schedule, streamed);
  }
  suite.add(random_network(270), 270, schedule, streamed);  // pads a map of one row
  EXPECT_EQ(suite.run(), "");
  const bool streams = std::string(schedule) == "streaming";
  EXPECT_EQ(suite.by_pixels() * 2 > static_cast<std::int64_t>(network_count()), streams);
}

TEST_P(Generated, EqualsTheInterpreterInFourBits) {
  const auto [schedule, streamed] = GetParam();
  const std::string name = std::string(schedule) + (streamed ? "_streamed_s4" : "_stored_s4");
  Suite suite(fs::temp_directory_path() / ("tinynas_generated_" + name + "_" + std::to_string(getpid())));
  for (std::uint64_t seed = 0; seed < (network_count() + 2) / 3; ++seed)
    suite.add(random_packed_network(seed), seed, schedule, streamed);
  EXPECT_EQ(suite.run(), "");
  EXPECT_EQ(suite.by_pixels() > 0, std::string(schedule) == "streaming");
}

INSTANTIATE_TEST_SUITE_P(Schedules, Generated,
                         ::testing::Values(Way{"streaming", true}, Way{"streaming", false}, Way{"layerwise", false},
                                           Way{"tinyengine", false}),
                         [](const auto& way) {
                           return std::string(way.param.schedule) + (way.param.streamed ? "Streamed" : "Stored");
                         });

class Published : public ::testing::TestWithParam<const char*> {};

TEST_P(Published, EqualsTheInterpreterInItsLeastMemory) {
  const auto sizes = published_network(GetParam());
  if (!sizes) GTEST_SKIP() << "no reference data beside the checkout";
  const auto graph = with_random_values(*sizes, 1);
  Suite suite(fs::temp_directory_path() / ("tinynas_" + std::string(GetParam()) + "_" + std::to_string(getpid())));
  for (const bool streamed : {true, false}) suite.add(graph, 1, "streaming", streamed);
  EXPECT_EQ(suite.run(), "");
  EXPECT_GE(suite.by_pixels(), 2);
}

INSTANTIATE_TEST_SUITE_P(Networks, Published,
                         ::testing::Values("mcunet-10fps_imagenet", "mcunet-5fps_imagenet", "mcunet-256kb-1mb_imagenet",
                                           "mcunet-320kb-1mb_imagenet"));

}  // namespace
}  // namespace tinynas::testing
