/*
 * A small stand-in for Fluent Bit: loads the plugin through the same symbols
 * and structures, calls it from the same kind of threads in the same order, and
 * loses what Fluent Bit would lose. It is what makes the shared object testable
 * on a machine without Fluent Bit. What it imitates was read in the sources of
 * 3.2.10 to 5.1.1 and measured on 3.2.10 and 5.0.9.
 *
 * The way of a record, as in the engine:
 *
 *   collect (instance's thread, once a second) -> ring (memory)
 *     -> every 250 ms, main thread: counted -> filters -> chunk (memory, or a file)
 *     -> each output whose match fits the chunk's tag -> JSON lines
 *   a filter that re-emits -> emitter (memory) -> a chunk of the emitter's own
 *
 * Everything right of the ring is the main thread's, figures included, so that
 * one answer of the monitoring API is one moment.
 *
 * SIGTERM and SIGINT shut down, SIGHUP reloads, SIGUSR1 pauses, SIGUSR2 resumes.
 */
#ifndef HOST_H
#define HOST_H

#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define MAX_INSTANCES  8
#define MAX_PROPERTIES 40
#define MAX_INPUTS     (MAX_INSTANCES + 2) /* and the backlog and an emitter */
#define MAX_OUTPUTS    8
#define MAX_TAG        128

struct options {
    const char *plugin;
    const char *storage_path;  /* NULL: memory storage; else a directory of chunks */
    const char *storage_limit; /* bytes, or @FILE that holds them; NULL: the disk's own limit */
    const char *tag;           /* of the instances' records; NULL: the instance's name */
    const char *grep;          /* records with this text are dropped; NULL: no such filter */
    const char *rewrite;       /* records with this text are re-emitted; NULL: no such filter */
    const char *rewrite_tag;   /* their tag then */
    bool memory;               /* the instances' storage is memory although there is a storage path */
    bool emitter_on_disk;      /* the emitter's storage is the storage path */
    bool old_abi;              /* before 4.1: callbacks without context only */
    int version;               /* of the engine whose figures are shown: 50101 is 5.1.1 */
    const char *version_text;
    int interval_ms;        /* between two collect calls */
    int ring_ms;            /* between two moves from ring to chunks */
    int ring_capacity;      /* appends that the ring holds */
    int write_delay_ms;     /* of the main thread, before each append */
    int filter_us;          /* of the main thread, for each record */
    int deliver_after_ms;   /* a chunk's age when its delivery is tried */
    int storage_refresh_ms; /* age of the chunk figures on /api/v1/storage */
    int grace_ms;           /* longest wait for delivery on shutdown */
    long mem_buf_limit;     /* bytes of memory chunks that pause an input; 0: none */
    int http_port;          /* 0: no monitoring API */
    int log_level;          /* 1 error .. 5 trace */
};

extern struct options options;

/* The engine's structures, as src/proxy/go/go.h of Fluent Bit lays them out. */
struct proxy_def {
    int type;
    int proxy;
    int flags;
    char *name;
    char *description;
    int event_type;
    void *config_map;
};

struct proxy_context {
    int coll_fd;
    void *remote_context;
    void *proxy;
};

struct proxy_input {
    char *name;
    void *api;
    void *ins;
    struct proxy_context *context;
};

enum command { PAUSE = 1, RESUME = 2, EXIT = 4, START = 8 };

/* One [INPUT]. The thread runs every callback; the main thread sends commands. */
struct instance {
    char name[64];
    const char *keys[MAX_PROPERTIES];
    const char *values[MAX_PROPERTIES];
    int properties;

    struct proxy_context context;
    struct proxy_input plugin;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int commands; /* not yet carried out */
    int ready;    /* Init's answer: 0 = not yet, 1 = started, -1 = refused */
    bool paused;
};

extern struct instance instances[MAX_INSTANCES];
extern int instance_count;

/* What the engine calls an input: an instance of the plugin, or one of its own. */
struct input {
    const char *name; /* in figures: the alias */
    char stream[64];  /* its directory under the storage path: never the alias */
    struct instance *instance; /* NULL: one of the engine's own */
    bool on_disk;
    bool full;                /* paused by mem_buf_limit: its ring is left alone */
    uint64_t records, bytes;  /* counted before filters and before they are written */
    uint64_t unmatched;       /* records that no output's match fits */
    _Atomic uint64_t ring_writes, ring_retries, ring_failures; /* the instance's thread writes them */
    int chunks_shown, busy_shown; /* as they were storage_refresh_ms ago */
};

/* A filter, with the figures that the engine has of it. */
struct filter {
    const char *name;
    bool active;
    uint64_t records, dropped, emitted;
};

/* One [OUTPUT]. */
struct output {
    const char *name;
    const char *match; /* a pattern for tags */
    const char *path;  /* of its JSON lines; NULL: stdout */
    const char *reject; /* a chunk with this text is refused for good, as with status 400 */
    double refuse;      /* share of attempts that fail and are tried again */
    double drop;        /* share of attempts that are given up on */
    int down_ms;        /* after the start, for which every attempt fails */
    FILE *file;
    uint64_t records, bytes, errors, retries, retries_failed, dropped, retried;
    uint64_t from[MAX_INPUTS], dropped_from[MAX_INPUTS]; /* the same records by input */
};

/* A chunk: the layout of the engine's files, in memory or mapped from one. */
struct chunk {
    struct chunk *next;
    struct input *in;
    char tag[MAX_TAG];
    uint8_t *map;        /* NULL: a file that is down */
    size_t size;         /* of the map or the file */
    size_t content;      /* bytes of records */
    long records;
    unsigned routes;     /* outputs that still have to take it, a bit each */
    bool tried;          /* nothing is appended any more */
    bool locked;         /* empty after a failed write: the engine never looks at it again */
    long long due[MAX_OUTPUTS];
    int fd;
    char path[PATH_MAX]; /* empty: memory storage */
};

extern struct input inputs[MAX_INPUTS]; /* in the order of creation, as the engine shows them */
extern int input_count;
extern struct filter grep_filter, rewrite_filter;
extern struct output outputs[MAX_OUTPUTS];
extern int output_count;
extern struct chunk *chunks;

/* options.c */
void read_options(int argc, char **argv);

/* plugin.c: loading and calling the shared object */
void plugin_load(void);
void plugin_register(void);
void plugin_unregister(void);
bool instance_init(struct instance *ins); /* starts the thread, waits for Init */
void instance_send(struct instance *ins, int commands);
void instance_join(struct instance *ins);

/* ring.c: what collect calls handed over, until the main thread looks */
void ring_push(struct instance *ins, const void *data, size_t size); /* any thread */
void ring_flush(void);
void ring_discard(void);

/* store.c: inputs, and appending to their chunks */
void store_open(void);  /* every figure begins at 0 */
void store_close(void); /* chunks in memory are lost */
void store_append(struct input *in, const char *tag, const uint8_t *data, size_t size);
void store_limit(struct input *in); /* pauses or resumes what mem_buf_limit says */

/* filter.c */
struct records {
    uint8_t *data;
    size_t size;
    long count;
};
struct records filter_do(const struct input *in, const uint8_t *data, size_t size, long count);
void emitter_flush(void);
void emitter_discard(void);

/* chunk.c: memory or file */
struct chunk *chunk_create(struct input *in, const char *tag); /* NULL: no room */
bool chunk_append(struct chunk *c, const uint8_t *data, size_t size); /* all or nothing */
const uint8_t *chunk_content(struct chunk *c); /* brings it up */
void chunk_down(struct chunk *c);
void chunk_close(struct chunk *c);   /* takes it out of the list, a file stays */
void chunk_destroy(struct chunk *c); /* and deletes the file */
void chunks_load(struct input *backlog);

/* output.c */
void outputs_open(void);
unsigned outputs_for(const char *tag);
void chunks_deliver(bool now);
int chunks_pending(void);

/* json.c: msgpack events */
long events_count(const uint8_t *data, size_t size); /* -1: not whole events */
size_t event_size(const uint8_t *data, size_t size); /* of the first */
void events_print(FILE *out, const uint8_t *data, size_t size);

/* report.c: figures, in the form of the engine's monitoring API */
void report_metrics(FILE *out);    /* /api/v1/metrics */
void report_storage(FILE *out);    /* /api/v1/storage */
void report_prometheus(FILE *out); /* /api/v2/metrics/prometheus */

/* http.c */
void http_start(void);
void http_refresh(void);

/* main.c */
extern long long started_ms;
unsigned long long logged_errors(void);
long long now_ms(void);
long long next_tick(int interval_ms);
void host_log(int level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif
