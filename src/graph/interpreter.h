// The reference interpreter: what every operator computes, in float for f32 tensors and in TensorFlow Lite Micro's integer
// arithmetic for the others, to the bit. Written to be obviously right; only its inner loops are laid out so that a compiler
// can vectorise them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "graph/graph.h"

namespace tinynas {

/// The values of one tensor: row-major, little-endian, s4 two to a byte with the low nibble first (graph.h).
using Bytes = std::vector<std::uint8_t>;

/// The values of a tensor with an s4 as one int8 each, and packed again: constants without gaps, activations row by row.
/// Tensors of other types stay as they are.
[[nodiscard]] Bytes unpack_values(const Tensor& tensor, const Bytes& packed);
[[nodiscard]] Bytes pack_values(const Tensor& tensor, Bytes values);

/// A graph made ready to run. `run` may be called from several threads at once.
class Interpreter {
 public:
  /// Validates the graph; InputError when it is broken, when a constant has no data, or when integer tensors lack their
  /// scale. The graph is copied as far as it is needed.
  explicit Interpreter(const Graph& graph);
  ~Interpreter();
  Interpreter(Interpreter&&) noexcept;
  Interpreter& operator=(Interpreter&&) noexcept;

  /// One Bytes per graph input, of exactly the input's size (InputError otherwise); returns one per graph output.
  [[nodiscard]] std::vector<Bytes> run(const std::vector<Bytes>& inputs) const;
  /// The same, returning every tensor by its index; constants stay empty.
  [[nodiscard]] std::vector<Bytes> run_all(const std::vector<Bytes>& inputs) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// One run of one graph.
[[nodiscard]] std::vector<Bytes> run(const Graph& graph, const std::vector<Bytes>& inputs);
[[nodiscard]] std::vector<Bytes> run_all(const Graph& graph, const std::vector<Bytes>& inputs);

}  // namespace tinynas
