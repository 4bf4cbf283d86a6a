/* A camera that delivers rows: an interrupt fills one of two buffers while the program works on the other. */
#ifndef CAMERA_H
#define CAMERA_H

#include <stdint.h>

/* Starts a picture; rows of `width` RGB565 pixels arrive from now on, the first one first. */
void camera_start(int32_t width, int32_t height);
/* Waits for row y; its pixels stay until the row after the next one has arrived. */
const uint16_t* camera_row(int32_t y);
/* Rows that were overwritten before camera_row asked for them: the program was too slow for the camera. */
int32_t camera_rows_lost(void);

#endif
