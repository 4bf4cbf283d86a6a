#include "tinynas/helium.h"

void tn_helium_depthwise_s4(const tn_step* step, const tn_helium_depthwise_s4_params* params) {
  const tn_step wide = tn_helium_widen(step, &params->maps);
  tn_helium_depthwise(&wide, &params->body);
  tn_helium_narrow(step, &wide, &params->maps);
}
