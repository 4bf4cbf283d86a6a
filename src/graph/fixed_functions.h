// Exponential, logistic and hyperbolic tangent on fixed-point numbers, as gemmlowp defines them and TensorFlow Lite's int8
// SOFTMAX, LOGISTIC and TANH use them. A value "in Qn" is an int32 x that stands for x · 2^(n − 31).
#pragma once

#include <cstdint>

namespace tinynas {

/// exp(a) in Q0 for a <= 0 in Q5; exp(0) is the greatest int32.
[[nodiscard]] std::int32_t exp_on_negative_q5(std::int32_t a);
/// 1 / (1 + exp(−a)) in Q0 for a in Q4.
[[nodiscard]] std::int32_t logistic_q4(std::int32_t a);
/// tanh(a) in Q0 for a in Q4.
[[nodiscard]] std::int32_t tanh_q4(std::int32_t a);
/// 1 / (1 + a) in Q0 for a in [0, 1] in Q0.
[[nodiscard]] std::int32_t one_over_one_plus_q0(std::int32_t a);

}  // namespace tinynas
