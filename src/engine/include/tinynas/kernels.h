/* The whole vocabulary. */
#ifndef TINYNAS_KERNELS_H
#define TINYNAS_KERNELS_H

#include "tinynas/elementwise.h"
#include "tinynas/move.h"
#include "tinynas/reduce.h"
#include "tinynas/ring.h"
#include "tinynas/scratch.h"
#include "tinynas/step.h"
#include "tinynas/window.h"

#endif
