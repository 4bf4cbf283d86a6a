#include "supernet/qat.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "graph/error.h"
#include "graph/json.h"
#include "module.h"

namespace py = pybind11;
using tinynas::QatNet;
using tinynas::QatStep;

namespace {

std::shared_ptr<QatNet> make_net(const std::string& graph, const std::vector<std::string>& names) {
  return std::make_shared<QatNet>(tinynas::from_json(graph), tinynas::parse_formats(names));
}

void bind_qat_net(py::module_& m) {
  py::class_<QatNet, std::shared_ptr<QatNet>>(m, "QatNet", "A float graph with quantisers whose steps are learned (LSQ).")
      .def(py::init(&make_net), py::arg("graph"), py::arg("formats"))
      .def("initialise", &QatNet::initialise, "Steps from the weights and from one batch of uint8 pictures.",
           py::arg("images"), py::call_guard<py::gil_scoped_release>())
      .def(
          "start_from", [](QatNet& net, const std::string& quantised) { net.start_from(tinynas::from_json(quantised)); },
          "Steps, zero points and biases of what post-training quantisation made of the same graph.", py::arg("quantised"))
      .def(
          "logits",
          [](const QatNet& net, const at::Tensor& images, bool quantised) {
            const py::gil_scoped_release release;
            const c10::NoGradGuard no_grad;
            return net.forward(tinynas::normalise_images(images), quantised);
          },
          "Logits for uint8 pictures [N, R, R, C], without gradients.", py::arg("images"), py::arg("quantised") = true)
      .def(
          "to_graph", [](const QatNet& net) { return tinynas::to_json(net.to_graph()); }, "The integer graph as JSON.")
      .def(
          "parameters",
          [](const QatNet& net) {
            py::list result;
            for (const tinynas::Parameter& p : net.parameters()) result.append(py::make_tuple(p.name, p.value));
            return result;
          },
          "(name, tensor) of every parameter; the tensors are the network's own.")
      .def(
          "to", [](QatNet& net, const std::string& device) { net.to(at::Device(device)); }, py::arg("device"));
}

}  // namespace

void bind_qat(py::module_& m) {
  bind_qat_net(m);
  m.def(
      "quantize_lsq",
      [](const at::Tensor& v, const at::Tensor& step, double low, double high, double gradient_scale) {
        return tinynas::quantize_lsq(v, step, {low, high}, gradient_scale);
      },
      "v rounded to low..high steps, with LSQ's gradients.", py::arg("v"), py::arg("step"), py::arg("low"), py::arg("high"),
      py::arg("gradient_scale"));
  py::class_<QatStep>(m, "QatStep")
      .def(py::init<std::shared_ptr<QatNet>, const tinynas::TrainOptions&>(), py::arg("net"), py::arg("options"))
      .def(
          "accumulate",
          [](QatStep& step, const at::Tensor& images, const at::Tensor& labels, const std::vector<std::string>&,
             const std::optional<at::Tensor>& teacher) {
            tinynas::StepLosses losses;
            {
              const py::gil_scoped_release release;
              losses = step.accumulate(images, labels, teacher.value_or(at::Tensor()));
            }
            return py::make_tuple(losses.first, losses.others, losses.correct);
          },
          "As TrainStep's; the one network has no archs.", py::arg("images"), py::arg("labels"), py::arg("archs"),
          py::arg("teacher") = py::none())
      .def("clear_gradients", &QatStep::clear_gradients)
      .def("apply", &QatStep::apply, py::arg("learning_rate"), py::call_guard<py::gil_scoped_release>())
      .def_property_readonly("momentum", &QatStep::momentum)
      .def_property_readonly("average", [](const QatStep&) { return std::vector<at::Tensor>(); });
}
