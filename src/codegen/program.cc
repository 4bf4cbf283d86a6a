#include "codegen/program.h"

#include <algorithm>
#include <utility>

#include "codegen/kernel_call.h"
#include "graph/error.h"
#include "graph/operators.h"
#include "graph/shape.h"
#include "graph/validate.h"
#include "oracle/kernels/scratch.h"

namespace tinynas {
namespace {

class Builder {
 public:
  Builder(const Graph& graph, const Plan& plan, const ProgramOptions& options)
      : graph_(graph), plan_(plan), rows_(make_row_graph(graph)), set_(kernels_for(kernel_set(options.core))) {
    program_.graph = &graph;
    program_.plan = &plan;
    program_.options = options;
  }

  Program build() {
    check_cover();
    if (plan_.image_streamed) program_.image = graph_.inputs.front();
    add_rings();
    if (program_.image >= 0) program_.image_target = map_of(program_.image);
    program_.step_of_tensor.assign(graph_.tensors.size(), -1);
    program_.steps.resize(graph_.operators.size());
    for (std::size_t s = 0; s < plan_.segments.size(); ++s) add_segment(static_cast<std::int32_t>(s));
    return std::move(program_);
  }

 private:
  void check_cover() const {
    std::vector<int> count(graph_.operators.size(), 0);
    for (const auto& segment : plan_.segments) {
      for (const auto op : segment.operators) {
        if (op < 0 || op >= static_cast<std::int32_t>(count.size()))
          throw InputError("[codegen] the plan is not one of this graph");
        ++count[static_cast<std::size_t>(op)];
      }
    }
    if (std::any_of(count.begin(), count.end(), [](int n) { return n != 1; })) {
      throw InputError("[codegen] expected a plan that runs every operator once");
    }
  }

  [[nodiscard]] const Buffer* buffer_of(std::int32_t tensor) const {
    for (const auto& buffer : plan_.buffers) {
      if (buffer.tensor == tensor) return &buffer;
    }
    return nullptr;
  }

  [[nodiscard]] std::string arena_at(std::int64_t offset) const { return "arena + " + std::to_string(offset); }

  void add_rings() {
    program_.ring_of_tensor.assign(graph_.tensors.size(), -1);
    for (const auto& buffer : plan_.buffers) {
      if (buffer.tensor < 0) continue;
      const auto t = static_cast<std::size_t>(buffer.tensor);
      program_.ring_of_tensor[t] = static_cast<std::int32_t>(program_.rings.size());
      program_.rings.push_back(
          {"ring_" + std::to_string(t), arena_at(buffer.offset), buffer.row_bytes, rows_.tensors[t].rows, buffer.rows});
    }
  }

  [[nodiscard]] Layout layout_of(std::int32_t tensor) const {
    const Buffer* buffer = tensor < 0 ? nullptr : buffer_of(tensor);
    return buffer == nullptr ? Layout::nhwc : buffer->layout;
  }

  void add_segment(std::int32_t index) {
    const auto& segment = plan_.segments[static_cast<std::size_t>(index)];
    ProgramSegment out;
    out.by_pixels = segment.grain == Grain::pixels;
    std::int64_t accumulators = 0;
    for (std::size_t i = 0; i < segment.operators.size(); ++i) {
      const auto op = segment.operators[i];
      auto& step = program_.steps[static_cast<std::size_t>(op)];
      step.op = op;
      step.segment = index;
      step.counter = static_cast<std::int32_t>(i);
      step.batch = segment.rows_at_once.empty() ? 1 : segment.rows_at_once[i];
      step.by_pixels = out.by_pixels;
      choose_kernel(step, segment);
      add_inputs(step);
      if (step.by_pixels) add_sources(step);
      if (step.call.form == CallForm::accumulate) {
        step.scratch_offset = scratch_base(segment) + accumulators;
        accumulators += step.call.scratch_bytes;
      }
      program_.step_of_tensor[static_cast<std::size_t>(rows_.operators[static_cast<std::size_t>(op)].output)] = op;
      out.steps.push_back(op);
    }
    place_scratch(segment, accumulators);
    connect(segment, index, out);
    add_fills(index, out);
    auto& counters = out.by_pixels ? program_.cursors : program_.counters;
    counters = std::max(counters, static_cast<std::int32_t>(segment.operators.size()));
    program_.segments.push_back(std::move(out));
  }

  [[nodiscard]] std::int64_t scratch_base(const Segment& segment) const {
    return segment.scratch < 0 ? 0 : plan_.buffers[static_cast<std::size_t>(segment.scratch)].offset;
  }

  void place_scratch(const Segment& segment, std::int64_t accumulators) {
    const std::int64_t there = segment.scratch < 0 ? 0 : plan_.buffers[static_cast<std::size_t>(segment.scratch)].bytes;
    for (const auto op : segment.operators) {
      auto& step = program_.steps[static_cast<std::size_t>(op)];
      if (step.call.form == CallForm::accumulate || step.call.scratch_bytes == 0) continue;
      step.scratch_offset = scratch_base(segment) + accumulators;
      if (accumulators + step.call.scratch_bytes > there) {
        throw InputError("[codegen] " + operator_text(graph_, static_cast<std::size_t>(op)) + ": expected scratch of " +
                         std::to_string(accumulators + step.call.scratch_bytes) + " bytes, the plan has " +
                         std::to_string(there));
      }
    }
  }

  void choose_kernel(Step& step, const Segment& segment) {
    const Operator& op = graph_.operators[static_cast<std::size_t>(step.op)];
    const auto& info = rows_.operators[static_cast<std::size_t>(step.op)];
    KernelRequest request;
    request.graph = &graph_;
    request.op = step.op;
    request.prefer = program_.options.prefer;
    request.input = layout_of(op.inputs.front());
    request.output = layout_of(op.outputs.front());
    request.rows_at_once = step.batch;
    request.in_place = works_in_place(op, buffer_of(op.outputs.front()));
    request.accumulates = info.mode == RowMode::accumulate && segment.scratch >= 0;
    request.by_pixels = step.by_pixels;
    auto call = step.by_pixels ? std::nullopt : set_.choose(request);
    step.call = call ? std::move(*call) : *portable_kernels().choose(request);
    step.output_rows = info.mode == RowMode::accumulate ? 1 : rows_.tensor(info.output).rows;
    step.input_rows = row_count(tensor_at(graph_, op.inputs.front()).shape);
    if (info.mode != RowMode::rows && step.call.form == CallForm::rows) {
      if (info.mode == RowMode::whole) refuse(request, "a kernel for whole tensors", step.call.function);
    }
    if (step.call.form == CallForm::whole) step.batch = step.output_rows;
  }

  void add_inputs(Step& step) {
    const Operator& op = graph_.operators[static_cast<std::size_t>(step.op)];
    const auto window = kernel_window(graph_, op);
    const bool weighted =
        std::holds_alternative<FullyConnected>(op.kind) || std::holds_alternative<PRelu>(op.kind) || window;
    const std::size_t count = weighted ? 1 : op.inputs.size();
    for (std::size_t i = 0; i < count; ++i) {
      Input input;
      input.ring = operand_ring(step, op.inputs[i]);
      if (step.call.form == CallForm::rows && window) {
        input.stride = window->window.stride_h;
        input.pad = window->window.padding.top;
        input.extent = (window->kernel_h - 1) * window->window.dilation_h + 1;
      }
      if (step.call.form == CallForm::rows && std::holds_alternative<Pad>(op.kind)) {
        const auto& amounts = std::get<Pad>(op.kind).amounts;
        if (amounts.size() == 4) input.pad = amounts[1][0];
      }
      step.inputs.push_back(input);
    }
    step.output_ring = program_.ring_of_tensor[static_cast<std::size_t>(op.outputs.front())];
    if (step.output_ring < 0)
      throw InputError("[codegen] " + operator_text(graph_, static_cast<std::size_t>(step.op)) +
                       ": the plan has no buffer for its output");
  }

  /// The tensor's own ring; a new one where a single row stands for all rows of the output, or where the tensor is constant.
  std::int32_t operand_ring(const Step& step, std::int32_t tensor) {
    const auto t = static_cast<std::size_t>(tensor);
    const auto own = program_.ring_of_tensor[t];
    const Operator& op = graph_.operators[static_cast<std::size_t>(step.op)];
    const bool repeats = step.call.form == CallForm::rows && rows_.tensors[t].rows == 1 && step.output_rows > 1 &&
                         !kernel_window(graph_, op) && !std::holds_alternative<Pad>(op.kind);
    if (own >= 0 && !repeats) return own;
    Ring ring;
    const std::string suffix = std::to_string(step.op) + "_" + std::to_string(tensor);
    ring.name = "ring_" + suffix;
    ring.height = ring.slots = repeats ? step.output_rows : rows_.tensors[t].rows;
    ring.slot_bytes = repeats ? 0 : rows_.tensors[t].row_bytes;
    if (own >= 0) {
      ring.base = program_.rings[static_cast<std::size_t>(own)].base;
    } else {
      const Tensor& constant = graph_.tensors[t];
      if (!constant.constant) throw InputError("[codegen] tensor '" + constant.name + "': the plan has no buffer for it");
      const std::string name = "operand_" + suffix;
      if (constant.dtype != DType::s8)
        throw InputError("[codegen] constant '" + constant.name + "': expected int8, got " +
                         std::string(dtype_name(constant.dtype)));
      program_.operands.push_back({name, {name, "int8_t", constant_values(constant)}});
      ring.base = "(int8_t *)" + program_.options.name + "_" + name;
    }
    program_.rings.push_back(ring);
    return static_cast<std::int32_t>(program_.rings.size()) - 1;
  }

  /// Where the pixels of a tensor of the arena lie.
  [[nodiscard]] PixelSource map_of(std::int32_t tensor) const {
    const Buffer& buffer = *buffer_of(tensor);
    const auto& info = rows_.tensor(tensor);
    PixelSource map;
    map.name = "pixels_" + std::to_string(tensor);
    map.base = arena_at(buffer.offset);
    map.height = info.rows;
    map.width = info.columns;
    map.pixel_bytes = info.pixel_bytes();
    map.slots = buffer.pixels.empty() ? std::vector<std::int32_t>{info.pixels()} : buffer.pixels;
    if (map.slots.size() > 1) map.band = info.band;
    return map;
  }

  /// An operand that is no feature map of the arena: its rows and columns are those that numpy's rules broadcast.
  [[nodiscard]] PixelSource operand_source(std::int32_t tensor, std::int32_t ring) const {
    Shape shape = graph_.tensors[static_cast<std::size_t>(tensor)].shape;
    shape.insert(shape.begin(), 4 - std::min<std::size_t>(shape.size(), 4), 1);
    PixelSource source;
    source.base = program_.rings[static_cast<std::size_t>(ring)].base;
    source.height = shape[1];
    source.width = shape[2];
    source.pixel_bytes = rows_.tensor(tensor).bytes / (source.height * source.width);
    source.slots = {source.height * source.width};
    return source;
  }

  void add_sources(Step& step) {
    const Operator& op = graph_.operators[static_cast<std::size_t>(step.op)];
    step.target = map_of(op.outputs.front());
    for (std::size_t i = 0; i < step.inputs.size(); ++i) {
      const auto tensor = op.inputs[i];
      const bool map = tensor_at(graph_, tensor).shape.size() == 4 && buffer_of(tensor) != nullptr;
      auto source = map ? map_of(tensor) : operand_source(tensor, step.inputs[i].ring);
      if (const auto window = kernel_window(graph_, op); window && reads_taps(step.call)) {
        source.stride_h = window->window.stride_h;
        source.stride_w = window->window.stride_w;
        source.pad_top = window->window.padding.top;
        source.pad_left = window->window.padding.left;
      }
      if (const auto* pad = std::get_if<Pad>(&op.kind); pad != nullptr && pad->amounts.size() == 4) {
        source.pad_top = pad->amounts[1][0];
        source.pad_left = pad->amounts[2][0];
        source.may_miss = true;
      }
      step.sources.push_back(std::move(source));
    }
    const bool convolves = std::holds_alternative<Conv2D>(op.kind) || std::holds_alternative<DepthwiseConv2D>(op.kind);
    if (convolves && reads_taps(step.call)) step.outside = zero_points(op.inputs.front());
  }

  /// A constant pixel of the tensor's zero point, by bytes: what windows see of padding.
  [[nodiscard]] std::string zero_points(std::int32_t tensor) {
    const bool nibbles = tensor_at(graph_, tensor).dtype == DType::s4;
    const auto value = zero_point_of(tensor_at(graph_, tensor));
    const std::int64_t zero = nibbles ? static_cast<std::int8_t>((value & 15) * 0x11) : value;
    const std::int32_t values = channels_of(tensor_at(graph_, tensor));
    const auto bytes = static_cast<std::size_t>(nibbles ? (values + 1) / 2 : values);
    const std::string name = std::string("outside_") + (zero < 0 ? "m" : "") + std::to_string(std::abs(zero));
    const auto known = std::find_if(program_.operands.begin(), program_.operands.end(),
                                    [&](const Operand& operand) { return operand.name == name; });
    auto& operand =
        known == program_.operands.end() ? program_.operands.emplace_back(Operand{name, {name, "int8_t", {}}}) : *known;
    operand.array.values.resize(std::max(operand.array.values.size(), bytes), zero);
    return program_.options.name + "_" + name;
  }

  void connect(const Segment& segment, std::int32_t index, ProgramSegment& out) {
    const auto inside = [&](std::int32_t tensor) {
      const auto producer = rows_.tensor(tensor).producer;
      return producer >= 0 &&
             std::find(segment.operators.begin(), segment.operators.end(), producer) != segment.operators.end();
    };
    for (const auto op : segment.operators) {
      auto& step = program_.steps[static_cast<std::size_t>(op)];
      for (const auto& access : rows_.inputs(op)) {
        const bool streamed = index == 0 && access.tensor == program_.image;
        if (inside(access.tensor) || streamed) step.waits.push_back({access.tensor, access});
        if (streamed && (out.image_readers.empty() || out.image_readers.back() != op)) out.image_readers.push_back(op);
      }
      for (const auto reader : rows_.tensor(rows_.operators[static_cast<std::size_t>(op)].output).readers) {
        if (std::find(segment.operators.begin(), segment.operators.end(), reader) != segment.operators.end())
          step.readers.push_back(reader);
      }
    }
  }

  void add_fills(std::int32_t index, ProgramSegment& out) const {
    for (const auto& buffer : plan_.buffers) {
      if (buffer.layout != Layout::planar || buffer.first_segment != index) continue;
      const Tensor& map = tensor_at(graph_, buffer.tensor);
      if (map.shape[2] % 4 != 0) out.fills.push_back({buffer.offset, buffer.bytes, zero_point_of(map) + 128});
    }
  }

  const Graph& graph_;
  const Plan& plan_;
  RowGraph rows_;
  const KernelSet& set_;
  Program program_;
};

}  // namespace

Program make_program(const Graph& graph, const Plan& plan, const ProgramOptions& options) {
  validate(graph);
  return Builder(graph, plan, options).build();
}

}  // namespace tinynas
