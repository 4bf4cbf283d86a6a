#include "oracle/kernels/kernel_work.h"

#include <variant>

#include "graph/formats.h"
#include "graph/shape.h"
#include "oracle/kernels/dsp_bodies.h"
#include "oracle/kernels/kernel_run.h"
#include "oracle/rows.h"

namespace tinynas {
namespace {

const Tensor& tensor_at(const Graph& graph, std::int32_t index) { return graph.tensors[static_cast<std::size_t>(index)]; }

/// A plan read operator by operator.
class Counter {
 public:
  Counter(const Graph& graph, const Plan& plan, const std::string& core)
      : graph_(graph), plan_(plan), set_(kernel_set(core)), rows_(make_row_graph(graph)), buffers_(graph.tensors.size()) {
    for (const auto& buffer : plan.buffers) {
      if (buffer.tensor >= 0) buffers_[static_cast<std::size_t>(buffer.tensor)] = &buffer;
    }
  }

  std::vector<KernelWork> run() const {
    std::vector<KernelWork> work(graph_.operators.size());
    for (const auto& segment : plan_.segments) {
      for (std::size_t i = 0; i < segment.operators.size(); ++i) {
        const auto batch = segment.rows_at_once.empty() ? 1 : segment.rows_at_once[i];
        work[static_cast<std::size_t>(segment.operators[i])] = count_operator(segment, segment.operators[i], batch);
      }
    }
    return work;
  }

 private:
  [[nodiscard]] const Buffer* buffer_of(std::int32_t tensor) const {
    return tensor < 0 ? nullptr : buffers_[static_cast<std::size_t>(tensor)];
  }

  [[nodiscard]] Layout layout_of(std::int32_t tensor) const {
    const auto* buffer = buffer_of(tensor);
    return buffer == nullptr ? Layout::nhwc : buffer->layout;
  }

  [[nodiscard]] bool in_place(const Operator& op) const { return works_in_place(op, buffer_of(op.outputs.front())); }

  [[nodiscard]] KernelWork count_operator(const Segment& segment, std::int32_t index, std::int32_t batch) const {
    const Operator& op = graph_.operators[static_cast<std::size_t>(index)];
    const auto& info = rows_.operators[static_cast<std::size_t>(index)];
    const auto& output = rows_.tensor(info.output);
    KernelWork work;
    count_values(index, work.terms);
    const bool unpacked = segment.grain != Grain::pixels && unpacks_offline(op);
    if (segment.grain == Grain::pixels) {
      const auto pixels = (info.mode == RowMode::accumulate ? rows_.tensor(op.inputs.front()) : output).pixels();
      work.kernel = "pixel_" + std::string(operator_name(op.kind));
      if (kernel_kind(graph_, op) == TN_KIND_POINTWISE) work.kernel = "pixel_pointwise";
      work.driver = "driver_pixels";
      count(work.terms, Term::call, pixels);
      count(work.driver_terms, Term::call, pixels);
    } else {
      const bool whole = info.mode == RowMode::whole || in_place(op);
      const auto rows = info.mode == RowMode::accumulate ? rows_.tensor(op.inputs.front()).rows : output.rows;
      work.kernel = count_rows({index, rows, whole ? rows : std::min(batch, rows)}, work.terms);
      work.driver = "driver";
      at(work.driver_terms, Term::call) = at(work.terms, Term::call);
    }
    work.kernel += bits_of(op, unpacked);
    count_image(segment, index, work.driver_terms);
    return work;
  }

  /// Whether the core's depthwise kernels have constants of int8, whatever the weights' bits.
  [[nodiscard]] bool unpacks_offline(const Operator& op) const {
    if (!std::holds_alternative<DepthwiseConv2D>(op.kind)) return false;
    if (set_ == TN_SET_HELIUM && helium_serves_maps(graph_, op)) return true;
    return (set_ == TN_SET_DSP || set_ == TN_SET_HELIUM) && dsp_body(graph_, op) != DspBody::none;
  }

  /// What a kernel of 4-bit values has behind its name.
  [[nodiscard]] std::string bits_of(const Operator& op, bool weights_unpacked) const {
    const auto four = [&](std::int32_t tensor) { return tensor_at(graph_, tensor).dtype == DType::s4; };
    std::string bits;
    if (has_weights(op) && !weights_unpacked && four(op.inputs[1])) bits += "_w4";
    if (four(op.inputs[0])) bits += "_i4";
    if (four(op.outputs[0])) bits += "_o4";
    return bits;
  }

  struct Steps {
    std::int32_t op, rows, batch;
  };

  [[nodiscard]] std::string count_rows(const Steps& steps, Terms& terms) const {
    const Operator& op = graph_.operators[static_cast<std::size_t>(steps.op)];
    const auto calls = (steps.rows + steps.batch - 1) / steps.batch;
    count(terms, Term::call, calls);
    count(terms, Term::row, steps.rows);
    count(terms, Term::row_pointer, steps.rows);
    for (const auto& access : rows_.inputs(steps.op)) {
      if (!access.all) {
        count(terms, Term::row_pointer, std::int64_t{steps.rows - calls} * access.stride + calls * access.extent);
      }
    }
    if (in_place(op)) return "depthwise_in_place";
    KernelRun run{graph_,
                  op,
                  set_,
                  kernel_shape(graph_, op, steps.batch),
                  {},
                  layout_of(op.inputs.front()),
                  layout_of(op.outputs.front()),
                  steps.rows};
    if (const auto window = kernel_window(graph_, op)) run.window = *window;
    auto name = matrix_work(run, terms);
    if (name.empty()) name = depthwise_work(run, terms);
    return name.empty() ? std::string(operator_name(op.kind)) : name;
  }

  void count_values(std::int32_t index, Terms& terms) const {
    const Operator& op = graph_.operators[static_cast<std::size_t>(index)];
    const auto outputs = element_count(tensor_at(graph_, op.outputs.front()).shape);
    count(terms, Term::output, outputs);
    for (const auto& access : rows_.inputs(index)) {
      count(terms, Term::input, element_count(tensor_at(graph_, access.tensor).shape));
    }
    auto macs = operator_macs(graph_, op);
    const bool pool = std::holds_alternative<AveragePool>(op.kind) || std::holds_alternative<MaxPool>(op.kind);
    if (const auto window = kernel_window(graph_, op); pool && window) {
      macs = outputs * window->kernel_h * window->kernel_w;
    }
    count(terms, Term::mac, macs);
  }

  /// The first operator that reads the streamed image pays for its rows.
  void count_image(const Segment& segment, std::int32_t index, Terms& terms) const {
    if (!plan_.image_streamed || &segment != &plan_.segments.front() || index != segment.operators.front()) return;
    const auto& image = rows_.tensor(graph_.inputs.front());
    count(terms, Term::row, image.rows);
    count(terms, Term::input, image.bytes);
  }

  const Graph& graph_;
  const Plan& plan_;
  tn_set set_;
  RowGraph rows_;
  std::vector<const Buffer*> buffers_;
};

}  // namespace

std::vector<KernelWork> kernel_work(const Graph& graph, const Plan& plan, const std::string& core) {
  return Counter(graph, plan, core).run();
}

}  // namespace tinynas
