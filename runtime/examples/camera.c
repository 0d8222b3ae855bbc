/* Classifies a series of frames, as from a camera, each within a time budget:
 *     camera net.fb frame.ppm FRAMES BUDGET_MS
 * Each frame is the image moved up by one more row. A run ends when the network is sure of the
 * class, or when the budget is used up; the reading so far is then the answer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cssrun/c.h"
#include "ppm.h"

static const char* EndingName(cssrun_ending ending) {
  switch (ending) {
    case CSSRUN_COMPLETE:
      return "complete";
    case CSSRUN_SURE:
      return "sure";
    case CSSRUN_LATE:
      return "late";
    default:
      return "stopped";
  }
}

int main(int argc, char** argv) {
  cssrun_status status;
  cssrun_network* network = NULL;
  cssrun_session* session = NULL;
  cssrun_session_options options = CSSRUN_SESSION_OPTIONS_INIT;
  cssrun_network_info info = {.struct_size = sizeof info};
  uint8_t *picture = NULL, *frame = NULL, *row = NULL;
  uint32_t width, height;
  size_t count, row_size;
  int i, dropped = 0, failed = 1;

  if (argc != 5) {
    fprintf(stderr, "usage: %s net.fb frame.ppm FRAMES BUDGET_MS\n", argv[0]);
    return 2;
  }
  if (cssrun_network_load(argv[1], NULL, &network, &status) != CSSRUN_OK) goto error;
  if (cssrun_network_get_info(network, &info, &status) != CSSRUN_OK) goto error;
  row_size = (size_t)info.channels * info.width;
  count = row_size * info.height;
  picture = ReadPpm(argv[2], &width, &height);
  frame = (uint8_t*)malloc(count);
  row = (uint8_t*)malloc(row_size);
  if (picture == NULL || frame == NULL || row == NULL) goto done;
  if (cssrun_network_preprocess(network, picture, width, height, frame, count, &status) !=
      CSSRUN_OK) {
    goto error;
  }

  options.time_limit_ns = (uint64_t)(atof(argv[4]) * 1e6);
  options.early_exit = 1;
  /* The margin that the converter measured, if it did. */
  options.early_exit_margin = info.early_exit_margin >= 0 ? info.early_exit_margin : 2.0;
  if (cssrun_session_create(network, &options, &session, &status) != CSSRUN_OK) goto error;

  for (i = 0; i < atoi(argv[3]); ++i) {
    const cssrun_code code =
        cssrun_session_run_bytes(session, frame, count, CSSRUN_INTERLEAVED, &status);
    if (code == CSSRUN_TIMED_OUT) {
      ++dropped; /* the time was up before the first reading */
    } else if (code != CSSRUN_OK) {
      goto error;
    } else {
      cssrun_answer answer = {.struct_size = sizeof answer};
      if (cssrun_session_get_answer(session, &answer, &status) != CSSRUN_OK) goto error;
      printf("frame %d: class %u after %u of %u steps, %s\n", i, answer.best, answer.steps,
             info.latency_steps, EndingName(answer.ending));
    }
    memcpy(row, frame, row_size);
    memmove(frame, frame + row_size, count - row_size);
    memcpy(frame + count - row_size, row, row_size);
  }
  printf("%d dropped\n", dropped);
  failed = 0;
  goto done;

error:
  fprintf(stderr, "%s\n", status.message);
done:
  free(picture);
  free(frame);
  free(row);
  cssrun_session_free(session);
  cssrun_network_free(network);
  return failed;
}
