// A loop over independent items on several threads. Results go by index, so they do not depend on the number of threads.
#pragma once

#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace tinynas {

/// Calls body(i) for every i in [0, count). The first exception stops the loop and is thrown again here. `threads` below 1:
/// all hardware threads.
template <typename Body>
void parallel_for(std::size_t count, int threads, const Body& body) {
  std::atomic<std::size_t> next{0};
  std::exception_ptr error;
  std::mutex mutex;
  const auto work = [&] {
    for (std::size_t i = next++; i < count; i = next++) {
      try {
        body(i);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!error) error = std::current_exception();
        next = count;
      }
    }
  };
  const std::size_t wanted = threads < 1 ? std::thread::hardware_concurrency() : static_cast<std::size_t>(threads);
  std::vector<std::jthread> pool;
  for (std::size_t t = 1; t < wanted && t < count; ++t) pool.emplace_back(work);
  work();
  pool.clear();  // joins
  if (error) std::rethrow_exception(error);
}

}  // namespace tinynas
