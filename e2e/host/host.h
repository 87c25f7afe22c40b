/*
 * A small stand-in for Fluent Bit: loads the plugin through the same symbols
 * and structures, calls it from the same kind of threads in the same order, and
 * loses what Fluent Bit would lose. It is what makes the shared object testable
 * on a machine without Fluent Bit.
 *
 * The way of a record, as in the engine:
 *
 *   collect (instance's thread, once a second) -> ring (memory)
 *     -> every 250 ms, main thread -> chunk (memory, or a file)
 *     -> delivered: a JSON line on the output
 *
 * SIGTERM and SIGINT shut down, SIGHUP reloads, SIGUSR1 pauses, SIGUSR2 resumes.
 */
#ifndef HOST_H
#define HOST_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define MAX_INSTANCES  8
#define MAX_PROPERTIES 40

struct options {
    const char *plugin;
    const char *out;          /* NULL: stdout */
    const char *storage_path; /* NULL: memory storage; else a directory of chunks */
    bool old_abi;             /* before 4.1: callbacks without context only */
    int interval_ms;          /* between two collect calls */
    int ring_ms;              /* between two moves from ring to chunks */
    int deliver_after_ms;     /* a chunk's age when its delivery is tried */
    int storage_refresh_ms;   /* age of the chunk figures on /api/v1/storage */
    int grace_ms;             /* longest wait for delivery on shutdown */
    int http_port;            /* 0: no monitoring API */
    double refuse;            /* share of delivery attempts that fail and are tried again */
    double drop;              /* share of delivery attempts that are given up on */
    int log_level;            /* 1 error .. 5 trace */
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

    uint64_t records; /* taken over into chunks; main thread only, like bytes */
    uint64_t bytes;
};

extern struct instance instances[MAX_INSTANCES];
extern int instance_count;

/* plugin.c: loading and calling the shared object */
void plugin_load(void);
void plugin_register(void);
void plugin_unregister(void);
bool instance_init(struct instance *ins); /* starts the thread, waits for Init */
void instance_send(struct instance *ins, int commands);
void instance_join(struct instance *ins);

/* store.c: ring, chunks, delivery */
void store_open(void);
void ring_push(struct instance *ins, const void *data, size_t size); /* any thread */
void ring_flush(void);
void chunks_deliver(bool now);
int chunks_pending(void);
size_t store_report_chunks(char *text, size_t size);
size_t store_report_counters(char *text, size_t size);

/* json.c: msgpack events to JSON lines */
long events_count(const uint8_t *data, size_t size); /* -1: not whole events */
void events_print(FILE *out, const uint8_t *data, size_t size);

/* http.c: /api/v1/metrics and /api/v1/storage */
void http_start(void);
void http_refresh(void);

/* main.c */
long long now_ms(void);
long long next_tick(int interval_ms);
void host_log(int level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif
