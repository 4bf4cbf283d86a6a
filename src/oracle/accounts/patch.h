// The schedule `patch` (Lin et al., MCUNetV2, 2021): the first operators of a network, its first stage, are computed patch
// by patch, p x p of them, each layer by layer with the halo that its windows need; the rest layer by layer. An account in
// TinyEngine's terms (tinyengine.h), for comparison; nothing here is executed by our engine.
#pragma once

#include <cstdint>

#include "graph/graph.h"
#include "oracle/oracle.h"

namespace tinynas {

/// The stage and the number of patches of least memory whose extra MACs stay within the budget of the options; of equals the
/// fewest MACs. Never more memory than `tinyengine`, which is the choice without a stage.
///
/// While the stage runs there live its whole output, which the patches are written into, and the tensors of one patch, the
/// image's part among them; the image itself is not counted. Halos are clipped at the border of the map. A depthwise
/// convolution reserves its window's reach over the patch, 2 * ((h - 1) * s + k) * ((w - 1) * s + k) bytes for h x w of
/// output. `macs` count halos as often as they are computed; `lower_bound_bytes` is 0 where there are any.
[[nodiscard]] Cost patch_cost(const Graph& graph, const ScheduleOptions& options);

}  // namespace tinynas
