/* Order and addresses of pixels. */
#include "tinynas/pixels.h"

void tn_next_in_bands(tn_cursor* at, const tn_bands* bands) {
  const int32_t begin = at->y - (at->y + bands->lead) % bands->rows;
  const int32_t end = begin + bands->rows < bands->height ? begin + bands->rows : bands->height;
  if (at->y + 1 < end) {
    ++at->y;
  } else if (at->x + 1 < bands->width) {
    ++at->x;
    at->y = (int16_t)(begin < 0 ? 0 : begin);
  } else {
    at->x = 0;
    at->y = (int16_t)end;
  }
}

int tn_bands_there(tn_cursor at, const tn_bands* bands, int32_t rows, int32_t columns) {
  const int32_t y = rows - 1, x = columns - 1;
  if (y < 0 || x < 0 || at.y == bands->height) return 1;
  const int32_t now = (at.y + bands->lead) / bands->rows, wanted = (y + bands->lead) / bands->rows;
  if (wanted != now) return wanted < now;
  return x != at.x ? x < at.x : y < at.y;
}

int8_t* tn_pixel_at(const tn_pixel_map* map, int32_t y, int32_t x) {
  const tn_pixel_ring* ring = &map->rings[y % map->count];
  return ring->base + (y / map->count * map->width + x) % ring->slots * map->pixel_bytes;
}

/* One row of the window: columns left, left + step, ... */
static void row_taps(const tn_pixel_map* map, int32_t y, int32_t left, int32_t step, int32_t count, const int8_t* outside,
                     const int8_t** taps) {
  const tn_pixel_ring* ring = &map->rings[y % map->count];
  int32_t slot = -1;
  for (int32_t i = 0; i < count; ++i, left += step) {
    taps[i] = outside;
    if (left < 0 || left >= map->width) continue;
    if (slot < 0) {
      slot = (y / map->count * map->width + left) % ring->slots;
    } else {
      slot += step;
      if (slot >= ring->slots) slot -= ring->slots;
    }
    taps[i] = ring->base + slot * map->pixel_bytes;
  }
}

void tn_pixel_taps(const tn_pixel_map* map, const tn_geometry* geometry, int32_t top, int32_t left, const int8_t* outside,
                   const int8_t** taps) {
  const int32_t columns = geometry->kernel_w;
  for (int32_t ky = 0; ky < geometry->kernel_h; ++ky, top += geometry->dilation_h, taps += columns) {
    if (top >= 0 && top < map->height) {
      row_taps(map, top, left, geometry->dilation_w, columns, outside, taps);
    } else {
      for (int32_t kx = 0; kx < columns; ++kx) taps[kx] = outside;
    }
  }
}
