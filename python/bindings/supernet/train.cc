#include "module.h"
#include "space/json.h"
#include "supernet/train_step.h"

namespace py = pybind11;
using tinynas::TrainOptions;
using tinynas::TrainStep;

namespace {

std::vector<tinynas::Arch> parse_archs(const std::vector<std::string>& texts) {
  std::vector<tinynas::Arch> archs;
  for (const std::string& text : texts) archs.push_back(tinynas::parse_arch(text));
  return archs;
}

void bind_options(py::module_& m) {
  py::enum_<tinynas::Distillation>(m, "Distillation")
      .value("none", tinynas::Distillation::none)
      .value("alpha", tinynas::Distillation::alpha)
      .value("soft", tinynas::Distillation::soft);
  py::class_<TrainOptions>(m, "TrainOptions")
      .def(py::init<>())
      .def_readwrite("distillation", &TrainOptions::distillation)
      .def_readwrite("label_smoothing", &TrainOptions::label_smoothing)
      .def_readwrite("label_share", &TrainOptions::label_share)
      .def_readwrite("momentum", &TrainOptions::momentum)
      .def_readwrite("weight_decay", &TrainOptions::weight_decay)
      .def_readwrite("clip_norm", &TrainOptions::clip_norm)
      .def_readwrite("ema_decay", &TrainOptions::ema_decay)
      .def_readwrite("mixed_precision", &TrainOptions::mixed_precision)
      .def_readwrite("fused", &TrainOptions::fused)
      .def_property(
          "alpha_min", [](const TrainOptions& o) { return o.divergence.alpha_min; },
          [](TrainOptions& o, double value) { o.divergence.alpha_min = value; })
      .def_property(
          "alpha_max", [](const TrainOptions& o) { return o.divergence.alpha_max; },
          [](TrainOptions& o, double value) { o.divergence.alpha_max = value; })
      .def_property(
          "ratio_clip", [](const TrainOptions& o) { return o.divergence.ratio_clip; },
          [](TrainOptions& o, double value) { o.divergence.ratio_clip = value; });
}

void bind_losses(py::module_& m) {
  const auto pair = [](const tinynas::LossGradient& value) { return std::make_pair(value.loss, value.gradient); };
  m.def(
      "label_loss",
      [pair](const at::Tensor& logits, const at::Tensor& labels, double smoothing) {
        return pair(tinynas::label_loss(logits, labels, smoothing));
      },
      "(mean loss, gradient by the logits)", py::arg("logits"), py::arg("labels"), py::arg("smoothing"));
  m.def(
      "alpha_divergence",
      [pair](const at::Tensor& logits, const at::Tensor& teacher, double low, double high, double clip) {
        return pair(tinynas::alpha_divergence(logits, teacher, {low, high, clip}));
      },
      "(mean loss, gradient by the logits)", py::arg("logits"), py::arg("teacher"), py::arg("alpha_min") = -1.0,
      py::arg("alpha_max") = 1.0, py::arg("ratio_clip") = 5.0);
}

}  // namespace

void bind_train(py::module_& m) {
  bind_options(m);
  bind_losses(m);
  m.def(
      "sandwich_archs",
      [](const std::string& space, std::optional<std::int32_t> resolution, std::optional<double> width, std::int32_t random,
         const std::array<std::uint64_t, 3>& seed_epoch_step) {
        std::vector<std::string> result;
        for (const tinynas::Arch& arch :
             tinynas::sandwich_archs(tinynas::parse_space(space), {resolution, width}, random, seed_epoch_step)) {
          result.push_back(tinynas::to_json(arch).dump());
        }
        return result;
      },
      "Largest, smallest and `random` drawn archs of one step, all at one resolution, by (seed, epoch, step).",
      py::arg("space"), py::arg("resolution"), py::arg("width"), py::arg("random"), py::arg("seed_epoch_step"));

  m.def(
      "sort_channels",
      [](const tinynas::Supernet& net, bool outer) {
        std::vector<at::Tensor> values;
        for (const tinynas::Parameter& parameter : net.parameters()) values.push_back(parameter.value);
        const auto which = outer ? tinynas::SortedChannels::all : tinynas::SortedChannels::mid;
        tinynas::reorder(values, tinynas::importance_order(net, which));
      },
      "Sorts channels by importance (outer: also those between blocks); the largest subnet computes the same.",
      py::arg("net"), py::arg("outer"));

  py::class_<TrainStep>(m, "TrainStep")
      .def(py::init<std::shared_ptr<tinynas::Supernet>, const TrainOptions&>(), py::arg("net"), py::arg("options"))
      .def(
          "accumulate",
          [](TrainStep& step, const at::Tensor& images, const at::Tensor& labels, const std::vector<std::string>& archs,
             const std::optional<at::Tensor>& teacher) {
            const std::vector<tinynas::Arch> points = parse_archs(archs);
            tinynas::StepLosses losses;
            {
              const py::gil_scoped_release release;
              losses = step.accumulate(images, labels, points, teacher.value_or(at::Tensor()));
            }
            return py::make_tuple(losses.first, losses.others, losses.correct);
          },
          "Adds one batch's gradients; (label loss of the first arch, mean loss of the others, correct of the first).",
          py::arg("images"), py::arg("labels"), py::arg("archs"), py::arg("teacher") = py::none())
      .def(
          "accumulate_there",
          [](TrainStep& step, const at::Tensor& images, const at::Tensor& labels, const std::vector<std::string>& archs,
             const std::optional<at::Tensor>& teacher) {
            const std::vector<tinynas::Arch> points = parse_archs(archs);
            const py::gil_scoped_release release;
            return step.accumulate_there(images, labels, points, teacher.value_or(at::Tensor()));
          },
          "As accumulate(), but the three values stay on the device, double [3]: nothing waits.", py::arg("images"),
          py::arg("labels"), py::arg("archs"), py::arg("teacher") = py::none())
      .def("clear_gradients", &TrainStep::clear_gradients)
      .def("apply", &TrainStep::apply, "Clips and updates; returns the gradient's norm.", py::arg("learning_rate"),
           py::call_guard<py::gil_scoped_release>())
      .def("apply_there", &TrainStep::apply_there, "As apply(), of and to a float [] on the device: nothing waits.",
           py::arg("learning_rate"), py::call_guard<py::gil_scoped_release>())
      .def(
          "sort_channels",
          [](TrainStep& step, bool outer) {
            step.sort_channels(outer ? tinynas::SortedChannels::all : tinynas::SortedChannels::mid);
          },
          "Sorts the network's channels by importance, with momentum and average; outer: also those between blocks.",
          py::arg("outer"))
      .def("restart", &TrainStep::restart, "No momentum any more; the average starts from the weights as they are.")
      .def_property_readonly("momentum", &TrainStep::momentum)
      .def_property_readonly("average", &TrainStep::average);
}
