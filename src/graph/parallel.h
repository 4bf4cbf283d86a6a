// A loop over independent items on several threads.
#pragma once

#include <cstddef>
#include <functional>

namespace tinynas {

/// Calls body(i) for every i in 0..count-1, on `threads` threads (0: as many as the machine has cores). The first exception
/// of a body ends the loop and is thrown here.
void run_parallel(std::size_t count, std::size_t threads, const std::function<void(std::size_t)>& body);

}  // namespace tinynas
