/* The application: picture by picture through the network. The same object runs on the board and in the emulator. */
#include "board.h"
#include "firmware_sizes.h"
#include "model.h"

static const int32_t input_bytes[] = FIRMWARE_INPUT_BYTES;
static const int32_t output_bytes[] = FIRMWARE_OUTPUT_BYTES;

int main(void) {
  model_init();
  while (board_next_picture()) {
    for (int32_t i = TN_IMAGE_STREAMED; i < TN_INPUTS; ++i) board_fill(i, model_input_at(i), input_bytes[i]);
    board_begin();
    for (int32_t y = 0; TN_IMAGE_STREAMED && y < TN_INPUT_ROWS; ++y) model_push_row(board_row(y));
    model_run();
    board_end();
    for (int32_t i = 0; i < TN_OUTPUTS; ++i) board_result(i, model_output_at(i), output_bytes[i]);
  }
  board_done();
  return 0;
}
