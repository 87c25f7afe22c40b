/* The engine's inputs, and how records get into their chunks. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host.h"

#define CHUNK_FULL (2 << 20) /* bytes of content; nothing is appended to such a chunk */

struct input inputs[MAX_INPUTS];
int input_count;

static struct input *new_input(const char *name, bool on_disk)
{
    struct input *in = &inputs[input_count++];

    *in = (struct input){.name = name, .on_disk = on_disk};
    return in;
}

/* In the engine's order, by which a reader of its figures can tell emitters: they come behind the backlog. */
void store_open(void)
{
    struct input *in;

    input_count = 0;
    for (int i = 0; i < instance_count; i++) {
        in = new_input(instances[i].name, options.storage_path != NULL && !options.memory);
        in->instance = &instances[i];
        snprintf(in->stream, sizeof(in->stream), "wherobots_audit.%d", i);
    }
    if (options.storage_path != NULL) {
        static char name[sizeof(in->stream)];

        snprintf(name, sizeof(name), "storage_backlog.%d", input_count);
        in = new_input(name, true);
        chunks_load(in);
    }
    grep_filter = (struct filter){.name = "grep.0", .active = options.grep != NULL};
    rewrite_filter = (struct filter){.name = "rewrite_tag.0", .active = options.rewrite != NULL};
    if (rewrite_filter.active) {
        in = new_input("emitter_for_rewrite_tag.0", options.emitter_on_disk);
        snprintf(in->stream, sizeof(in->stream), "emitter.%d", input_count - 1);
    }
}

/* What is in memory is lost. */
void store_close(void)
{
    while (chunks != NULL) {
        chunk_close(chunks);
    }
    ring_discard();
    emitter_discard();
    for (struct output *o = outputs; o < outputs + output_count; o++) {
        o->records = o->bytes = o->errors = o->retries = o->retries_failed = o->dropped = o->retried = 0;
        memset(o->from, 0, sizeof(o->from));
        memset(o->dropped_from, 0, sizeof(o->dropped_from));
    }
}

/* The newest chunk of the input and tag if it takes more, else a new one. */
static struct chunk *chunk_for(struct input *in, const char *tag)
{
    struct chunk *newest = NULL;

    for (struct chunk *c = chunks; c != NULL; c = c->next) {
        if (c->in == in && strcmp(c->tag, tag) == 0) {
            newest = c;
        }
    }
    if (newest != NULL && !newest->tried && !newest->locked && newest->content < CHUNK_FULL) {
        return newest;
    }
    return chunk_create(in, tag);
}

/*
 * As the engine's input_chunk_append_raw: a chunk is found, the records are
 * counted, then filtered, then written. When there is no room for a chunk they
 * are not counted; when there is none for the records they are, and lost.
 */
void store_append(struct input *in, const char *tag, const uint8_t *data, size_t size)
{
    long count = events_count(data, size);
    struct records kept;
    struct chunk *c;

    usleep((useconds_t) options.write_delay_ms * 1000);
    c = chunk_for(in, tag);
    if (c == NULL) {
        host_log(1, "[input chunk] no available chunk");
        return;
    }
    in->records += (uint64_t) count;
    in->bytes += size;
    kept = filter_do(in, data, size, count);
    if (kept.size > 0 && !chunk_append(c, kept.data, kept.size)) {
        host_log(1, "[input chunk] error writing data from %s instance", in->name);
        c->locked = c->content == 0;
    } else {
        c->records += kept.count;
    }
    free(kept.data);
    if (c->content == 0 && !c->locked) {
        chunk_destroy(c); /* everything was filtered out */
    }
    store_limit(in);
}

void store_limit(struct input *in)
{
    size_t total = 0;
    bool full;

    if (options.mem_buf_limit == 0 || in->on_disk || in->instance == NULL) {
        return;
    }
    for (struct chunk *c = chunks; c != NULL; c = c->next) {
        total += c->in == in ? c->content : 0;
    }
    full = total >= (size_t) options.mem_buf_limit;
    if (full != in->full) {
        host_log(2, "[input] %s %s (mem buf overlimit)", in->name, full ? "paused" : "resume");
        in->full = full;
        instance_send(in->instance, full ? PAUSE : RESUME);
    }
}
