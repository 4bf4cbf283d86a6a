#include "codegen/lookup.h"

#include <cstdio>
#include <string>

#include "codegen/kernel_call.h"
#include "graph/interpreter.h"
#include "graph/operators.h"

namespace tinynas {
namespace {

constexpr std::int32_t kBytes = 256;

bool is_byte(const Tensor& tensor) { return tensor.dtype == DType::s8 || tensor.dtype == DType::u8; }

}  // namespace

std::vector<std::int64_t> lookup_table(const KernelRequest& request) {
  for (const Tensor* tensor : {&input_of(request), &output_of(request)}) {
    if (!is_byte(*tensor)) refuse(request, "int8 or uint8 tensors", std::string(dtype_name(tensor->dtype)));
  }
  Graph single;
  single.tensors = {input_of(request), output_of(request)};
  for (auto& tensor : single.tensors) tensor.shape = {1, kBytes};
  single.operators = {operator_of(request)};
  single.operators[0].inputs = {0};
  single.operators[0].outputs = {1};
  single.inputs = {0};
  single.outputs = {1};
  Bytes values(kBytes);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::uint8_t>(i);
  const auto results = run(single, {values});
  return {results[0].begin(), results[0].end()};
}

std::string float_text(float value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.9e", static_cast<double>(value));
  return std::string(text) + "F";
}

}  // namespace tinynas
