#include "tests/c_api/c_checks.h"

#include <stdlib.h>
#include <string.h>

#define STRING_(x) #x
#define STRING(x) STRING_(x)
#define CHECK(condition)                                       \
  do {                                                         \
    if (!(condition)) return STRING(__LINE__) ": " #condition; \
  } while (0)

static int CountReadings(void* context, const cssrun_reading* reading) {
  int* readings = context;
  ++*readings;
  return reading->logit_count > 0 && reading->struct_size == sizeof(cssrun_reading);
}

static int StopAtOnce(void* context, const cssrun_reading* reading) {
  (void)context;
  (void)reading;
  return 0;
}

static void CountLines(void* context, cssrun_log_level level, const char* message) {
  if (level == CSSRUN_LOG_INFORMATION && strlen(message) > 0) ++*(int*)context;
}

/* By default nothing is counted, and who asks is told what to set. A program built before the
 * option passes a smaller struct, and gets what it always got. */
static const char* CheckCounting(const cssrun_network* network, const uint8_t* pixels,
                                 size_t count) {
  cssrun_status status;
  cssrun_session_options options = CSSRUN_SESSION_OPTIONS_INIT;
  cssrun_session* session = NULL;
  cssrun_statistics statistics = {sizeof statistics, 0, 0, 0, 0};
  int way;
  for (way = 0; way < 4; ++way) { /* by default, with NULL, asked for, as an old program */
    options.statistics = way == 2;
    if (way == 3) options.struct_size = offsetof(cssrun_session_options, statistics);
    CHECK(cssrun_session_create(network, way == 1 ? NULL : &options, &session, &status) ==
          CSSRUN_OK);
    CHECK(cssrun_session_run_bytes(session, pixels, count, CSSRUN_INTERLEAVED, &status) ==
          CSSRUN_OK);
    if (way < 2) {
      CHECK(cssrun_session_get_statistics(session, 0, &statistics, &status) ==
            CSSRUN_INVALID_ARGUMENT);
      CHECK(strstr(status.message, "cssrun_session_options.statistics") != NULL);
    } else {
      CHECK(cssrun_session_get_statistics(session, 1, &statistics, &status) == CSSRUN_OK);
      CHECK(statistics.synops > 0);
    }
    cssrun_session_free(session);
  }
  return NULL;
}

static const char* CheckRuns(const cssrun_network* network, const uint8_t* pixels, size_t count,
                             float* logits, size_t logit_count) {
  cssrun_status status;
  cssrun_session_options options = CSSRUN_SESSION_OPTIONS_INIT;
  int readings = 0;
  cssrun_record_request requests[2] = {{0, 1, 0}, {1, 1, 1}};
  cssrun_session* session = NULL;
  cssrun_answer answer = {sizeof answer, NULL, 0, 0, 0, 0};
  cssrun_statistics statistics = {sizeof statistics, 0, 0, 0, 0};
  cssrun_recording recording = {sizeof recording, 0, NULL, 0, NULL, 0};
  cssrun_network_info info = {.struct_size = sizeof info};
  float* floats = malloc(count * sizeof *floats);
  cssrun_event* events;
  size_t i, event_count = 0;

  options.on_reading = CountReadings;
  options.on_reading_context = &readings;
  options.record = requests;
  options.record_count = 2;
  CHECK(cssrun_network_get_info(network, &info, &status) == CSSRUN_OK);
  CHECK(cssrun_session_create(network, &options, &session, &status) == CSSRUN_OK);
  CHECK(cssrun_session_get_answer(session, &answer, &status) == CSSRUN_INVALID_ARGUMENT);

  CHECK(cssrun_session_run_bytes(session, pixels, count, CSSRUN_INTERLEAVED, &status) == CSSRUN_OK);
  CHECK(status.code == CSSRUN_OK && status.message[0] == 0);
  CHECK(readings == (int)info.timesteps);
  CHECK(cssrun_session_get_answer(session, &answer, &status) == CSSRUN_OK);
  CHECK(answer.logit_count == logit_count && answer.steps == info.latency_steps);
  CHECK(answer.ending == CSSRUN_COMPLETE);
  for (i = 0; i < logit_count; ++i) CHECK(answer.logits[answer.best] >= answer.logits[i]);
  memcpy(logits, answer.logits, logit_count * sizeof *logits);

  for (i = 0; i < count; ++i) floats[i] = (float)pixels[i] / 255.0F;
  CHECK(cssrun_session_run_floats(session, floats, count, CSSRUN_INTERLEAVED, NULL) == CSSRUN_OK);
  CHECK(cssrun_session_get_answer(session, &answer, NULL) == CSSRUN_OK);
  CHECK(memcmp(answer.logits, logits, logit_count * sizeof *logits) == 0);

  /* The encoder's spikes, as events. */
  CHECK(cssrun_session_get_recording(session, 0, &recording, &status) == CSSRUN_OK);
  CHECK(recording.neurons == count && recording.spike_steps == info.timesteps);
  CHECK(recording.membranes == NULL && recording.membrane_steps == 0);
  events = malloc(count * info.timesteps * sizeof *events);
  for (i = 0; i < count * info.timesteps; ++i) {
    if (recording.spikes[i] == 0) continue;
    events[event_count].step = (uint32_t)(i / count);
    events[event_count].address = (uint32_t)(i % count);
    events[event_count++].sign = recording.spikes[i];
  }
  CHECK(cssrun_session_get_recording(session, 1, &recording, &status) == CSSRUN_OK);
  CHECK(recording.spikes != NULL && recording.membranes != NULL);
  CHECK(recording.membrane_steps > recording.spike_steps);
  CHECK(cssrun_session_get_recording(session, 2, &recording, &status) == CSSRUN_INVALID_ARGUMENT);
  CHECK(cssrun_session_run_events(session, events, event_count, &status) == CSSRUN_OK);
  CHECK(cssrun_session_get_answer(session, &answer, &status) == CSSRUN_OK);
  CHECK(memcmp(answer.logits, logits, logit_count * sizeof *logits) == 0);
  CHECK(cssrun_session_get_statistics(session, 0, &statistics, &status) == CSSRUN_OK);
  CHECK(statistics.spikes == event_count);
  CHECK(cssrun_session_get_statistics(session, info.layers, &statistics, &status) ==
        CSSRUN_INVALID_ARGUMENT);

  cssrun_session_cancel(session, 1);
  CHECK(cssrun_session_run_bytes(session, pixels, count, CSSRUN_INTERLEAVED, &status) ==
        CSSRUN_CANCELLED);
  CHECK(strstr(status.message, "cancelled") != NULL);
  CHECK(cssrun_session_get_answer(session, &answer, &status) == CSSRUN_INVALID_ARGUMENT);
  cssrun_session_cancel(session, 0);
  CHECK(cssrun_session_run_bytes(session, pixels, count - 1, CSSRUN_INTERLEAVED, &status) ==
        CSSRUN_INVALID_ARGUMENT);
  CHECK(cssrun_session_run_bytes(session, pixels, count, 7, &status) == CSSRUN_INVALID_ARGUMENT);
  CHECK(cssrun_session_run_bytes(session, NULL, count, CSSRUN_PLANAR, &status) ==
        CSSRUN_INVALID_ARGUMENT);
  CHECK(cssrun_session_run_bytes(session, pixels, count, CSSRUN_PLANAR, &status) == CSSRUN_OK);
  cssrun_session_free(session);

  options.on_reading = StopAtOnce;
  CHECK(cssrun_session_create(network, &options, &session, &status) == CSSRUN_OK);
  CHECK(cssrun_session_run_bytes(session, pixels, count, CSSRUN_INTERLEAVED, &status) == CSSRUN_OK);
  CHECK(cssrun_session_get_answer(session, &answer, &status) == CSSRUN_OK);
  CHECK(answer.ending == CSSRUN_STOPPED_BY_CALLER && answer.steps < info.latency_steps);
  cssrun_session_free(session);

  options.on_reading = NULL;
  options.time_limit_ns = 1;
  CHECK(cssrun_session_create(network, &options, &session, &status) == CSSRUN_OK);
  CHECK(cssrun_session_run_bytes(session, pixels, count, CSSRUN_INTERLEAVED, &status) ==
        CSSRUN_TIMED_OUT);
  cssrun_session_free(session);
  free(floats);
  free(events);
  return NULL;
}

static const char* CheckOptions(const cssrun_network* network) {
  cssrun_status status;
  cssrun_session* session = NULL;
  struct {
    cssrun_session_options known;
    uint64_t unknown;
  } newer = {CSSRUN_SESSION_OPTIONS_INIT, 0};
  struct {
    size_t struct_size;
    uint32_t threads;
  } older = {offsetof(cssrun_session_options, chunk), 1};
  cssrun_session_options wrong = CSSRUN_SESSION_OPTIONS_INIT;
  cssrun_record_request request = {1000, 1, 1};
  cssrun_network_info info = {.struct_size = offsetof(cssrun_network_info, height)};
  cssrun_network_info whole = {.struct_size = sizeof whole};
  cssrun_layer_info layer = {.struct_size = sizeof layer};

  newer.known.struct_size = sizeof newer;
  CHECK(cssrun_session_create(network, &newer.known, &session, &status) == CSSRUN_OK);
  cssrun_session_free(session);
  newer.unknown = 1;
  CHECK(cssrun_session_create(network, &newer.known, &session, &status) == CSSRUN_INVALID_ARGUMENT);
  CHECK(session == NULL && strstr(status.message, cssrun_version()) != NULL);
  CHECK(cssrun_session_create(network, (const cssrun_session_options*)&older, &session, &status) ==
        CSSRUN_OK);
  cssrun_session_free(session);
  wrong.struct_size = 0;
  CHECK(cssrun_session_create(network, &wrong, &session, &status) == CSSRUN_INVALID_ARGUMENT);
  wrong.struct_size = sizeof wrong;
  wrong.record_count = 1;
  CHECK(cssrun_session_create(network, &wrong, &session, &status) == CSSRUN_INVALID_ARGUMENT);
  wrong.record = &request;
  CHECK(cssrun_session_create(network, &wrong, &session, &status) == CSSRUN_INVALID_ARGUMENT);
  CHECK(strstr(status.message, "layer 1000") != NULL);
  CHECK(cssrun_session_create(NULL, NULL, &session, &status) == CSSRUN_INVALID_ARGUMENT);
  CHECK(cssrun_session_create(network, NULL, NULL, &status) == CSSRUN_INVALID_ARGUMENT);

  /* An older struct is filled as far as it goes. */
  info.height = 12345;
  CHECK(cssrun_network_get_info(network, &info, &status) == CSSRUN_OK);
  CHECK(info.channels != 0 && info.height == 12345);
  CHECK(cssrun_network_get_info(network, NULL, &status) == CSSRUN_INVALID_ARGUMENT);
  CHECK(cssrun_network_get_layer(network, 0, &layer, &status) == CSSRUN_OK);
  CHECK(layer.kind == CSSRUN_LAYER_ENCODER && strcmp(layer.kind_name, "encoder") == 0 &&
        layer.offset == 0);
  CHECK(cssrun_network_get_info(network, &whole, &status) == CSSRUN_OK);
  CHECK(layer.channels == whole.channels && layer.height == whole.height);
  CHECK(layer.width == whole.width);
  CHECK(layer.neurons == (uint64_t)layer.channels * layer.height * layer.width);
  CHECK(cssrun_network_get_layer(network, 1000, &layer, &status) == CSSRUN_INVALID_ARGUMENT);
  CHECK(cssrun_network_label(network, 1000) == NULL);
  CHECK(cssrun_network_label(NULL, 0) == NULL);
  return NULL;
}

const char* RunInC(const char* path, cssrun_engine engine, const uint8_t* pixels, size_t count,
                   float* logits, size_t logit_count) {
  cssrun_status status;
  cssrun_load_options options = CSSRUN_LOAD_OPTIONS_INIT;
  cssrun_network* network = NULL;
  cssrun_session* session = NULL;
  const char* wrong;
  int lines = 0;

  options.engine = engine;
  options.log = CountLines;
  options.log_context = &lines;
  CHECK(cssrun_network_load(path, &options, &network, &status) == CSSRUN_OK);
  CHECK(network != NULL && lines == 2);
  wrong = CheckOptions(network);
  if (wrong == NULL) wrong = CheckCounting(network, pixels, count);
  if (wrong == NULL) wrong = CheckRuns(network, pixels, count, logits, logit_count);
  if (wrong != NULL) return wrong;
  /* A session outlives its network's handle. */
  CHECK(cssrun_session_create(network, NULL, &session, &status) == CSSRUN_OK);
  cssrun_network_free(network);
  CHECK(cssrun_session_run_bytes(session, pixels, count, CSSRUN_INTERLEAVED, &status) == CSSRUN_OK);
  cssrun_session_free(session);

  options.engine = 9;
  CHECK(cssrun_network_load(path, &options, &network, &status) == CSSRUN_INVALID_ARGUMENT);
  CHECK(network == NULL);
  CHECK(cssrun_network_load("/nonexistent/net.fb", NULL, &network, &status) == CSSRUN_IO);
  CHECK(strstr(status.message, "/nonexistent/net.fb: ") == status.message);
  CHECK(cssrun_network_load(NULL, NULL, &network, &status) == CSSRUN_INVALID_ARGUMENT);
  CHECK(cssrun_network_load(path, NULL, NULL, &status) == CSSRUN_INVALID_ARGUMENT);
  CHECK(cssrun_network_from_memory("junk", 4, "junk", NULL, &network, &status) == CSSRUN_BAD_MODEL);
  CHECK(cssrun_network_from_memory(NULL, 4, "junk", NULL, &network, &status) ==
        CSSRUN_INVALID_ARGUMENT);
  CHECK(cssrun_network_from_descriptor(-1, "closed", NULL, &network, NULL) == CSSRUN_IO);
  cssrun_network_free(NULL);
  cssrun_session_free(NULL);
  cssrun_session_cancel(NULL, 1);
  return NULL;
}
