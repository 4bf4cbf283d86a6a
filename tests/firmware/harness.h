/* What the programs of the emulated tests share; start.c has the bodies. */
#ifndef TINYNAS_TESTS_FIRMWARE_HARNESS_H
#define TINYNAS_TESTS_FIRMWARE_HARNESS_H

#include <stdint.h>

void print(const char* text);
void print_number(uint32_t value);
uint32_t crc_byte(uint32_t crc, uint8_t byte);

#endif
