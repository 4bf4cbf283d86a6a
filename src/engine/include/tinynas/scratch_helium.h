/* Scratch of the helium kernels; included by scratch.h only. What a set has no body for runs the portable one. */
#ifndef TINYNAS_SCRATCH_HELIUM_H
#define TINYNAS_SCRATCH_HELIUM_H

static inline int32_t tn_scratch_helium(tn_kind kind, const tn_shape* shape) { return tn_scratch_portable(kind, shape); }

#endif
