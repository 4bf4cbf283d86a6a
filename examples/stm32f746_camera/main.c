/* A picture never lies in memory: each row goes from the camera's buffer through int8 into the network and is forgotten. */
#include <stdint.h>

#include "board.h"
#include "camera.h"
#include "model.h"

enum { CHANNELS = 3, WIDTH = TN_INPUT_ROW_BYTES / CHANNELS };
_Static_assert(TN_INPUT_ROW_BYTES % CHANNELS == 0, "the camera gives colours: expected a network of 3 input channels");

/* RGB565 to what the network was trained on: pixel - 128, each colour spread over 8 bits. */
static void to_int8(const uint16_t* pixels, int8_t* row) {
  for (int32_t x = 0; x < WIDTH; ++x) {
    const uint32_t red = pixels[x] >> 11, green = (pixels[x] >> 5) & 63u, blue = pixels[x] & 31u;
    row[CHANNELS * x] = (int8_t)((int32_t)(red << 3 | red >> 2) - 128);
    row[CHANNELS * x + 1] = (int8_t)((int32_t)(green << 2 | green >> 4) - 128);
    row[CHANNELS * x + 2] = (int8_t)((int32_t)(blue << 3 | blue >> 2) - 128);
  }
}

int main(void) {
  static int8_t row[TN_INPUT_ROW_BYTES];
  model_init();
  do {
    camera_start(WIDTH, TN_INPUT_ROWS);
    for (int32_t y = 0; y < TN_INPUT_ROWS; ++y) {
      to_int8(camera_row(y), row);
      model_push_row(row);
    }
    model_run();
  } while (board_show(model_output(), TN_OUTPUT_BYTES, camera_rows_lost()));
  return 0;
}
