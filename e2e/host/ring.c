/* The ring is memory: what is in it when the process dies is lost. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host.h"

#define RETRIES  10
#define RETRY_US 100000

struct entry {
    struct entry *next;
    struct input *in;
    size_t size;
    uint8_t data[];
};

static struct entry *first, **last = &first;
static int entries;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static struct input *input_of(const struct instance *ins)
{
    return &inputs[ins - instances]; /* store_open makes them in this order */
}

static bool put(struct entry *e)
{
    bool room;

    pthread_mutex_lock(&mutex);
    room = entries < options.ring_capacity;
    if (room) {
        *last = e;
        last = &e->next;
        entries++;
        e->in->ring_writes++;
    } else {
        e->in->ring_retries++;
    }
    pthread_mutex_unlock(&mutex);
    return room;
}

/* An append to a full ring is tried for a second and then dropped; the plugin sees only that its cleanup comes late. */
void ring_push(struct instance *ins, const void *data, size_t size)
{
    struct entry *e = calloc(1, sizeof(*e) + size);

    if (e == NULL) {
        die("out of memory");
    }
    if (events_count(data, size) < 0) {
        die("%s handed over %zu bytes that are no events", ins->name, size);
    }
    e->in = input_of(ins);
    e->size = size;
    memcpy(e->data, data, size);
    for (int n = 0; n < RETRIES; n++) {
        if (put(e)) {
            return;
        }
        usleep(RETRY_US);
    }
    host_log(1, "[input:%s] could not enqueue records into the ring buffer", ins->name);
    e->in->ring_failures++;
    free(e);
}

/* Takes the first entry whose input is not paused by its limit: theirs wait for the resume. */
static struct entry *take(void)
{
    struct entry *e, **link = &first;

    pthread_mutex_lock(&mutex);
    while (*link != NULL && (*link)->in->full) {
        link = &(*link)->next;
    }
    e = *link;
    if (e != NULL) {
        *link = e->next;
        last = e->next == NULL ? link : last;
        entries--;
    }
    pthread_mutex_unlock(&mutex);
    return e;
}

void ring_discard(void)
{
    struct entry *e;

    for (struct input *in = inputs; in < inputs + input_count; in++) {
        in->full = false;
    }
    while ((e = take()) != NULL) {
        free(e);
    }
}

void ring_flush(void)
{
    struct entry *e;

    while ((e = take()) != NULL) {
        store_append(e->in, options.tag != NULL ? options.tag : e->in->name, e->data, e->size);
        free(e);
    }
}
