/* Builds with TN_PROBES: the board says how to count instructions around every step. */
#ifndef TINYNAS_PROBE_H
#define TINYNAS_PROBE_H

#include <stdint.h>

void tn_probe_begin(int32_t op);
void tn_probe_end(int32_t op);

#endif
