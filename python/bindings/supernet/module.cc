// The module tinynas._supernet: what needs LibTorch. Spaces, archs and graphs cross as JSON text, weights as tensors.
#include "module.h"

#include "graph/error.h"

namespace py = pybind11;

PYBIND11_MODULE(_supernet, m) {
  m.doc() = "Supernet of tinynas: elastic forward, training step, recalibration, extraction";
  py::register_exception_translator([](std::exception_ptr pointer) {
    try {
      if (pointer) std::rethrow_exception(pointer);
    } catch (const tinynas::InputError& error) {
      py::set_error(py::module_::import("tinynas.errors").attr("InputError"), error.what());
    }
  });
  bind_net(m);
  bind_train(m);
  bind_extract(m);
  bind_qat(m);
}
