/* The C interface of cssrun: everything an application needs to run converted networks.
 *
 * Handles are opaque. A cssrun_network is immutable and may be used by any number of threads; a
 * cssrun_session belongs to one thread at a time. Sessions keep what they need of their network,
 * which may be freed before them. After its first run a session allocates nothing.
 *
 * Every function that can fail returns a cssrun_code and, where `status` is not NULL, puts the code
 * and one sentence for a person there, CSSRUN_OK and "" included. Nothing is thrown, printed or
 * aborted, nor kept in global variables. Callbacks must return; they must not throw or longjmp.
 *
 * Options begin with their size, so that a program built with an older header runs with a newer
 * library: begin with CSSRUN_..._INIT and set what you need. Sizes that are larger than the
 * library's are accepted where all that it does not know is 0. */
#ifndef CSSRUN_C_H_
#define CSSRUN_C_H_

#include <stddef.h>
#include <stdint.h>

#include "cssrun/export.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The first five are also the exit codes of the programs, in which a time limit that passes is 1
 * and memory that runs out 4. */
typedef int32_t cssrun_code;
enum {
  CSSRUN_OK = 0,
  CSSRUN_CANCELLED = 1,        /* by cssrun_session_cancel */
  CSSRUN_INVALID_ARGUMENT = 2, /* the caller asked for something that cannot be */
  CSSRUN_BAD_MODEL = 3,        /* a network file that is damaged, hostile or unsupported */
  CSSRUN_IO = 4,               /* the operating system refused to read */
  CSSRUN_OUT_OF_MEMORY = 5,
  CSSRUN_INTERNAL = 6, /* a defect of the library */
  CSSRUN_TIMED_OUT = 7 /* time_limit_ns passed before there was an answer */
};

typedef struct cssrun_status {
  cssrun_code code;
  char message[508]; /* UTF-8, ends with 0, cut off where it is longer */
} cssrun_status;

typedef struct cssrun_network cssrun_network;
typedef struct cssrun_session cssrun_session;

CSSRUN_API const char* cssrun_version(void);     /* "0.1.0" */
CSSRUN_API uint32_t cssrun_format_version(void); /* of net.fb files */
CSSRUN_API const char* cssrun_simd_target(void); /* that this machine runs, "AVX2" */

/* ---- Networks ---- */

typedef int32_t cssrun_engine;
enum {
  CSSRUN_ENGINE_INTEGER = 0, /* fast; float takes over where integers do not suffice */
  CSSRUN_ENGINE_FLOAT = 1
};

typedef int32_t cssrun_log_level;
enum { CSSRUN_LOG_INFORMATION = 0, CSSRUN_LOG_WARNING = 1 };

/* `message` lives until it returns. Called by the thread that loads, while it loads. */
typedef void (*cssrun_log_callback)(void* context, cssrun_log_level level, const char* message);

typedef struct cssrun_load_options {
  size_t struct_size;
  cssrun_engine engine;
  cssrun_log_callback log; /* NULL: nothing is logged */
  void* log_context;
  /* What a file may ask for, against hostile ones; 0: the usual limits of cssrun/limits.h. */
  uint64_t max_neurons;
  uint64_t max_synapses;
  uint64_t max_layers;
  uint32_t max_timesteps;
} cssrun_load_options;

#define CSSRUN_LOAD_OPTIONS_INIT \
  { sizeof(cssrun_load_options), CSSRUN_ENGINE_INTEGER, NULL, NULL, 0, 0, 0, 0 }

/* On success *network is to be freed, else it is NULL. `options` may be NULL. The messages of
 * errors begin with `path` or `name`. */
CSSRUN_API cssrun_code cssrun_network_load(const char* path, const cssrun_load_options* options,
                                           cssrun_network** network, cssrun_status* status);
/* Bytes that the caller keeps until this returns; used in place where they begin at a multiple of
 * 64, else copied. */
CSSRUN_API cssrun_code cssrun_network_from_memory(const void* bytes, size_t size, const char* name,
                                                  const cssrun_load_options* options,
                                                  cssrun_network** network, cssrun_status* status);
/* An open regular file, from its beginning; it stays open, and its position as it is. */
CSSRUN_API cssrun_code cssrun_network_from_descriptor(int descriptor, const char* name,
                                                      const cssrun_load_options* options,
                                                      cssrun_network** network,
                                                      cssrun_status* status);
CSSRUN_API void cssrun_network_free(cssrun_network* network); /* NULL is allowed */

typedef struct cssrun_network_info {
  size_t struct_size; /* set it to sizeof(cssrun_network_info) */
  cssrun_engine engine;
  uint32_t channels, height, width; /* of an image */
  uint32_t resize;                  /* the shorter side, before the centre is cut out */
  uint32_t logits;
  uint32_t timesteps;
  uint32_t latency_steps;   /* until the logits are complete */
  uint32_t layers;          /* the encoder first, the readout last */
  uint64_t macs_per_image;  /* of the dense ANN */
  double early_exit_margin; /* measured by the converter; negative: not measured */
  const char* why_float;    /* "" unless integers were asked for and do not suffice */
} cssrun_network_info;

/* Strings live as long as the network. */
CSSRUN_API cssrun_code cssrun_network_get_info(const cssrun_network* network,
                                               cssrun_network_info* info, cssrun_status* status);
/* The name of a class, or NULL where there is none. */
CSSRUN_API const char* cssrun_network_label(const cssrun_network* network, uint32_t logit);

typedef int32_t cssrun_layer_kind;
enum {
  CSSRUN_LAYER_ENCODER = 0,
  CSSRUN_LAYER_PIXELS = 1, /* the image itself, where it is not coded in spikes */
  CSSRUN_LAYER_NEURONS = 2,
  CSSRUN_LAYER_POOLED_NEURONS = 3,
  CSSRUN_LAYER_READOUT = 4
};

typedef struct cssrun_layer_info {
  size_t struct_size; /* set it to sizeof(cssrun_layer_info) */
  const char* name;
  const char* kind_name;            /* of `kind`, for people: "pooled neurons" */
  uint64_t neurons;                 /* channels * height * width */
  uint32_t offset;                  /* global step of its first spike */
  uint32_t channels, height, width; /* how recordings number the neurons, width fastest */
  cssrun_layer_kind kind;
} cssrun_layer_info;

CSSRUN_API cssrun_code cssrun_network_get_layer(const cssrun_network* network, uint32_t layer,
                                                cssrun_layer_info* info, cssrun_status* status);

/* ---- Sessions ---- */

/* The readout after one of its steps, as if no spike came any more. */
typedef struct cssrun_reading {
  size_t struct_size; /* set by the library */
  const float* logits;
  size_t logit_count;
  uint32_t step;   /* global steps done */
  double margin;   /* the best class's lead, per unit of weight of the steps still to come */
  uint64_t synops; /* so far */
} cssrun_reading;

/* Returns 0 to end the run here. What it is given lives until it returns. */
typedef int (*cssrun_reading_callback)(void* context, const cssrun_reading* reading);

typedef struct cssrun_record_request {
  uint32_t layer;
  uint8_t spikes;    /* 0 or 1 */
  uint8_t membranes; /* 0 or 1 */
} cssrun_record_request;

typedef struct cssrun_session_options {
  size_t struct_size;
  uint32_t threads;         /* that share one image; 0: all cores */
  uint32_t chunk;           /* steps that a layer does before the next begins; 0: all */
  int profile;              /* measure each layer's time */
  int early_exit;           /* stop when sure, by early_exit_margin */
  double early_exit_margin; /* see cssrun_network_info */
  uint64_t time_limit_ns;   /* of each run; 0: none. What has been read by then is the answer;
                               CSSRUN_TIMED_OUT where nothing has */
  cssrun_reading_callback on_reading; /* after each step of the readout; may be NULL */
  void* on_reading_context;
  const cssrun_record_request* record; /* read only while the session is made */
  size_t record_count;
} cssrun_session_options;

#define CSSRUN_SESSION_OPTIONS_INIT \
  { sizeof(cssrun_session_options), 1, 0, 0, 0, 0.0, 0, NULL, NULL, NULL, 0 }

/* On success *session is to be freed, else it is NULL. `options` may be NULL. */
CSSRUN_API cssrun_code cssrun_session_create(const cssrun_network* network,
                                             const cssrun_session_options* options,
                                             cssrun_session** session, cssrun_status* status);
CSSRUN_API void cssrun_session_free(cssrun_session* session); /* NULL is allowed */

typedef int32_t cssrun_pixel_order;
enum {
  CSSRUN_INTERLEAVED = 0, /* row, column, channel: HWC */
  CSSRUN_PLANAR = 1       /* channel, row, column: CHW */
};

/* Classifies channels * height * width pixels: bytes, or floats from 0 to 1, neither of them
 * normalized. pixel/255 as a float is the same image. */
CSSRUN_API cssrun_code cssrun_session_run_bytes(cssrun_session* session, const uint8_t* pixels,
                                                size_t count, cssrun_pixel_order order,
                                                cssrun_status* status);
CSSRUN_API cssrun_code cssrun_session_run_floats(cssrun_session* session, const float* pixels,
                                                 size_t count, cssrun_pixel_order order,
                                                 cssrun_status* status);

/* A spike of the input that somebody else coded, such as an event camera. */
typedef struct cssrun_event {
  uint32_t step;    /* below timesteps */
  uint32_t address; /* (channel * height + row) * width + column */
  int32_t sign;     /* +1 or -1 */
} cssrun_event;

/* In any order, one at most for each step and address. */
CSSRUN_API cssrun_code cssrun_session_run_events(cssrun_session* session,
                                                 const cssrun_event* events, size_t count,
                                                 cssrun_status* status);

/* From any thread: with 1 the run that is on and all later ones fail with CSSRUN_CANCELLED, until
 * it is called with 0. */
CSSRUN_API void cssrun_session_cancel(cssrun_session* session, int cancelled);

typedef int32_t cssrun_ending;
enum {
  CSSRUN_COMPLETE = 0,
  CSSRUN_SURE = 1,              /* early_exit */
  CSSRUN_STOPPED_BY_CALLER = 2, /* on_reading */
  CSSRUN_LATE = 3               /* time_limit_ns */
};

/* The last run, if it succeeded; what is pointed to lives until the session's next run. */
typedef struct cssrun_answer {
  size_t struct_size; /* set it to sizeof(cssrun_answer) */
  const float* logits;
  size_t logit_count;
  uint32_t best;  /* the class with the largest logit, the first of equals */
  uint32_t steps; /* after which the logits were read */
  cssrun_ending ending;
} cssrun_answer;

CSSRUN_API cssrun_code cssrun_session_get_answer(const cssrun_session* session,
                                                 cssrun_answer* answer, cssrun_status* status);

typedef struct cssrun_statistics {
  size_t struct_size; /* set it to sizeof(cssrun_statistics) */
  uint64_t spikes;    /* that left the layer */
  uint64_t synops;    /* weights added to its membranes */
  double seconds;     /* only with `profile` */
  uint64_t macs;      /* multiply-accumulates of pixels that are not coded in spikes */
} cssrun_statistics;

CSSRUN_API cssrun_code cssrun_session_get_statistics(const cssrun_session* session, uint32_t layer,
                                                     cssrun_statistics* statistics,
                                                     cssrun_status* status);

/* What was recorded, by its place in `record`: [step][channel, row, column]. Spikes are -1, 0 or
 * +1; a membrane is what was left after the step, where a spike takes off 1. NULL and 0 steps for
 * what was not asked for or does not exist. */
typedef struct cssrun_recording {
  size_t struct_size; /* set it to sizeof(cssrun_recording) */
  size_t neurons;
  const int8_t* spikes;
  size_t spike_steps;
  const float* membranes;
  size_t membrane_steps;
} cssrun_recording;

CSSRUN_API cssrun_code cssrun_session_get_recording(const cssrun_session* session, size_t request,
                                                    cssrun_recording* recording,
                                                    cssrun_status* status);

#ifdef __cplusplus
}
#endif

#endif /* CSSRUN_C_H_ */
