/* Reads binary PPM images (P6, 8 bits) for the examples, which are in C and in C++. Real
 * applications decode images with a library of their choice, or take them from a camera. */
#ifndef CSSRUN_EXAMPLES_PPM_H_
#define CSSRUN_EXAMPLES_PPM_H_

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* NOLINTBEGIN(modernize-use-nullptr): C has no nullptr. */
/* Returns the width * height * 3 bytes of an image, row by row with interleaved channels, which the
 * caller frees. Prints an error and returns NULL if the file is no such image. */
static uint8_t* ReadPpm(const char* path, uint32_t* width, uint32_t* height) {
  FILE* file = fopen(path, "rb");
  unsigned file_width = 0, file_height = 0, largest = 0;
  uint8_t* pixels = NULL;
  size_t count;
  if (file == NULL) {
    fprintf(stderr, "%s: cannot open\n", path);
    return NULL;
  }
  if (fscanf(file, "P6 %u %u %u", &file_width, &file_height, &largest) != 3 || largest != 255 ||
      file_width == 0 || file_height == 0 || file_width > 16384 || file_height > 16384) {
    fprintf(stderr, "%s: not a binary PPM image of 8 bits\n", path);
  } else {
    fgetc(file); /* one white-space character ends the header */
    count = (size_t)file_width * file_height * 3;
    pixels = (uint8_t*)malloc(count);
    if (pixels != NULL && fread(pixels, 1, count, file) != count) {
      fprintf(stderr, "%s: ends too soon\n", path);
      free(pixels);
      pixels = NULL;
    }
  }
  fclose(file);
  *width = file_width;
  *height = file_height;
  return pixels;
}
/* NOLINTEND(modernize-use-nullptr) */

#endif /* CSSRUN_EXAMPLES_PPM_H_ */
