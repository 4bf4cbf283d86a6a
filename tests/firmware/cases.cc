// Writes C text with kernel calls for a firmware: reads lines that describe operators, makes weights and quantisation from
// their seeds, asks a kernel set for the call and the reference interpreter for the answer.
//
//   firmware_cases dsp|helium|thumb2|portable < lines > cases.c
//   line: name kind h w ci co kh kw stride pad_top pad_left pad_bottom pad_right activation flavour rows_at_once planar seed
//   kind: conv depthwise fc add; activation: none relu relu6; flavour: plain, extreme, dead (some
//   channels of so small a scale that their output never moves), w4 (weights of 4 bits), w4a4 (inputs
//   and outputs too), ends (w4a4, some channels with all weights at an end of the range); planar: 0, or
//   1 for rows of planes between (the output of a conv, the input of a depthwise)
#include <array>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <map>
#include <random>
#include <set>
#include <sstream>

#include "checksum.h"
#include "codegen/kernel_call.h"
#include "graph/error.h"
#include "graph/formats.h"
#include "graph/interpreter.h"
#include "graph/operators.h"
#include "oracle/kernels/scratch.h"
#include "oracle/rows.h"
#include "oracle/streaming/planar.h"

namespace tinynas {
namespace {

struct Line {
  std::string name, kind, activation, flavour;
  std::int32_t h = 1, w = 1, ci = 1, co = 1, kh = 1, kw = 1, stride = 1, top = 0, left = 0, bottom = 0, right = 0, rows = 1,
               planar = 0;
  std::uint32_t seed = 1;
};

std::istream& operator>>(std::istream& in, Line& l) {
  return in >> l.name >> l.kind >> l.h >> l.w >> l.ci >> l.co >> l.kh >> l.kw >> l.stride >> l.top >> l.left >> l.bottom >>
         l.right >> l.activation >> l.flavour >> l.rows >> l.planar >> l.seed;
}

template <class T>
std::vector<std::uint8_t> bytes_of(const std::vector<T>& values) {
  const auto* begin = reinterpret_cast<const std::uint8_t*>(values.data());
  return {begin, begin + values.size() * sizeof(T)};
}

class Maker {
 public:
  explicit Maker(const Line& line) : line_(line), random_(line.seed) {}

  Graph graph() {
    const bool map = line_.kind != "fc";
    const std::int32_t oh = map ? (line_.h + line_.top + line_.bottom - line_.kh) / line_.stride + 1 : 1;
    const std::int32_t ow = map ? (line_.w + line_.left + line_.right - line_.kw) / line_.stride + 1 : 1;
    graph_.name = "case";
    const bool clamps = line_.activation != "none" && !extreme();
    const std::int32_t least = four_bits() ? -8 : -128;
    add_tensor("x", map ? Shape{1, line_.h, line_.w, line_.ci} : Shape{1, line_.ci}, 0.02F, zero());
    add_tensor("y", map ? Shape{1, oh, ow, line_.co} : Shape{1, line_.co}, 6.0F / static_cast<float>(-2 * least - 1),
               clamps ? least : zero());
    Operator op;
    op.name = line_.name;
    op.outputs = {1};
    graph_.inputs = {0};
    graph_.outputs = {1};
    if (line_.kind == "add") {
      add_tensor("x2", {1, line_.h, line_.w, line_.ci}, std::exp(uniform(-5.0F, -3.0F)), zero());
      graph_.tensors[0].quantization.scale = {std::exp(uniform(-5.0F, -3.0F))};
      graph_.tensors[1].quantization.scale = {std::exp(uniform(-4.5F, -2.5F))};
      op.inputs = {0, 2};
      graph_.inputs = {0, 2};
      op.kind = Add{activation()};
    } else {
      op.inputs = {0, 2, 3};
      add_weights();
      Window window{line_.stride, line_.stride, 1, 1, {line_.top, line_.left, line_.bottom, line_.right}};
      if (line_.kind == "conv") op.kind = Conv2D{window, activation()};
      if (line_.kind == "depthwise") op.kind = DepthwiseConv2D{window, activation()};
      if (line_.kind == "fc") op.kind = FullyConnected{activation()};
    }
    graph_.operators.push_back(op);
    return graph_;
  }

 private:
  bool extreme() const { return line_.flavour == "extreme"; }
  bool four_bits() const { return line_.flavour == "w4a4" || line_.flavour == "ends"; }
  bool four_bit_weights() const { return four_bits() || line_.flavour == "w4"; }
  float uniform(float low, float high) { return std::uniform_real_distribution<float>(low, high)(random_); }
  std::int32_t integer(std::int32_t low, std::int32_t high) {
    return std::uniform_int_distribution<std::int32_t>(low, high)(random_);
  }
  std::int32_t zero() {
    const std::int32_t least = four_bits() ? -8 : -128;
    return integer(0, 3) == 0 ? least : integer(least, -least - 1);
  }

  Activation activation() const {
    if (line_.activation == "relu") return Activation::relu;
    return line_.activation == "relu6" ? Activation::relu6 : Activation::none;
  }

  void add_tensor(const std::string& name, const Shape& shape, float scale, std::int32_t zero_point) {
    Tensor t;
    t.name = name;
    t.shape = shape;
    t.quantization = {{scale}, {zero_point}, 0};
    if (four_bits()) t.dtype = DType::s4;
    graph_.tensors.push_back(t);
  }

  void add_weights() {
    const bool depthwise = line_.kind == "depthwise";
    const std::int32_t length = line_.kh * line_.kw * (depthwise ? 1 : line_.ci);
    Tensor weights, bias;
    weights.name = "w";
    weights.constant = bias.constant = true;
    weights.shape = depthwise ? Shape{1, line_.kh, line_.kw, line_.co} : Shape{line_.co, line_.kh, line_.kw, line_.ci};
    if (line_.kind == "fc") weights.shape = {line_.co, line_.ci};
    weights.quantization.axis = depthwise ? 3 : 0;
    std::vector<std::int8_t> w(static_cast<std::size_t>(length) * static_cast<std::size_t>(line_.co));
    const std::int32_t most = four_bit_weights() ? 7 : 127;
    for (auto& value : w) value = static_cast<std::int8_t>(integer(extreme() ? -128 : -most, most));
    std::vector<std::int32_t> b;
    for (std::int32_t c = 0; c < line_.co; ++c) add_channel(weights, b, length);
    if (extreme()) flatten_channels(w, depthwise, {-128, 127});
    if (line_.flavour == "ends") flatten_channels(w, depthwise, {-7, 7});
    if (four_bit_weights()) weights.dtype = DType::s4;
    weights.data = pack_values(weights, bytes_of(w));
    bias.name = "b";
    bias.shape = {line_.co};
    bias.dtype = DType::s32;
    bias.data = bytes_of(b);
    graph_.tensors.push_back(weights);
    graph_.tensors.push_back(bias);
  }

  /// A plain channel's outputs spread over the range; an extreme one has any multiplier and any bias.
  void add_channel(Tensor& weights, std::vector<std::int32_t>& bias, std::int32_t length) {
    const float deviation =
        std::sqrt(static_cast<float>(length)) * (four_bits() ? 4.6F : 74.0F) * (four_bit_weights() ? 4.3F : 73.0F);
    float scale = uniform(20.0F, 80.0F) / (four_bits() ? 16.0F : 1.0F) / deviation;
    std::int32_t b = static_cast<std::int32_t>(uniform(-0.5F, 1.0F) * deviation);
    if (extreme() && integer(0, 1) == 0) scale = std::exp2(uniform(-26.0F, 3.0F));
    if (line_.flavour == "dead" && integer(0, 2) == 0) {
      scale = std::exp2(uniform(-33.0F, -25.0F));
      b = integer(0, 1) == 0 ? 1 << 30 : -(1 << 30);
    }
    if (extreme() && integer(0, 2) == 0) b = static_cast<std::int32_t>(uniform(-1.0F, 1.0F) * 2.0e8F);
    weights.quantization.scale.push_back(scale * graph_.tensors[1].quantization.scale[0] / 0.02F);
    weights.quantization.zero_point.push_back(0);
    bias.push_back(b);
  }

  /// Some channels with all weights at an end of the range.
  void flatten_channels(std::vector<std::int8_t>& w, bool depthwise, std::array<std::int8_t, 2> ends) {
    const auto channels = static_cast<std::size_t>(line_.co), each = w.size() / channels;
    for (std::size_t c = 0; c < channels; ++c) {
      const auto kind = integer(0, 7);
      if (kind > 1) continue;
      for (std::size_t i = 0; i < each; ++i)
        w[depthwise ? i * channels + c : c * each + i] = ends[static_cast<std::size_t>(kind)];
    }
  }

  const Line& line_;
  std::mt19937 random_;
  Graph graph_;
};

std::size_t values_of(const Shape& shape) {
  std::size_t count = 1;
  for (const auto d : shape) count *= static_cast<std::size_t>(d);
  return count;
}

void write_params(const KernelCall& call, const std::string& prefix) {
  for (const auto& array : call.arrays) {
    std::cout << "static _Alignas(8) const " << array.type << " " << prefix << array.name << "[] = {";
    for (const auto value : array.values) std::cout << value << (array.type == "uint32_t" ? "u," : ",");
    std::cout << "};\n";
  }
  std::cout << "static const " << call.params_type << " " << prefix << "params = {\n";
  for (const auto& field : call.fields) {
    const bool array = field.value.front() == '$';
    std::cout << "  ." << field.name << " = " << (array ? prefix + field.value.substr(1) : field.value) << ",\n";
  }
  std::cout << "};\n";
}

std::string case_text(const Line& line, const Graph& graph, const KernelCall& call, const std::string& prefix) {
  std::vector<Bytes> inputs;
  for (std::size_t i = 0; i < graph.inputs.size(); ++i) {
    const Tensor& input = graph.tensors[static_cast<std::size_t>(graph.inputs[i])];
    const auto bytes = static_cast<std::size_t>(activation_bytes(input.shape, input.dtype));
    inputs.push_back(pseudo_random(bytes, line.seed + static_cast<std::uint32_t>(i)));
  }
  const auto& out = graph.tensors[1].shape;
  const bool map = out.size() == 4;
  const auto outputs = static_cast<std::int64_t>(values_of(out));
  const auto macs = line.kind == "add" ? 0 : outputs * line.kh * line.kw * (line.kind == "depthwise" ? 1 : line.ci);
  std::ostringstream text;
  text << "  {\"" << line.name << "\", (kernel_function*)" << call.function << ", &" << prefix << "params, " << line.h
       << ", " << line.w << ", " << line.ci << ", " << (map ? out[1] : 1) << ", " << (map ? out[2] : 1) << ", " << out.back()
       << ", " << line.kh << ", " << line.stride << ", 1, " << line.top << ", " << call.columns << ", " << line.rows << ", "
       << call.scratch_bytes << ", " << (line.planar != 0 && line.kind == "depthwise" ? planar_plane_bytes(line.w) : 0)
       << ", " << (line.planar != 0 && line.kind != "depthwise" ? planar_plane_bytes(out[2]) : 0) << ", " << macs << ", "
       << line.seed << "u, " << crc32(run(graph, inputs)[0]) << "u, " << graph.inputs.size() << ", "
       << graph.tensors[0].quantization.zero_point[0] << ", " << graph.tensors[1].quantization.zero_point[0] << ", "
       << dtype_bits(graph.tensors[0].dtype) << "},\n";
  return text.str();
}

int write_cases(const KernelSet& set) {
  std::cout << "#include \"case.h\"\n";
  std::set<std::string> headers;
  std::string table;
  int count = 0;
  for (std::string text; std::getline(std::cin, text);) {
    std::istringstream in(text);
    Line line;
    if (!(in >> line)) throw InputError("[firmware_cases] line '" + text + "': expected 18 words");
    const Graph graph = Maker(line).graph();
    KernelRequest request;
    request.graph = &graph;
    request.op = 0;
    request.prefer = Prefer::speed;
    request.rows_at_once = line.rows;
    if (line.planar != 0) (line.kind == "depthwise" ? request.input : request.output) = Layout::planar;
    auto call = set.choose(request);
    if (!call) {
      std::cerr << "portable kernel for " << line.name << "\n";
      call = portable_kernels().choose(request);
    }
    const std::string prefix = "c" + std::to_string(count++) + "_";
    for (const auto& header : call->headers) {
      if (headers.insert(header).second) std::cout << "#include \"" << header << "\"\n";
    }
    write_params(*call, prefix);
    table += case_text(line, graph, *call, prefix);
  }
  std::cout << "const test_case cases[] = {\n" << table << "};\nconst int32_t case_count = " << count << ";\n";
  return 0;
}

}  // namespace
}  // namespace tinynas

int main(int argc, char** argv) {
  using namespace tinynas;
  try {
    const std::map<std::string, const KernelSet*> sets = {{"dsp", &dsp_kernels()},
                                                          {"helium", &helium_kernels()},
                                                          {"thumb2", &thumb2_kernels()},
                                                          {"portable", &portable_kernels()}};
    const auto set = argc == 2 ? sets.find(argv[1]) : sets.end();
    if (set == sets.end()) throw InputError("[firmware_cases] expected one argument: dsp, helium, thumb2 or portable");
    return write_cases(*set->second);
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 2;
  }
}
