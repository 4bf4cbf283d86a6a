// C text of the steps that compute one pixel at a time (segments of grain pixels).
#pragma once

#include <sstream>
#include <string>

#include "codegen/program.h"

namespace tinynas {

/// The C expression of a pixel's address; row and column count the map's own.
[[nodiscard]] std::string pixel_address(const PixelSource& source, const std::string& row, const std::string& column);

/// static void compute_N(int32_t y, int32_t x): output pixel (y, x) of operator N.
void write_pixel_compute(std::ostringstream& out, const Program& program, const Step& step);

/// static void run_N(void): every pixel of operator N that has become computable, and after each its readers.
void write_pixel_run(std::ostringstream& out, const Program& program, const Step& step);

/// Takes the pixels of a pushed row one by one.
void write_pixel_push(std::ostringstream& out, const Program& program);

/// What the pixel steps in `body` name: macros of checks, cursors, maps, bands.
[[nodiscard]] std::string pixel_declarations(const Program& program, const std::string& body);

}  // namespace tinynas
