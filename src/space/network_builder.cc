#include "space/network_builder.h"

namespace tinynas {
namespace {

Window same_window(std::int32_t kernel, std::int32_t stride) {
  const std::int32_t pad = kernel / 2;
  Window window;
  window.stride_h = window.stride_w = stride;
  window.padding = {pad, pad, pad, pad};
  return window;
}

std::int32_t output_rows(std::int32_t rows, std::int32_t kernel, std::int32_t stride) {
  return (rows + 2 * (kernel / 2) - kernel) / stride + 1;
}

}  // namespace

NetworkBuilder::NetworkBuilder(std::string name, std::int32_t resolution, std::int32_t channels)
    : channels_(channels), resolution_(resolution) {
  graph_.name = std::move(name);
  current_ = add_tensor("image", {1, resolution, resolution, channels}, DType::s8, false);
  graph_.inputs = {current_};
}

void NetworkBuilder::reserve(std::size_t operators) {
  graph_.operators.reserve(operators);
  graph_.tensors.reserve(1 + 3 * operators);
}

std::int32_t NetworkBuilder::add_tensor(std::string name, Shape shape, DType dtype, bool constant) {
  Tensor& tensor = graph_.tensors.emplace_back();
  tensor.name = std::move(name);
  tensor.shape = std::move(shape);
  tensor.dtype = dtype;
  tensor.constant = constant;
  return static_cast<std::int32_t>(graph_.tensors.size()) - 1;
}

void NetworkBuilder::add_layer(OperatorKind kind, std::string name, Shape weights, std::int32_t out, Shape output) {
  const std::int32_t weight = add_tensor(name + ".weight", std::move(weights), DType::s8, true);
  const std::int32_t bias = add_tensor(name + ".bias", {out}, DType::s32, true);
  const std::int32_t result = add_tensor(name + ".output", std::move(output), DType::s8, false);
  Operator& op = graph_.operators.emplace_back();
  op.kind = std::move(kind);
  op.name = std::move(name);
  op.inputs = {current_, weight, bias};
  op.outputs = {result};
  current_ = result;
  channels_ = out;
}

void NetworkBuilder::conv(std::string name, std::int32_t out, std::int32_t kernel, std::int32_t stride,
                          Activation activation) {
  const std::int32_t rows = output_rows(resolution_, kernel, stride);
  add_layer(Conv2D{same_window(kernel, stride), activation}, std::move(name), {out, kernel, kernel, channels_}, out,
            {1, rows, rows, out});
  resolution_ = rows;
}

void NetworkBuilder::depthwise(std::string name, std::int32_t kernel, std::int32_t stride, Activation activation) {
  const std::int32_t rows = output_rows(resolution_, kernel, stride);
  add_layer(DepthwiseConv2D{same_window(kernel, stride), activation}, std::move(name), {1, kernel, kernel, channels_},
            channels_, {1, rows, rows, channels_});
  resolution_ = rows;
}

void NetworkBuilder::bottleneck(const std::string& prefix, const Bottleneck& block) {
  const std::int32_t input = current_;
  if (block.expand) conv(prefix + "expand", block.mid, 1, 1, Activation::relu6);
  depthwise(prefix + "depthwise", block.kernel, block.stride, Activation::relu6);
  conv(prefix + "project", block.out, 1, 1, Activation::none);
  if (!block.residual) return;
  const std::int32_t sum = add_tensor(prefix + "add.output", {1, resolution_, resolution_, channels_}, DType::s8, false);
  Operator& op = graph_.operators.emplace_back();
  op.kind = Add{};
  op.name = prefix + "add";
  op.inputs = {input, current_};
  op.outputs = {sum};
  current_ = sum;
}

void NetworkBuilder::global_pool(std::string name) {
  const std::int32_t result = add_tensor(name + ".output", {1, 1, 1, channels_}, DType::s8, false);
  Operator& op = graph_.operators.emplace_back();
  op.kind = AveragePool{resolution_, resolution_, Window{}, Activation::none};
  op.name = std::move(name);
  op.inputs = {current_};
  op.outputs = {result};
  current_ = result;
  resolution_ = 1;
}

void NetworkBuilder::classifier(std::string name, std::int32_t classes) {
  add_layer(FullyConnected{}, std::move(name), {classes, channels_}, classes, {1, classes});
}

Graph NetworkBuilder::take() {
  graph_.outputs = {current_};
  return std::exchange(graph_, Graph{});
}

}  // namespace tinynas
