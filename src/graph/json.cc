#include "graph/json.h"

#include <cmath>
#include <initializer_list>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <type_traits>

#include "graph/base64.h"
#include "graph/error.h"
#include "graph/operators.h"

namespace tinynas {
namespace {

using Json = nlohmann::ordered_json;

[[noreturn]] void fail(const std::string& place, const std::string& expected, const std::string& got) {
  throw InputError("[graph json] " + place + ": expected " + expected + ", got " + got);
}

/// Reads the keys of one object and remembers which, so that a key nobody asked for is an error.
class Reader {
 public:
  Reader(const Json& json, std::string place) : json_(json), place_(std::move(place)) {
    if (!json.is_object()) fail(place_, "an object", json.type_name());
  }

  [[nodiscard]] const std::string& place() const { return place_; }
  [[nodiscard]] const Json* find(const char* key) {
    seen_.insert(key);
    const auto it = json_.find(key);
    return it == json_.end() ? nullptr : &*it;
  }
  [[nodiscard]] const Json& require(const char* key) {
    const Json* value = find(key);
    if (value == nullptr) fail(place_, std::string("a key '") + key + "'", "none");
    return *value;
  }
  template <class T>
  void optional(const char* key, T& value) {
    if (const Json* json = find(key)) read(*json, place_ + "." + key, value);
  }
  template <class T>
  void required(const char* key, T& value) {
    read(require(key), place_ + "." + key, value);
  }
  void finish() const {
    for (const auto& item : json_.items()) {
      if (!seen_.contains(item.key())) fail(place_, "known keys only", "'" + item.key().substr(0, 40) + "'");
    }
  }

 private:
  static void read(const Json& json, const std::string& place, std::string& value) {
    if (!json.is_string()) fail(place, "a string", json.type_name());
    value = json.get<std::string>();
  }
  static void read(const Json& json, const std::string& place, bool& value) {
    if (!json.is_boolean()) fail(place, "true or false", json.type_name());
    value = json.get<bool>();
  }
  static void read(const Json& json, const std::string& place, std::int32_t& value) {
    const bool fits = json.is_number_integer() && (!json.is_number_unsigned() || json.get<std::uint64_t>() <= INT32_MAX) &&
                      json.get<std::int64_t>() >= INT32_MIN && json.get<std::int64_t>() <= INT32_MAX;
    if (!fits) fail(place, "an integer of 32 bits", json.is_number() ? json.dump() : json.type_name());
    value = json.get<std::int32_t>();
  }
  static void read(const Json& json, const std::string& place, float& value) {
    if (!json.is_number()) fail(place, "a number", json.type_name());
    const double wide = json.get<double>();
    if (!std::isfinite(wide) || std::fabs(wide) > std::numeric_limits<float>::max()) {
      fail(place, "a finite number of single precision", json.dump());
    }
    value = static_cast<float>(wide);
  }
  static void read(const Json& json, const std::string& place, Activation& value) {
    std::string name;
    read(json, place, name);
    const auto activation = parse_activation(name);
    if (!activation) fail(place, "none, relu or relu6", "'" + name.substr(0, 40) + "'");
    value = *activation;
  }
  static void read(const Json& json, const std::string& place, DType& value) {
    std::string name;
    read(json, place, name);
    const auto dtype = parse_dtype(name);
    if (!dtype) fail(place, "f32, s8, u8, s4, s16, s32 or s64", "'" + name.substr(0, 40) + "'");
    value = *dtype;
  }
  template <class T>
  static void read(const Json& json, const std::string& place, std::vector<T>& value) {
    if (!json.is_array()) fail(place, "an array", json.type_name());
    value.clear();
    for (const Json& item : json) {
      T element{};
      read(item, place + "[" + std::to_string(value.size()) + "]", element);
      value.push_back(element);
    }
  }
  static void read(const Json& json, const std::string& place, std::array<std::int32_t, 2>& value) {
    if (!json.is_array() || json.size() != 2) fail(place, "a pair [before, after]", json.type_name());
    for (std::size_t i = 0; i < 2; ++i) read(json[i], place, value[i]);
  }

  const Json& json_;
  std::string place_;
  std::set<std::string> seen_;
};

Json write_attribute(Activation value) { return std::string(activation_name(value)); }
template <class T>
Json write_attribute(const T& value) {
  return value;
}

Json write_tensor(const Tensor& tensor) {
  Json json;
  json["name"] = tensor.name;
  json["shape"] = tensor.shape;
  json["dtype"] = std::string(dtype_name(tensor.dtype));
  const Quantization& q = tensor.quantization;
  for (const float scale : q.scale) {
    if (!std::isfinite(scale)) fail("tensor '" + tensor.name + "'", "finite scales", std::to_string(scale));
  }
  if (!q.scale.empty()) json["scale"] = q.scale;
  if (!q.zero_point.empty()) json["zero_point"] = q.zero_point;
  if (q.axis != 0) json["axis"] = q.axis;
  if (tensor.constant) json["constant"] = true;
  if (!tensor.data.empty()) json["data"] = encode_base64(tensor.data);
  return json;
}

Tensor read_tensor(const Json& json, std::size_t index) {
  Reader reader(json, "tensors[" + std::to_string(index) + "]");
  Tensor tensor;
  reader.required("name", tensor.name);
  reader.required("shape", tensor.shape);
  reader.required("dtype", tensor.dtype);
  reader.optional("scale", tensor.quantization.scale);
  reader.optional("zero_point", tensor.quantization.zero_point);
  reader.optional("axis", tensor.quantization.axis);
  reader.optional("constant", tensor.constant);
  if (const Json* data = reader.find("data")) {
    if (!data->is_string()) fail(reader.place() + ".data", "a string", data->type_name());
    auto bytes = decode_base64(data->get_ref<const std::string&>());
    if (!bytes) fail(reader.place() + ".data", "base64", "something else");
    tensor.data = std::move(*bytes);
  }
  reader.finish();
  return tensor;
}

Json write_operator(const Operator& op) {
  Json json;
  json["op"] = std::string(operator_name(op.kind));
  json["name"] = op.name;
  json["inputs"] = op.inputs;
  json["outputs"] = op.outputs;
  if (op.source_index != -1) json["source_index"] = op.source_index;
  std::visit(
      [&](const auto& kind) {
        visit_attributes(kind, [&](const char* key, const auto& value) { json[key] = write_attribute(value); });
      },
      op.kind);
  return json;
}

Operator read_operator(const Json& json, std::size_t index) {
  Reader reader(json, "operators[" + std::to_string(index) + "]");
  Operator op;
  std::string kind_name;
  reader.required("op", kind_name);
  auto kind = make_operator(kind_name);
  if (!kind) fail(reader.place() + ".op", "the name of an operator", "'" + kind_name.substr(0, 40) + "'");
  op.kind = *kind;
  reader.optional("name", op.name);
  reader.required("inputs", op.inputs);
  reader.required("outputs", op.outputs);
  reader.optional("source_index", op.source_index);
  std::visit([&](auto& k) { visit_attributes(k, [&](const char* key, auto& value) { reader.optional(key, value); }); },
             op.kind);
  reader.finish();
  return op;
}

constexpr const char* kFormat = "tinynas-graph";
constexpr std::int32_t kVersion = 1;

Json parse(std::string_view text) {
  try {
    return Json::parse(text);
  } catch (const Json::exception& error) {
    throw InputError(std::string("[graph json] expected JSON text, got: ") + error.what());
  }
}

template <class T, class ReadOne>
void read_list(Reader& reader, const char* key, std::vector<T>& list, ReadOne read_one) {
  const Json& array = reader.require(key);
  if (!array.is_array()) fail(std::string("graph.") + key, "an array", array.type_name());
  for (const Json& item : array) list.push_back(read_one(item, list.size()));
}

}  // namespace

std::string to_json(const Graph& graph) {
  Json json;
  json["format"] = kFormat;
  json["version"] = kVersion;
  json["name"] = graph.name;
  json["tensors"] = Json::array();
  for (const Tensor& tensor : graph.tensors) json["tensors"].push_back(write_tensor(tensor));
  json["operators"] = Json::array();
  for (const Operator& op : graph.operators) json["operators"].push_back(write_operator(op));
  json["inputs"] = graph.inputs;
  json["outputs"] = graph.outputs;
  // Names of imported files need not be UTF-8: what is not is replaced rather than refused.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Graph from_json(std::string_view text) {
  const Json json = parse(text);
  Reader reader(json, "graph");
  std::string format;
  std::int32_t version = 0;
  reader.required("format", format);
  reader.required("version", version);
  if (format != kFormat || version != kVersion) {
    fail("graph", "format tinynas-graph version 1", "'" + format.substr(0, 40) + "' version " + std::to_string(version));
  }
  Graph graph;
  reader.required("name", graph.name);
  read_list(reader, "tensors", graph.tensors, read_tensor);
  read_list(reader, "operators", graph.operators, read_operator);
  reader.required("inputs", graph.inputs);
  reader.required("outputs", graph.outputs);
  reader.finish();
  return graph;
}

}  // namespace tinynas
