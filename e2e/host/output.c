/* Outputs: which chunks they take, and what becomes of an attempt. */
#define _GNU_SOURCE
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host.h"

#define RETRY_MS 1000

struct output outputs[MAX_OUTPUTS];
int output_count;

static double chance(void)
{
    return (double) rand() / ((double) RAND_MAX + 1);
}

/* A process that was killed in the middle of a line must not spoil the next. */
static FILE *open_lines(const char *path)
{
    char last = '\n';
    FILE *f = fopen(path, "ab+");

    if (f == NULL) {
        die("%s: %s", path, strerror(errno));
    }
    if (fseek(f, -1, SEEK_END) == 0 && fread(&last, 1, 1, f) == 1 && last != '\n') {
        fseek(f, 0, SEEK_END);
        fputc('\n', f);
        fflush(f);
    }
    return f;
}

void outputs_open(void)
{
    srand((unsigned) (now_ms() ^ getpid()));
    for (struct output *o = outputs; o < outputs + output_count; o++) {
        o->file = o->path != NULL ? open_lines(o->path) : stdout;
    }
}

unsigned outputs_for(const char *tag)
{
    unsigned routes = 0;

    for (int i = 0; i < output_count; i++) {
        routes |= fnmatch(outputs[i].match, tag, 0) == 0 ? 1U << i : 0;
    }
    return routes;
}

static void count_dropped(struct output *o, const struct chunk *c)
{
    o->dropped += (uint64_t) c->records;
    o->dropped_from[c->in - inputs] += (uint64_t) c->records;
}

static void print(struct output *o, struct chunk *c)
{
    events_print(o->file, chunk_content(c), c->content);
    if (fflush(o->file) != 0) {
        die("output %s: %s", o->name, strerror(errno));
    }
    o->records += (uint64_t) c->records;
    o->bytes += c->content;
    o->from[c->in - inputs] += (uint64_t) c->records;
}

/* Returns false if the attempt failed and is to be tried again. */
static bool deliver(struct output *o, struct chunk *c)
{
    if (now_ms() - started_ms < o->down_ms || chance() < o->refuse) {
        host_log(2, "[host] delivery refused by output %s", o->name);
        o->retries++;
        o->retried += (uint64_t) c->records;
        return false;
    }
    if (o->reject != NULL && memmem(chunk_content(c), c->content, o->reject, strlen(o->reject)) != NULL) {
        host_log(1, "[host] output %s: status 400, chunk will not be retried", o->name);
        o->errors++;
        count_dropped(o, c);
    } else if (chance() < o->drop) {
        host_log(1, "[host] output %s: chunk cannot be retried", o->name);
        o->retries_failed++;
        count_dropped(o, c);
    } else {
        print(o, c);
    }
    return true;
}

static bool is_due(const struct chunk *c, int output, bool now)
{
    return (c->routes & 1U << output) != 0 && (now || c->due[output] <= now_ms());
}

/* Tries what is due; true if no output is left that has to take the chunk. */
static bool flush(struct chunk *c, bool now)
{
    if (c->routes == 0) { /* the engine drops it at the first flush, and only this figure tells */
        c->in->unmatched += (uint64_t) c->records;
        return true;
    }
    for (int i = 0; i < output_count; i++) {
        if (!is_due(c, i, now)) {
            continue;
        }
        c->tried = true;
        if (deliver(&outputs[i], c)) {
            c->routes &= ~(1U << i);
        } else {
            c->due[i] = now_ms() + RETRY_MS;
        }
    }
    if (c->tried) {
        chunk_down(c);
    }
    return c->routes == 0;
}

/* now: whether due or not, as the engine does when it shuts down */
void chunks_deliver(bool now)
{
    struct chunk *next;

    for (struct chunk *c = chunks; c != NULL; c = next) {
        struct input *in = c->in;

        next = c->next;
        if (c->locked || (!now && c->due[0] > now_ms() && !c->tried)) {
            continue;
        }
        if (flush(c, now)) {
            chunk_destroy(c);
            store_limit(in);
        }
    }
}

int chunks_pending(void)
{
    int n = 0;

    for (struct chunk *c = chunks; c != NULL; c = c->next) {
        n += !c->locked;
    }
    return n;
}
