// Every plan passes the judge, and the judge sees every way in which a plan can be broken.
#include "oracle/checker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graph/operators.h"
#include "oracle/lower_bound.h"
#include "oracle/oracle.h"
#include "oracle/published.h"
#include "oracle/random_graphs.h"
#include "oracle/rows.h"
#include "oracle/streaming/batch_rows.h"
#include "oracle/streaming/schedule.h"
#include "oracle/streaming/streaming.h"

namespace tinynas::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(RowAccess, EqualsTheGraphsRowArithmetic) {
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    const auto graph = random_graph(seed);
    const auto rows = make_row_graph(graph);
    for (std::int32_t index = 0; index < rows.operator_count(); ++index) {
      const auto& op = graph.operators[static_cast<std::size_t>(index)];
      if (row_mode(graph, op) == RowMode::whole) continue;
      std::size_t access = 0;
      for (std::size_t position = 0; position < op.inputs.size(); ++position) {
        const auto input = op.inputs[position];
        if (input < 0 || graph.tensors[static_cast<std::size_t>(input)].constant) continue;
        const auto& mine = rows.inputs(index)[access++];
        for (std::int32_t x = 0; x < column_count(graph.tensors[static_cast<std::size_t>(op.outputs[0])].shape); ++x) {
          const auto range = input_columns(graph, op, position, x);
          const auto span = mine.columns.span(x);
          ASSERT_EQ(span.end, range.end) << operator_text(graph, static_cast<std::size_t>(index)) << " column " << x;
          if (range.first == range.end) continue;
          ASSERT_EQ(span.begin, range.first) << "column " << x;
        }
        for (std::int32_t y = 0; y < row_count(graph.tensors[static_cast<std::size_t>(op.outputs[0])].shape); ++y) {
          const auto range = input_rows(graph, op, position, y);
          ASSERT_EQ(mine.rows(y).end, range.end) << operator_text(graph, static_cast<std::size_t>(index)) << " row " << y;
          if (range.first == range.end) continue;
          ASSERT_EQ(mine.rows(y).begin, range.first) << "row " << y;
        }
      }
    }
  }
}

void expect_plans_pass(const std::string& schedule, Graph (*make)(std::uint64_t), std::uint64_t seeds) {
  for (std::uint64_t seed = 0; seed < seeds * random_cases(); ++seed) {
    const auto graph = make(seed);
    for (const bool streamed : {true, false}) {
      const auto oracle = make_oracle(schedule, {.image_streamed = streamed, .core = ""});
      const auto plan = oracle->plan(graph);
      ASSERT_TRUE(plan.has_value());
      ASSERT_THAT(check_plan(graph, *plan), IsEmpty()) << "seed " << seed << ", streamed " << streamed;
      const auto cost = oracle->cost(graph);
      ASSERT_EQ(plan->arena_bytes, cost.sram_bytes);
      EXPECT_LE(cost.lower_bound_bytes, cost.sram_bytes) << "seed " << seed << ", streamed " << streamed;
    }
  }
}

TEST(Checker, PassesEveryStreamingPlanOfRandomGraphs) { expect_plans_pass("streaming", random_graph, 3000); }
TEST(Checker, PassesEveryStreamingPlanOfRandomBottlenecks) { expect_plans_pass("streaming", random_bottlenecks, 1000); }

TEST(Checker, PassesEveryPlanOfPixels) {
  int smaller = 0;
  for (std::uint64_t seed = 0; seed < 1200; ++seed) {
    const auto graph = seed % 3 == 0 ? random_bottlenecks(seed) : random_graph(seed);
    for (const bool streamed : {true, false}) {
      const auto plan = streaming_plan(graph, {.image_streamed = streamed, .core = ""});
      ASSERT_THAT(check_plan(graph, plan), IsEmpty()) << "seed " << seed << ", streamed " << streamed;
      const auto coarse = streaming_plan(graph, {.image_streamed = streamed, .prefer = Prefer::speed, .core = ""});
      ASSERT_LE(plan.arena_bytes, coarse.arena_bytes) << "seed " << seed << ", streamed " << streamed;
      ASSERT_LE(lower_bound_bytes(graph, make_row_graph(graph), streamed), plan.arena_bytes) << "seed " << seed;
      smaller += plan.arena_bytes < coarse.arena_bytes ? 1 : 0;
    }
  }
  EXPECT_GT(smaller, 800);
}

TEST(Checker, PassesEveryLayerWisePlan) {
  expect_plans_pass("layerwise", random_graph, 500);
  expect_plans_pass("layerwise", random_bottlenecks, 200);
}

TEST(Checker, PassesEveryPlanOfSeveralRowsAtOnce) {
  int batched = 0;
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    const auto graph = seed % 2 == 0 ? random_graph(seed) : random_bottlenecks(seed);
    const auto slim = make_oracle("streaming", {.core = "cortex-m7"})->plan(graph);
    const auto fast = make_oracle("streaming", {.prefer = Prefer::speed, .core = "cortex-m7"})->plan(graph);
    ASSERT_THAT(check_plan(graph, *fast, "cortex-m7"), IsEmpty()) << "seed " << seed;
    ASSERT_LE(slim->arena_bytes, fast->arena_bytes) << "seed " << seed;
    for (const auto& segment : fast->segments) {
      batched +=
          std::any_of(segment.rows_at_once.begin(), segment.rows_at_once.end(), [](auto rows) { return rows > 1; }) ? 1 : 0;
    }
  }
  EXPECT_GT(batched, 500);
}

class PublishedPlan : public ::testing::TestWithParam<const char*> {};

TEST_P(PublishedPlan, Passes) {
  const auto graph = published_network(GetParam());
  if (!graph) GTEST_SKIP() << "no reference data beside the checkout";
  const auto plan = make_oracle("streaming", {})->plan(*graph);
  EXPECT_THAT(check_plan(*graph, *plan), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Networks, PublishedPlan,
                         ::testing::Values("mcunet-10fps_imagenet", "mcunet-256kb-1mb_imagenet",
                                           "mcunet-320kb-1mb_imagenet"));

/// image 6x4x2 -> conv 3x3 -> depthwise 5x5 -> join with the conv's output -> pool -> classifier
class BrokenPlan : public ::testing::Test {
 protected:
  BrokenPlan() : builder_({1, 6, 4, 2}) {
    const auto x = builder_.conv(0, 4, 3, 1);
    const auto joined = builder_.join(x, builder_.depthwise(x, 5, 1));
    ring_ = x;
    graph_ = builder_.finish({builder_.classifier(builder_.global_pool(joined), 3)});
    const auto rows = make_row_graph(graph_);
    Segment all;
    for (std::int32_t op = 0; op < rows.operator_count(); ++op) all.operators.push_back(op);
    plan_ = make_plan({graph_, rows, {}}, "streaming", {all});
  }

  Buffer& buffer_of(std::int32_t tensor) {
    for (auto& buffer : plan_.buffers) {
      if (buffer.tensor == tensor) return buffer;
    }
    throw std::logic_error("no buffer");
  }
  Buffer& scratch() { return plan_.buffers[static_cast<std::size_t>(plan_.segments.front().scratch)]; }
  std::string first_problem() {
    const auto problems = check_plan(graph_, plan_);
    return problems.empty() ? "" : problems.front();
  }

  GraphBuilder builder_;
  Graph graph_;
  Plan plan_;
  std::int32_t ring_ = -1;
};

TEST_F(BrokenPlan, IsWholeBeforeItIsBroken) {
  ASSERT_EQ(plan_.segments.size(), 1U);
  EXPECT_EQ(buffer_of(ring_).rows, 5);
  EXPECT_EQ(first_problem(), "");
}

TEST_F(BrokenPlan, RingOneRowTooShort) {
  buffer_of(ring_).rows -= 1;
  EXPECT_THAT(first_problem(), HasSubstr("which is not there"));
}

TEST_F(BrokenPlan, BuffersOverlap) {
  buffer_of(ring_).offset = buffer_of(0).offset;
  plan_.arena_bytes = std::max(plan_.arena_bytes, buffer_of(ring_).offset + buffer_of(ring_).bytes);
  EXPECT_THAT(first_problem(), HasSubstr("which is not there"));
}

TEST_F(BrokenPlan, ScratchOverRing) {
  scratch().offset = buffer_of(ring_).offset;
  EXPECT_NE(first_problem(), "");
}

TEST_F(BrokenPlan, ScratchTooSmall) {
  scratch().bytes -= 4;
  scratch().row_bytes -= 4;
  EXPECT_THAT(first_problem(), HasSubstr("of scratch"));
}

TEST_F(BrokenPlan, OutsideTheArena) {
  plan_.arena_bytes -= 1;
  EXPECT_THAT(first_problem(), HasSubstr("leaves the arena"));
}

TEST_F(BrokenPlan, Misaligned) {
  buffer_of(ring_).offset += 2;
  plan_.arena_bytes += 2;
  EXPECT_THAT(first_problem(), HasSubstr("aligned"));
}

TEST_F(BrokenPlan, OperatorMissing) {
  plan_.segments.front().operators.erase(plan_.segments.front().operators.begin() + 1);
  EXPECT_THAT(first_problem(), HasSubstr("stands in 0 segments"));
}

TEST_F(BrokenPlan, BufferMissing) {
  plan_.buffers.erase(plan_.buffers.begin());
  EXPECT_NE(first_problem(), "");
}

TEST_F(BrokenPlan, MoreRowsAtOnceThanTheRingHolds) {
  plan_.segments.front().rows_at_once = std::vector<std::int32_t>(plan_.segments.front().operators.size(), 1);
  plan_.segments.front().rows_at_once[0] = 4;
  EXPECT_THAT(first_problem(), HasSubstr("which is not there"));
}

TEST_F(BrokenPlan, CutWithoutWholeTensors) {
  auto tail = plan_.segments.front();
  plan_.segments.front().operators.resize(1);
  tail.operators.erase(tail.operators.begin());
  plan_.segments.push_back(tail);
  EXPECT_NE(first_problem(), "");
}

TEST(CheckerMutations, SeesAnyBufferMovedOntoALiveOne) {
  std::int32_t caught = 0;
  std::int32_t tried = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const auto graph = random_graph(seed);
    const auto plan = *make_oracle("streaming", {})->plan(graph);
    for (std::size_t b = 0; b + 1 < plan.buffers.size(); ++b) {
      auto broken = plan;
      auto& moved = broken.buffers[b];
      const auto& other = plan.buffers[b + 1];
      const bool together = moved.first_segment <= other.last_segment && other.first_segment <= moved.last_segment;
      if (!together || moved.tensor < 0 || other.tensor < 0) continue;
      moved.offset = other.offset;
      broken.arena_bytes = std::max(broken.arena_bytes, moved.offset + moved.bytes);
      ++tried;
      if (!check_plan(graph, broken).empty()) ++caught;
    }
  }
  // Two buffers of a segment may be used at different times in it, so a few such moves are harmless.
  EXPECT_GT(tried, 500);
  EXPECT_GT(caught * 100, tried * 90) << caught << " of " << tried;
}

}  // namespace
}  // namespace tinynas::testing
