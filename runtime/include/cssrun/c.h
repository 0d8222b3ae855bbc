/* The C interface of cssrun: everything an application needs to run converted networks.
 *
 * Handles are opaque. Threads: a cssrun_network is immutable and may be used by any number of
 * threads at the same time; a cssrun_session belongs to one thread at a time, except for
 * cssrun_session_cancel. A session keeps its network alive, so the network may be freed first.
 * A cssrun_stream and a cssrun_event_session are used as a session is.
 * After its first run a session allocates only when it first runs on floats, or on more events.
 *
 * Every function that can fail returns a cssrun_code. If `status` is not NULL, it also stores the
 * code and one sentence for people there; CSSRUN_OK and "" on success. The library does not throw,
 * print or abort, and has no global state. Callbacks must return; they must not throw or longjmp.
 *
 * Structs of options begin with their size, so that a program built with an older header runs with
 * a newer library: start from CSSRUN_..._INIT and set what you need. A struct that is larger than
 * the library's own is accepted if all options that the library does not know are 0. */
#ifndef CSSRUN_C_H_
#define CSSRUN_C_H_

#include <stddef.h>
#include <stdint.h>

#include "cssrun/export.h"

#ifdef __cplusplus
extern "C" {
#endif

/* 0 to 4 are also the programs' exit codes; programs exit with 4 for 5, and with 1 for 7. */
typedef int32_t cssrun_code;
enum {
  CSSRUN_OK = 0,
  CSSRUN_CANCELLED = 1,        /* by cssrun_session_cancel */
  CSSRUN_INVALID_ARGUMENT = 2, /* the caller asked for something impossible */
  CSSRUN_BAD_MODEL = 3,        /* a network file that is damaged, hostile or unsupported */
  CSSRUN_IO = 4,               /* the operating system refused to read */
  CSSRUN_OUT_OF_MEMORY = 5,
  CSSRUN_INTERNAL = 6, /* a defect of the library */
  CSSRUN_TIMED_OUT = 7 /* time_limit_ns passed before there was an answer */
};

typedef struct cssrun_status {
  cssrun_code code;
  char message[508]; /* UTF-8, terminated by 0; longer messages are cut off */
} cssrun_status;

typedef struct cssrun_network cssrun_network;
typedef struct cssrun_session cssrun_session;
typedef struct cssrun_stream cssrun_stream;
typedef struct cssrun_event_session cssrun_event_session;

/* Static strings; thread-safe. */
CSSRUN_API const char* cssrun_version(void);     /* of the library, such as "0.1.0" */
CSSRUN_API uint32_t cssrun_format_version(void); /* of net.fb files */
CSSRUN_API const char* cssrun_simd_target(void); /* the instruction set in use, such as "AVX2" */

/* ---- Networks ---- */

typedef int32_t cssrun_engine;
enum {
  CSSRUN_ENGINE_INTEGER = 0, /* fast; replaced by float if 16-bit integers cannot run the network */
  CSSRUN_ENGINE_FLOAT = 1    /* 32-bit floats, with the weights as converted */
};

typedef int32_t cssrun_log_level;
enum { CSSRUN_LOG_INFORMATION = 0, CSSRUN_LOG_WARNING = 1 };

/* Called by the thread that loads. `message` is valid until the callback returns. */
typedef void (*cssrun_log_callback)(void* context, cssrun_log_level level, const char* message);

typedef struct cssrun_load_options {
  size_t struct_size;
  cssrun_engine engine;
  cssrun_log_callback log; /* NULL: nothing is logged */
  void* log_context;       /* passed to `log` */
  /* Limits on what a hostile file may demand; 0: the default of cssrun/limits.h. */
  uint64_t max_neurons;
  uint64_t max_synapses;
  uint64_t max_layers;
  uint32_t max_timesteps;
} cssrun_load_options;

#define CSSRUN_LOAD_OPTIONS_INIT \
  { sizeof(cssrun_load_options), CSSRUN_ENGINE_INTEGER, NULL, NULL, 0, 0, 0, 0 }

/* Reads the file `path`, verifies it and lays it out for an engine. On success the caller frees
 * *network with cssrun_network_free; on failure it is NULL. `options` may be NULL. Errors:
 * CSSRUN_IO if the file cannot be read, CSSRUN_BAD_MODEL if it is no valid network file or exceeds
 * a limit (these messages begin with `path`), CSSRUN_INVALID_ARGUMENT, CSSRUN_OUT_OF_MEMORY. */
CSSRUN_API cssrun_code cssrun_network_load(const char* path, const cssrun_load_options* options,
                                           cssrun_network** network, cssrun_status* status);
/* The same from memory, which must stay valid until this returns. The bytes are copied unless they
 * begin at a multiple of 64. Error messages begin with `name`. */
CSSRUN_API cssrun_code cssrun_network_from_memory(const void* bytes, size_t size, const char* name,
                                                  const cssrun_load_options* options,
                                                  cssrun_network** network, cssrun_status* status);
/* The same from an open regular file, which is read from its beginning. The descriptor stays open,
 * and its position is neither used nor changed. */
CSSRUN_API cssrun_code cssrun_network_from_descriptor(int descriptor, const char* name,
                                                      const cssrun_load_options* options,
                                                      cssrun_network** network,
                                                      cssrun_status* status);
CSSRUN_API void cssrun_network_free(cssrun_network* network); /* NULL is allowed */

typedef int32_t cssrun_answer_kind;
enum {
  CSSRUN_CLASSES = 0, /* a logit for each class */
  CSSRUN_NUMBERS = 1  /* the outputs of the model as they are */
};

typedef struct cssrun_network_info {
  size_t struct_size;               /* set it to sizeof(cssrun_network_info) */
  cssrun_engine engine;             /* the one that runs the network */
  uint32_t channels, height, width; /* of an image */
  uint32_t resize; /* length of the shorter side before the centre is cut out; 0: resized in another
                      way. See cssrun_network_preprocess */
  uint32_t logits; /* number of classes, or numbers of all outputs */
  uint32_t timesteps;       /* T, the length of a spike train */
  uint32_t latency_steps;   /* global steps until the logits are complete: T + L * depth */
  uint32_t layers;          /* the encoder first, the readout last */
  uint64_t macs_per_image;  /* multiply-accumulates of the dense ANN; with events, of one step */
  double early_exit_margin; /* measured by the converter; negative: not measured */
  const char* why_float;    /* why integers cannot run it, if they were asked for; else "" */
  int exif; /* nonzero: turn pictures upright by their EXIF orientation before all else */
  cssrun_answer_kind answer; /* what the logits are */
  uint32_t outputs;          /* of the model: 1 for a classifier */
} cssrun_network_info;

/* Fills in `info`. Its strings live as long as the network. */
CSSRUN_API cssrun_code cssrun_network_get_info(const cssrun_network* network,
                                               cssrun_network_info* info, cssrun_status* status);
/* Turns a picture of any size, width * height * 3 bytes of red, green and blue, row by row, into
 * the count = channels * height * width pixels that cssrun_session_run_bytes takes,
 * CSSRUN_INTERLEAVED: resizes it, cuts out the network's size and converts the colours, as the
 * network's file says. Errors: CSSRUN_INVALID_ARGUMENT, CSSRUN_OUT_OF_MEMORY. */
CSSRUN_API cssrun_code cssrun_network_preprocess(const cssrun_network* network, const uint8_t* rgb,
                                                 uint32_t width, uint32_t height, uint8_t* pixels,
                                                 size_t count, cssrun_status* status);
/* Returns the name of a class, which lives as long as the network, or NULL if it has none. */
CSSRUN_API const char* cssrun_network_label(const cssrun_network* network, uint32_t logit);

typedef struct cssrun_output_info {
  size_t struct_size; /* set it to sizeof(cssrun_output_info) */
  const char* name;
  size_t first;          /* where its numbers begin among the logits of an answer */
  size_t size;           /* numbers: the product of its shape */
  const uint32_t* shape; /* `rank` lengths, without the batch; the last index is the fastest */
  size_t rank;
} cssrun_output_info;

/* Fills in `info` for output 0 to outputs - 1. Its pointers live as long as the network. */
CSSRUN_API cssrun_code cssrun_network_get_output(const cssrun_network* network, uint32_t output,
                                                 cssrun_output_info* info, cssrun_status* status);

typedef int32_t cssrun_layer_kind;
enum {
  CSSRUN_LAYER_ENCODER = 0,
  CSSRUN_LAYER_PIXELS = 1, /* the image itself, if it is not coded as spikes */
  CSSRUN_LAYER_NEURONS = 2,
  CSSRUN_LAYER_POOLED_NEURONS = 3,
  CSSRUN_LAYER_READOUT = 4,
  CSSRUN_LAYER_EVENTS = 5 /* the input of a network that takes events */
};

typedef struct cssrun_layer_info {
  size_t struct_size; /* set it to sizeof(cssrun_layer_info) */
  const char* name;
  const char* kind_name;            /* the name of `kind` for people, such as "pooled neurons" */
  uint64_t neurons;                 /* channels * height * width */
  uint32_t offset;                  /* global step of its spike index 0 */
  uint32_t channels, height, width; /* neuron: (channel * height + row) * width + column */
  cssrun_layer_kind kind;
} cssrun_layer_info;

/* Fills in `info` for layer 0 (the encoder) to layers - 1 (the readout). Its strings live as long
 * as the network. */
CSSRUN_API cssrun_code cssrun_network_get_layer(const cssrun_network* network, uint32_t layer,
                                                cssrun_layer_info* info, cssrun_status* status);

/* ---- Sessions ---- */

/* The readout after one of its steps: the final logits if no further spike arrived. */
typedef struct cssrun_reading {
  size_t struct_size; /* set by the library */
  const float* logits;
  size_t logit_count;
  uint32_t step;   /* global steps done */
  double margin;   /* largest minus second largest logit, divided by the weight that spikes of the
                      remaining steps can have; infinite after the last step */
  uint64_t synops; /* of all layers so far */
} cssrun_reading;

/* Return 0 to end the run. `reading` is valid until the callback returns. */
typedef int (*cssrun_reading_callback)(void* context, const cssrun_reading* reading);

typedef struct cssrun_record_request {
  uint32_t layer;
  uint8_t spikes;    /* 0 or 1 */
  uint8_t membranes; /* 0 or 1 */
} cssrun_record_request;

typedef struct cssrun_session_options {
  size_t struct_size;
  uint32_t threads;         /* threads that share one image; 0: all cores */
  uint32_t chunk;           /* steps that a layer does before the next layer begins; 0: all */
  int profile;              /* nonzero: measure each layer's time */
  int early_exit;           /* nonzero: end once the margin exceeds early_exit_margin */
  double early_exit_margin; /* see cssrun_network_info */
  uint64_t time_limit_ns;   /* nanoseconds of each run; 0: none. When it passes, the last reading is
                               the answer; without one the run fails with CSSRUN_TIMED_OUT */
  cssrun_reading_callback on_reading;  /* after each step of the readout; may be NULL */
  void* on_reading_context;            /* passed to `on_reading` */
  const cssrun_record_request* record; /* layers to record; read only by cssrun_session_create */
  size_t record_count;
  int statistics; /* nonzero: count spikes and SyOPs; `profile` and `on_reading` imply it */
} cssrun_session_options;

#define CSSRUN_SESSION_OPTIONS_INIT \
  { sizeof(cssrun_session_options), 1, 0, 0, 0, 0.0, 0, NULL, NULL, NULL, 0, 0 }

/* On success the caller frees *session with cssrun_session_free; on failure it is NULL. `options`
 * may be NULL. Errors: CSSRUN_INVALID_ARGUMENT, CSSRUN_OUT_OF_MEMORY. */
CSSRUN_API cssrun_code cssrun_session_create(const cssrun_network* network,
                                             const cssrun_session_options* options,
                                             cssrun_session** session, cssrun_status* status);
CSSRUN_API void cssrun_session_free(cssrun_session* session); /* NULL is allowed */

typedef int32_t cssrun_pixel_order;
enum {
  CSSRUN_INTERLEAVED = 0, /* HWC: (row * width + column) * channels + channel */
  CSSRUN_PLANAR = 1       /* CHW: (channel * height + row) * width + column */
};

/* Classify one image of count = channels * height * width pixels: bytes, or floats from 0 to 1. The
 * session normalizes; the caller must not. A float of pixel / 255 gives the same bits as the byte.
 * Errors: CSSRUN_INVALID_ARGUMENT, CSSRUN_CANCELLED, CSSRUN_TIMED_OUT, CSSRUN_OUT_OF_MEMORY. */
CSSRUN_API cssrun_code cssrun_session_run_bytes(cssrun_session* session, const uint8_t* pixels,
                                                size_t count, cssrun_pixel_order order,
                                                cssrun_status* status);
CSSRUN_API cssrun_code cssrun_session_run_floats(cssrun_session* session, const float* pixels,
                                                 size_t count, cssrun_pixel_order order,
                                                 cssrun_status* status);

/* One spike of an input that the caller has coded itself, for example with an event camera. */
typedef struct cssrun_event {
  uint32_t step;    /* less than `timesteps` of the network */
  uint32_t address; /* of the input neuron: (channel * height + row) * width + column */
  int32_t sign;     /* +1 or -1 */
} cssrun_event;

/* Classifies spikes in place of those of the encoder, in any order, at most one for each step and
 * address. Errors: as for an image; CSSRUN_INVALID_ARGUMENT also if the network takes pixels
 * directly. */
CSSRUN_API cssrun_code cssrun_session_run_events(cssrun_session* session,
                                                 const cssrun_event* events, size_t count,
                                                 cssrun_status* status);

/* May be called from any thread. With 1, the run in progress and all later runs fail with
 * CSSRUN_CANCELLED, until it is called with 0. */
CSSRUN_API void cssrun_session_cancel(cssrun_session* session, int cancelled);

typedef int32_t cssrun_ending;
enum {
  CSSRUN_COMPLETE = 0,          /* all steps were done */
  CSSRUN_SURE = 1,              /* the margin exceeded early_exit_margin */
  CSSRUN_STOPPED_BY_CALLER = 2, /* on_reading returned 0 */
  CSSRUN_LATE = 3               /* time_limit_ns passed */
};

/* The answer of the last run. Pointers are valid until the session's next run. Getting it, or
 * statistics or recordings, fails with CSSRUN_INVALID_ARGUMENT unless the last run succeeded. */
typedef struct cssrun_answer {
  size_t struct_size; /* set it to sizeof(cssrun_answer) */
  const float* logits;
  size_t logit_count;
  uint32_t best;  /* the class with the largest logit; of equal ones the first */
  uint32_t steps; /* global steps done when the logits were read */
  cssrun_ending ending;
} cssrun_answer;

CSSRUN_API cssrun_code cssrun_session_get_answer(const cssrun_session* session,
                                                 cssrun_answer* answer, cssrun_status* status);

typedef struct cssrun_statistics {
  size_t struct_size; /* set it to sizeof(cssrun_statistics) */
  uint64_t spikes;    /* spikes that left the layer */
  uint64_t synops;    /* weights added to its membranes */
  double seconds;     /* time, measured only with `profile` */
  uint64_t macs;      /* multiply-accumulates with pixels that are not coded as spikes */
} cssrun_statistics;

/* Fills in the work that the last run took in one layer. Error: CSSRUN_INVALID_ARGUMENT if the
 * session was made without `statistics`. */
CSSRUN_API cssrun_code cssrun_session_get_statistics(const cssrun_session* session, uint32_t layer,
                                                     cssrun_statistics* statistics,
                                                     cssrun_status* status);

/* Spikes and membranes of the layer that `record`[request] asked for:
 *
 *     array[step * neurons + (channel * height + row) * width + column]
 *
 * Spikes are -1, 0 or +1. A membrane is what the neuron has left to send after the step, in spikes.
 * NULL and 0 steps if it was not asked for or does not exist. Pointers are valid until the
 * session's next run. */
typedef struct cssrun_recording {
  size_t struct_size; /* set it to sizeof(cssrun_recording) */
  size_t neurons;
  const int8_t* spikes;
  size_t spike_steps; /* T */
  const float* membranes;
  size_t membrane_steps; /* T + L */
} cssrun_recording;

CSSRUN_API cssrun_code cssrun_session_get_recording(const cssrun_session* session, size_t request,
                                                    cssrun_recording* recording,
                                                    cssrun_status* status);

/* ---- Streams ---- */

/* Runs the frames of a camera or a video, for the price of what changed: see cssrun/stream.h. */
typedef struct cssrun_stream_options {
  size_t struct_size;
  uint32_t threads; /* threads that share one frame; 0: all cores */
  uint32_t hold;    /* a pixel keeps its value while the new one is within it: 0 to 255 */
  double dead_zone; /* a level stays while |z - level| <= 1/2 + dead_zone: 0 to 255 */
  int profile;      /* nonzero: measure each layer's time */
  int statistics;   /* nonzero: count spikes, synops and updates, else 0; implied by `profile` */
} cssrun_stream_options;

#define CSSRUN_STREAM_OPTIONS_INIT \
  { sizeof(cssrun_stream_options), 1, 0, 0.0, 0, 0 }

/* On success the caller frees *stream with cssrun_stream_free; on failure it is NULL. `options` may
 * be NULL. Errors: CSSRUN_INVALID_ARGUMENT, also for networks that cannot be run so: the message
 * says what to convert with; CSSRUN_OUT_OF_MEMORY. */
CSSRUN_API cssrun_code cssrun_stream_create(const cssrun_network* network,
                                            const cssrun_stream_options* options,
                                            cssrun_stream** stream, cssrun_status* status);
CSSRUN_API void cssrun_stream_free(cssrun_stream* stream); /* NULL is allowed */

/* Take the next frame, as a session takes an image. After an error the next frame is a first one.
 * Errors: as of cssrun_session_run_bytes. */
CSSRUN_API cssrun_code cssrun_stream_next_bytes(cssrun_stream* stream, const uint8_t* pixels,
                                                size_t count, cssrun_pixel_order order,
                                                cssrun_status* status);
CSSRUN_API cssrun_code cssrun_stream_next_floats(cssrun_stream* stream, const float* pixels,
                                                 size_t count, cssrun_pixel_order order,
                                                 cssrun_status* status);

typedef struct cssrun_changed_pixel { /* a number that differs from the frame before */
  uint32_t address;                   /* (channel * height + row) * width + column */
  uint8_t value;
} cssrun_changed_pixel;

/* Takes the next frame as its difference to the last one. Errors, besides those above:
 * CSSRUN_INVALID_ARGUMENT if there is no frame before or an address is out of range. */
CSSRUN_API cssrun_code cssrun_stream_next_changes(cssrun_stream* stream,
                                                  const cssrun_changed_pixel* changes, size_t count,
                                                  cssrun_status* status);

CSSRUN_API void cssrun_stream_reset(cssrun_stream* stream); /* the next frame is a first one */
/* As cssrun_session_cancel. */
CSSRUN_API void cssrun_stream_cancel(cssrun_stream* stream, int cancelled);

/* The answer to the last frame. Pointers are valid until the next one. Getting it, or statistics,
 * fails with CSSRUN_INVALID_ARGUMENT unless the last frame succeeded. */
typedef struct cssrun_stream_answer {
  size_t struct_size; /* set it to sizeof(cssrun_stream_answer) */
  const float* logits;
  size_t logit_count;
  uint32_t best;           /* the class with the largest logit; of equal ones the first */
  uint64_t frame;          /* 0 for a first frame */
  uint64_t neurons;        /* of all layers that send levels */
  uint64_t changed;        /* of these, those whose level differs from the frame before */
  uint64_t changed_pixels; /* numbers of the picture that changed */
  uint64_t updates;        /* synapses of the changed neurons */
  uint64_t synops;         /* weights that a full run of the frame adds */
  double seconds;          /* time that the frame took */
  int whole; /* nonzero: not compared with the frame before, so all neurons are `changed` */
} cssrun_stream_answer;

CSSRUN_API cssrun_code cssrun_stream_get_answer(const cssrun_stream* stream,
                                                cssrun_stream_answer* answer,
                                                cssrun_status* status);

typedef struct cssrun_stream_statistics {
  size_t struct_size; /* set it to sizeof(cssrun_stream_statistics) */
  uint64_t neurons;   /* for pixels, numbers of the picture; for a readout, 0 */
  uint64_t changed;
  uint64_t touched; /* computed again, because something they see changed */
  uint64_t spikes;  /* of the frame, as a session counts them */
  uint64_t synops;
  uint64_t updates;
  double seconds; /* measured only with `profile` */
} cssrun_stream_statistics;

/* Fills in what the last frame took in one layer. */
CSSRUN_API cssrun_code cssrun_stream_get_statistics(const cssrun_stream* stream, uint32_t layer,
                                                    cssrun_stream_statistics* statistics,
                                                    cssrun_status* status);

/* ---- Events ---- */

typedef int32_t cssrun_event_readout;
enum {
  CSSRUN_COUNTS = 0,    /* logits are spikes sent so far */
  CSSRUN_POTENTIALS = 1 /* logits are potentials */
};

/* How a network that takes events was read from its model. */
typedef struct cssrun_event_info {
  size_t struct_size;   /* set it to sizeof(cssrun_event_info) */
  double step_seconds;  /* the length of a step */
  uint32_t assumptions; /* their number */
  uint32_t stepped;     /* layers that are brought up to date at every step; 0: silence is free */
  cssrun_event_readout readout;
} cssrun_event_info;

/* Fills in `info`. Error: CSSRUN_INVALID_ARGUMENT if the network takes images. */
CSSRUN_API cssrun_code cssrun_network_get_events(const cssrun_network* network,
                                                 cssrun_event_info* info, cssrun_status* status);
/* Returns a sentence that lives as long as the network; NULL if no assumption has this index. */
CSSRUN_API const char* cssrun_network_event_assumption(const cssrun_network* network,
                                                       uint32_t index);

/* Runs a network on events for as long as they come: see cssrun/event_session.h. */
typedef struct cssrun_event_options {
  size_t struct_size;
  int profile; /* nonzero: measure each layer's time */
} cssrun_event_options;

#define CSSRUN_EVENT_OPTIONS_INIT \
  { sizeof(cssrun_event_options), 0 }

/* On success the caller frees *session with cssrun_event_session_free; on failure it is NULL.
 * `options` may be NULL. Errors: CSSRUN_INVALID_ARGUMENT, also for networks that take images;
 * CSSRUN_OUT_OF_MEMORY. */
CSSRUN_API cssrun_code cssrun_event_session_create(const cssrun_network* network,
                                                   const cssrun_event_options* options,
                                                   cssrun_event_session** session,
                                                   cssrun_status* status);
CSSRUN_API void cssrun_event_session_free(cssrun_event_session* session); /* NULL is allowed */

typedef struct cssrun_timed_event {
  uint64_t step;    /* floor(time / step_seconds) */
  uint32_t address; /* (channel * height + row) * width + column */
  float value;      /* 1 for a spike */
} cssrun_timed_event;

/* Takes `count` events in the order of their steps, from the steps done to until - 1, and does all
 * steps before `until`. Errors: CSSRUN_INVALID_ARGUMENT, with nothing done; CSSRUN_CANCELLED. */
CSSRUN_API cssrun_code cssrun_event_session_feed(cssrun_event_session* session,
                                                 const cssrun_timed_event* events, size_t count,
                                                 uint64_t until, cssrun_status* status);
/* The steps done, 0 for NULL. Reset: back to step 0. Cancel: as cssrun_session_cancel. */
CSSRUN_API uint64_t cssrun_event_session_now(const cssrun_event_session* session);
CSSRUN_API void cssrun_event_session_reset(cssrun_event_session* session);
CSSRUN_API void cssrun_event_session_cancel(cssrun_event_session* session, int cancelled);

/* Write the answer, or the potentials or spikes so far of a layer, after the steps done, to memory
 * of `count` numbers: one for each logit, or each neuron. Error: CSSRUN_INVALID_ARGUMENT if `count`
 * is wrong, and if there is no such layer (the input has no potentials). */
CSSRUN_API cssrun_code cssrun_event_session_read_logits(const cssrun_event_session* session,
                                                        float* logits, size_t count,
                                                        cssrun_status* status);
CSSRUN_API cssrun_code cssrun_event_session_read_potentials(const cssrun_event_session* session,
                                                            uint32_t layer, double* potentials,
                                                            size_t count, cssrun_status* status);
CSSRUN_API cssrun_code cssrun_event_session_read_counts(const cssrun_event_session* session,
                                                        uint32_t layer, uint64_t* counts,
                                                        size_t count, cssrun_status* status);

typedef struct cssrun_event_statistics {
  size_t struct_size; /* set it to sizeof(cssrun_event_statistics) */
  uint64_t spikes;    /* that left the layer since the beginning; for the input, events */
  uint64_t synops;    /* weights added */
  uint64_t updates;   /* neurons brought up to date */
  double seconds;     /* measured only with `profile` */
} cssrun_event_statistics;

CSSRUN_API cssrun_code cssrun_event_session_get_statistics(const cssrun_event_session* session,
                                                           uint32_t layer,
                                                           cssrun_event_statistics* statistics,
                                                           cssrun_status* status);

/* Stores in *bytes and *size all that later answers depend on. The bytes belong to the session and
 * are valid until the next call of this function. */
CSSRUN_API cssrun_code cssrun_event_session_save(cssrun_event_session* session, const void** bytes,
                                                 size_t* size, cssrun_status* status);
/* Continues a saved state, in this or another session on the same network, with the same bits.
 * Error: CSSRUN_INVALID_ARGUMENT, nothing changed, if it is damaged or from another network. */
CSSRUN_API cssrun_code cssrun_event_session_restore(cssrun_event_session* session,
                                                    const void* bytes, size_t size,
                                                    cssrun_status* status);

#ifdef __cplusplus
}
#endif

#endif /* CSSRUN_C_H_ */
