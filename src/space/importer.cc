#include "space/importer.h"

#include <cmath>

#include "graph/error.h"
#include "space/build_graph.h"
#include "space/json.h"
#include "space/json_reader.h"
#include "space/network_builder.h"
#include "space/validate.h"

namespace tinynas {
namespace {

constexpr std::size_t kMaxBlocks = 1024;

std::int32_t channels_of(const JsonReader& json, const char* key) { return json.field(key).int32(1, kMaxChannels); }

std::int32_t kernel_of(const JsonReader& json) {
  const JsonReader field = json.field("kernel_size");
  const std::int32_t kernel = field.int32(1, kMaxKernel);
  if (kernel % 2 == 0) field.fail("an odd kernel");
  return kernel;
}

void expect_name(const JsonReader& json, const std::string& name) {
  const JsonReader field = json.field("name");
  if (field.string() != name) field.fail("\"" + name + "\"");
}

void expect_relu6(const JsonReader& json) {
  const auto field = json.optional_field("act_func");
  if (field && field->string() != "relu6") field->fail("\"relu6\"");
}

/// Absent or equal to the one value that the graph's builder supports.
void expect_integer(const JsonReader& json, const char* key, std::int32_t supported) {
  const auto field = json.optional_field(key);
  if (field) static_cast<void>(field->int32(supported, supported));
}

void expect_input(const JsonReader& json, const char* key, std::int32_t channels) {
  static_cast<void>(json.field(key).int32(channels, channels));
}

void read_conv(const JsonReader& json, const std::string& name, NetworkBuilder& net) {
  expect_name(json, "ConvLayer");
  expect_relu6(json);
  expect_integer(json, "dilation", 1);
  expect_integer(json, "groups", 1);
  expect_input(json, "in_channels", net.channels());
  net.conv(name, channels_of(json, "out_channels"), kernel_of(json), json.field("stride").int32(1, 4), Activation::relu6);
}

bool has_shortcut(const JsonReader& json) {
  const auto shortcut = json.optional_field("shortcut");
  if (!shortcut) return false;
  expect_name(*shortcut, "IdentityLayer");
  return true;
}

void read_block(const JsonReader& json, const std::string& prefix, NetworkBuilder& net) {
  const JsonReader conv = json.field("mobile_inverted_conv");
  const JsonReader kind = conv.field("name");
  if (kind.string() == "ZeroLayer") return;  // a skipped block
  if (kind.string() != "MBInvertedConvLayer") kind.fail("\"MBInvertedConvLayer\" or \"ZeroLayer\"");
  expect_relu6(conv);
  const auto excite = conv.optional_field("use_se");
  if (excite && excite->boolean()) excite->fail("false (squeeze-and-excitation is not supported)");
  const std::int32_t in = net.channels();
  expect_input(conv, "in_channels", in);
  const double expansion = conv.field("expand_ratio").number();
  if (!(expansion >= 1 && expansion <= 64)) conv.field("expand_ratio").fail("a ratio from 1 to 64");
  const auto mid = conv.optional_field("mid_channels");
  Bottleneck block;
  block.kernel = kernel_of(conv);
  block.stride = conv.field("stride").int32(1, 4);
  block.expand = expansion != 1;
  block.mid = mid ? mid->int32(1, kMaxChannels) : static_cast<std::int32_t>(std::lround(in * expansion));
  if (!block.expand && block.mid != in) mid->fail("the input's " + std::to_string(in) + " channels at ratio 1");
  block.out = channels_of(conv, "out_channels");
  block.residual = has_shortcut(json);
  if (block.residual && (block.stride != 1 || block.out != in)) {
    json.field("shortcut").fail("none where the stride is not 1 or the channels differ");
  }
  net.bottleneck(prefix, block);
}

Graph import_published(const JsonReader& json, std::int32_t resolution) {
  const JsonReader stem = json.field("first_conv");
  if (resolution <= 0) resolution = json.field("resolution").int32(1, kMaxResolution);
  const auto name = json.optional_field("name");
  NetworkBuilder net(name ? name->string() : "network", resolution, channels_of(stem, "in_channels"));
  read_conv(stem, "stem", net);
  const auto blocks = json.field("blocks").items();
  if (blocks.size() > kMaxBlocks)
    throw InputError(json.place() + ".blocks: expected at most 1024 blocks, got " + std::to_string(blocks.size()));
  net.reserve(4 * blocks.size() + 4);
  for (std::size_t i = 0; i < blocks.size(); ++i) read_block(blocks[i], "blocks." + std::to_string(i) + ".", net);
  if (const auto mix = json.optional_field("feature_mix_layer")) read_conv(*mix, "feature_mix", net);
  const JsonReader classifier = json.field("classifier");
  expect_name(classifier, "LinearLayer");
  expect_input(classifier, "in_features", net.channels());
  net.global_pool("pool");
  net.classifier("classifier", classifier.field("out_features").int32(1, kMaxClasses));
  return net.take();
}

SpacePoint read_point(const JsonReader& json) {
  SpacePoint point{space_from_json(json.field("space").raw(), json.place() + ".space"),
                   arch_from_json(json.field("arch").raw(), json.place() + ".arch")};
  validate(point.space, point.arch);
  return point;
}

}  // namespace

SpacePoint parse_space_point(const std::string& text) {
  const nlohmann::json document = parse_json(text, "arch.json");
  return read_point(JsonReader(document, "arch.json"));
}

std::string to_json_text(const SpacePoint& point) {
  return nlohmann::json{{"space", to_json(point.space)}, {"arch", to_json(point.arch)}}.dump(1);
}

Graph import_architecture(const std::string& text, std::int32_t resolution) {
  if (resolution > kMaxResolution) {
    throw InputError("[architecture] resolution: expected at most " + std::to_string(kMaxResolution) + ", got " +
                     std::to_string(resolution));
  }
  const nlohmann::json document = parse_json(text, "architecture");
  const JsonReader reader(document, "architecture");
  if (!document.is_object()) reader.fail("an object");
  if (!document.contains("arch")) return import_published(reader, resolution);
  SpacePoint point = read_point(reader);
  if (resolution > 0) point.arch.resolution = resolution;
  return build_graph(point.space, point.arch);
}

}  // namespace tinynas
