/* Classifies one image: classify net.fb image.ppm */
#include <stdio.h>
#include <stdlib.h>

#include "cssrun/c.h"
#include "ppm.h"

static void Log(void* context, cssrun_log_level level, const char* message) {
  (void)context;
  if (level == CSSRUN_LOG_WARNING) fprintf(stderr, "%s\n", message);
}

int main(int argc, char** argv) {
  cssrun_status status;
  cssrun_load_options options = CSSRUN_LOAD_OPTIONS_INIT;
  cssrun_network* network = NULL;
  cssrun_session* session = NULL;
  cssrun_network_info info = {.struct_size = sizeof info};
  cssrun_answer answer = {.struct_size = sizeof answer};
  uint8_t *picture = NULL, *pixels = NULL;
  uint32_t width, height;
  size_t count;
  int failed = 1;

  if (argc != 3) {
    fprintf(stderr, "usage: %s net.fb image.ppm\n", argv[0]);
    return 2;
  }
  options.log = Log;
  if (cssrun_network_load(argv[1], &options, &network, &status) != CSSRUN_OK) goto error;
  if (cssrun_network_get_info(network, &info, &status) != CSSRUN_OK) goto error;
  count = (size_t)info.channels * info.height * info.width;
  picture = ReadPpm(argv[2], &width, &height);
  pixels = (uint8_t*)malloc(count);
  if (picture == NULL || pixels == NULL) goto done;
  /* Resizes and cuts out, as the network was trained. */
  if (cssrun_network_preprocess(network, picture, width, height, pixels, count, &status) !=
      CSSRUN_OK) {
    goto error;
  }

  if (cssrun_session_create(network, NULL, &session, &status) != CSSRUN_OK) goto error;
  if (cssrun_session_run_bytes(session, pixels, count, CSSRUN_INTERLEAVED, &status) != CSSRUN_OK) {
    goto error;
  }
  if (cssrun_session_get_answer(session, &answer, &status) != CSSRUN_OK) goto error;
  if (cssrun_network_label(network, answer.best) != NULL) {
    printf("%s %.3f\n", cssrun_network_label(network, answer.best), answer.logits[answer.best]);
  } else {
    printf("%u %.3f\n", answer.best, answer.logits[answer.best]);
  }
  failed = 0;
  goto done;

error:
  fprintf(stderr, "%s\n", status.message);
done:
  free(picture);
  free(pixels);
  cssrun_session_free(session);
  cssrun_network_free(network);
  return failed;
}
