// Bad input, the one error class that crosses into Python (as tinynas.InputError, exit code 2).
#pragma once

#include <stdexcept>
#include <string>

namespace tinynas {

/// Thrown when what a user gave cannot be used. The message names the place, what was expected and what came:
/// "[plan] operator 3 (conv2d): expected weights of rank 4, got rank 2".
class InputError : public std::runtime_error {
 public:
  explicit InputError(const std::string& message) : std::runtime_error(message) {}
};

}  // namespace tinynas
