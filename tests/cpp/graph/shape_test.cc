#include "graph/shape.h"

#include <gtest/gtest.h>

#include "graph/error.h"
#include "graph/operators.h"
#include "graph_builder.h"

namespace tinynas {
namespace {

using test::GraphBuilder;

Shape shape_of(GraphBuilder& b, OperatorKind kind, std::vector<std::int32_t> inputs, Shape wanted = {}) {
  return b.graph().tensors[b.op(std::move(kind), std::move(inputs), DType::s8, {}, std::move(wanted))].shape;
}

std::string error_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(Shape, ConvolutionFollowsStridePaddingAndDilation) {
  GraphBuilder b;
  const auto x = b.input({1, 10, 7, 4});
  const auto w = b.constant({6, 3, 2, 4}, DType::s8, {});
  EXPECT_EQ(shape_of(b, Conv2D{}, {x, w, -1}), (Shape{1, 8, 6, 6}));
  EXPECT_EQ(shape_of(b, Conv2D{{2, 3, 1, 1, {1, 0, 0, 1}}, {}}, {x, w}), (Shape{1, 5, 3, 6}));
  EXPECT_EQ(shape_of(b, Conv2D{{1, 1, 4, 2, {0, 0, 0, 0}}, {}}, {x, w}), (Shape{1, 2, 5, 6}));
  const auto grouped = b.constant({6, 3, 2, 2}, DType::s8, {});
  EXPECT_EQ(shape_of(b, Conv2D{}, {x, grouped}), (Shape{1, 8, 6, 6}));
}

TEST(Shape, DepthwiseMultiplierAndTransposeConv) {
  GraphBuilder b;
  const auto x = b.input({1, 5, 5, 4});
  EXPECT_EQ(shape_of(b, DepthwiseConv2D{}, {x, b.constant({1, 3, 3, 8}, DType::s8, {})}), (Shape{1, 3, 3, 8}));
  const auto w = b.constant({2, 3, 3, 4}, DType::s8, {});
  EXPECT_EQ(shape_of(b, TransposeConv{{2, 2, 1, 1, {1, 1, 0, 0}}, {}}, {x, w}), (Shape{1, 10, 10, 2}));
  // Output padding: the end grows where the padding is negative.
  EXPECT_EQ(shape_of(b, TransposeConv{{2, 2, 1, 1, {1, 1, -1, -1}}, {}}, {x, w}), (Shape{1, 11, 11, 2}));
}

TEST(Shape, ReshapeFindsTheOpenDimension) {
  GraphBuilder b;
  const auto x = b.input({1, 3, 4, 5});
  EXPECT_EQ(shape_of(b, Reshape{}, {x}, {1, -1}), (Shape{1, 60}));
  EXPECT_EQ(shape_of(b, Reshape{}, {x}, {-1, 6, 2}), (Shape{5, 6, 2}));
  EXPECT_THROW(shape_of(b, Reshape{}, {x}, {-1, 7}), InputError);
  EXPECT_THROW(shape_of(b, Reshape{}, {x}, {-1, -1}), InputError);
  EXPECT_THROW(shape_of(b, Reshape{}, {x}, {1, 59}), InputError);
}

TEST(Shape, FullyConnectedKeepsTheWantedShape) {
  GraphBuilder b;
  const auto x = b.input({1, 2, 3, 4});
  const auto w = b.constant({5, 24}, DType::s8, {}), w4 = b.constant({5, 4}, DType::s8, {});
  EXPECT_EQ(shape_of(b, FullyConnected{}, {x, w}), (Shape{1, 5}));
  EXPECT_EQ(shape_of(b, FullyConnected{}, {x, w4}), (Shape{1, 2, 3, 5}));
  EXPECT_EQ(shape_of(b, FullyConnected{}, {x, w4}, {6, 5}), (Shape{6, 5}));
}

TEST(Shape, ReductionsBroadcastConcatPadTransposeArgMax) {
  GraphBuilder b;
  const auto x = b.input({1, 3, 4, 5});
  EXPECT_EQ(shape_of(b, Mean{{1, 2}, true}, {x}), (Shape{1, 1, 1, 5}));
  EXPECT_EQ(shape_of(b, ReduceMax{{-1, 1}, false}, {x}), (Shape{1, 4}));
  EXPECT_EQ(shape_of(b, Add{}, {x, b.constant({4, 1}, DType::s8, {})}), (Shape{1, 3, 4, 5}));
  EXPECT_EQ(shape_of(b, Concat{-1}, {x, x, x}), (Shape{1, 3, 4, 15}));
  EXPECT_EQ(shape_of(b, Pad{{{0, 0}, {1, 2}, {0, 3}, {0, 0}}}, {x}), (Shape{1, 6, 7, 5}));
  EXPECT_EQ(shape_of(b, Transpose{{0, 3, 1, 2}}, {x}), (Shape{1, 5, 3, 4}));
  EXPECT_EQ(shape_of(b, ArgMax{-1}, {x}), (Shape{1, 3, 4}));
  EXPECT_EQ(shape_of(b, ResizeNearest{}, {x}, {1, 6, 9, 5}), (Shape{1, 6, 9, 5}));
  EXPECT_THROW(shape_of(b, Transpose{{0, 3, 1, 1}}, {x}), InputError);
  EXPECT_THROW(shape_of(b, Mean{{4}, true}, {x}), InputError);
  EXPECT_THROW(shape_of(b, Add{}, {x, b.constant({3, 1, 2}, DType::s8, {})}), InputError);
}

TEST(Shape, MessagesNameTheOperatorWhatWasExpectedAndWhatCame) {
  GraphBuilder b;
  const auto x = b.input({1, 4, 4, 3});
  const auto w = b.constant({8, 3, 3, 2}, DType::s8, {});
  const std::string message = error_of([&] { b.op(Conv2D{}, {x, w}); });
  EXPECT_EQ(message,
            "[graph] operator 0 (conv2d 'op0'): expected weights whose last dimension divides the input channels 3, got [8, "
            "3, 3, 2]");
}

TEST(Shape, HostileSizesAreInputErrors) {
  GraphBuilder b;
  const auto x = b.input({1, 4, 4, 3});
  const auto big = b.constant({8, 9, 3, 3}, DType::s8, {});
  EXPECT_NE(error_of([&] { b.op(Conv2D{}, {x, big}); }).find("the window exceeds the input"), std::string::npos);
  constexpr std::int32_t kHuge = 1 << 30;
  EXPECT_THROW(static_cast<void>(element_count({kHuge, kHuge, kHuge, kHuge})), InputError);
  EXPECT_THROW(static_cast<void>(element_count({1, -5})), InputError);
  EXPECT_THROW(static_cast<void>(element_count({0})), InputError);
  EXPECT_THROW(shape_of(b, Pad{{{0, 0}, {kHuge, kHuge}, {0, 0}, {0, 0}}}, {x}), InputError);
  EXPECT_THROW(shape_of(b, AveragePool{2, 2, {0, 1, 1, 1, {}}, {}}, {x}), InputError);
  EXPECT_THROW(shape_of(b, MaxPool{2, 2, {1, 1, 1, 1, {2, 0, 0, 0}}, {}}, {x}), InputError);
  EXPECT_THROW(shape_of(b, Conv2D{{1, 1, kHuge, 1, {}}, {}}, {x, big}), InputError);
}

}  // namespace
}  // namespace tinynas
