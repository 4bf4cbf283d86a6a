/* Set-up around loops in assembly: compiled for size whatever the options say. */
#ifndef TINYNAS_DSP_FOR_SIZE_H
#define TINYNAS_DSP_FOR_SIZE_H

#ifdef __GNUC__
#define TN_FOR_SIZE __attribute__((cold))
#else
#define TN_FOR_SIZE
#endif

#endif
