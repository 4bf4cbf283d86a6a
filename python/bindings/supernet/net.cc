#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "module.h"
#include "space/json.h"
#include "supernet/supernet.h"
#include "supernet/train_step.h"

namespace py = pybind11;
using tinynas::BatchNormStats;
using tinynas::Supernet;

void bind_net(py::module_& m) {
  py::class_<BatchNormStats>(m, "BatchNormStats",
                             "Mean and variance per BatchNorm layer; None where the arch has no such layer.")
      .def_readonly("mean", &BatchNormStats::mean)
      .def_readonly("variance", &BatchNormStats::variance);

  py::class_<Supernet, std::shared_ptr<Supernet>>(m, "Supernet")
      .def(py::init([](const std::string& space, bool kernel_transforms, std::uint64_t seed) {
             return std::make_shared<Supernet>(tinynas::parse_space(space),
                                               tinynas::SupernetOptions{kernel_transforms, seed});
           }),
           py::arg("space"), py::kw_only(), py::arg("kernel_transforms") = true, py::arg("seed") = 0)
      .def(
          "forward",
          [](const Supernet& net, const at::Tensor& x, const std::string& arch, const BatchNormStats* stats, bool fused) {
            const tinynas::Arch point = tinynas::parse_arch(arch);
            const py::gil_scoped_release release;
            return net.forward(x, point, {.given = stats, .fused = fused});
          },
          "Logits of one subnet for x [N, C, R, R]; without statistics it normalises with the batch's own.", py::arg("x"),
          py::arg("arch"), py::arg("stats") = nullptr, py::arg("fused") = true)
      .def(
          "logits",
          [](const Supernet& net, const at::Tensor& images, const std::string& arch, const BatchNormStats& stats) {
            const tinynas::Arch point = tinynas::parse_arch(arch);
            const py::gil_scoped_release release;
            const c10::NoGradGuard no_grad;
            return net.forward(tinynas::normalise_images(images), point, {.given = &stats});
          },
          "Logits for uint8 pictures [N, R, R, C], without gradients.", py::arg("images"), py::arg("arch"), py::arg("stats"))
      .def(
          "predict",
          [](const Supernet& net, const at::Tensor& images, const std::string& arch, const BatchNormStats& stats) {
            const tinynas::Arch point = tinynas::parse_arch(arch);
            const py::gil_scoped_release release;
            const c10::NoGradGuard no_grad;
            return net.forward(tinynas::normalise_images(images), point, {.given = &stats}).argmax(1);
          },
          "Classes [N] of uint8 pictures [N, R, R, C].", py::arg("images"), py::arg("arch"), py::arg("stats"))
      .def(
          "parameters",
          [](const Supernet& net) {
            py::list result;
            for (const tinynas::Parameter& p : net.parameters()) result.append(py::make_tuple(p.name, p.value));
            return result;
          },
          "(name, tensor) of every parameter; the tensors are the network's own.")
      .def(
          "to", [](Supernet& net, const std::string& device) { net.to(at::Device(device)); }, py::arg("device"))
      .def_property_readonly("space", [](const Supernet& net) { return tinynas::to_json(net.space()).dump(); })
      .def_property_readonly("kernel_transforms", [](const Supernet& net) { return net.options().kernel_transforms; });
}
