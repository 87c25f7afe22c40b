/* Two of the engine's filters, as far as they move records: grep's exclude and rewrite_tag. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host.h"

struct filter grep_filter, rewrite_filter;

/* What was emitted and is in no chunk yet: no figure of chunks shows it. */
static struct records emitter;

static void add(struct records *r, const uint8_t *event, size_t size)
{
    r->data = realloc(r->data, r->size + size);
    if (r->data == NULL) {
        die("out of memory");
    }
    memcpy(r->data + r->size, event, size);
    r->size += size;
    r->count++;
}

static bool contains(const uint8_t *event, size_t size, const char *text)
{
    return memmem(event, size, text, strlen(text)) != NULL;
}

/* Runs one filter; what has its text is taken out, and goes to taken unless that is NULL. */
static struct records run(struct filter *f, const char *text, struct records in, struct records *taken)
{
    struct records kept = {0};

    if (!f->active) {
        return in;
    }
    f->records += (uint64_t) in.count;
    for (size_t at = 0, size; at < in.size; at += size) {
        size = event_size(in.data + at, in.size - at);
        if (!contains(in.data + at, size, text)) {
            add(&kept, in.data + at, size);
            continue;
        }
        f->dropped++;
        if (taken != NULL) {
            f->emitted++;
            add(taken, in.data + at, size);
        }
    }
    free(in.data);
    return kept;
}

/* Returns what is left, which the caller frees. Only the instances' records are filtered: the emitter's have another tag. */
struct records filter_do(const struct input *in, const uint8_t *data, size_t size, long count)
{
    struct records all = {malloc(size), size, count};

    if (all.data == NULL) {
        die("out of memory");
    }
    memcpy(all.data, data, size);
    if (in->instance == NULL) {
        return all;
    }
    usleep((useconds_t) (options.filter_us * count));
    all = run(&grep_filter, options.grep, all, NULL);
    return all.count > 0 ? run(&rewrite_filter, options.rewrite, all, &emitter) : all;
}

/* The engine's emitter does this every 25 ms. */
void emitter_flush(void)
{
    struct records r = emitter;

    if (r.count > 0) {
        emitter = (struct records){0};
        store_append(&inputs[input_count - 1], options.rewrite_tag, r.data, r.size);
        free(r.data);
    }
}

void emitter_discard(void)
{
    free(emitter.data);
    emitter = (struct records){0};
}
