// Plans and costs as JSON, for Python, reports and files.
#pragma once

#include <string>
#include <string_view>

#include "oracle/oracle.h"
#include "oracle/plan.h"

namespace tinynas {

/// Keys are the names of the fields; layouts are "nhwc" or "planar".
[[nodiscard]] std::string plan_to_json(const Plan& plan);

/// Throws InputError for broken text, an unknown or missing key, or a value of the wrong type. The plan is not checked
/// (checker.h).
[[nodiscard]] Plan plan_from_json(std::string_view text);

[[nodiscard]] std::string cost_to_json(const Cost& cost);

}  // namespace tinynas
