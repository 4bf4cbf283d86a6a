// An oracle's answers for networks in another number format.
#pragma once

#include <memory>

#include "graph/formats.h"
#include "oracle/oracle.h"

namespace tinynas {

/// Costs and plans of graphs that describe sizes in int8 as if all layers but the ends had `format`; graphs with data have
/// their own and are taken as they are.
[[nodiscard]] std::unique_ptr<Oracle> in_format(std::shared_ptr<const Oracle> oracle, Format format);

}  // namespace tinynas
