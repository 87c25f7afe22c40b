/*
 * Where handed-over records live. The ring is memory: what is in it when the
 * process dies is lost. A chunk is memory too, or a file that a later process
 * finds and delivers, as the engine's filesystem storage does.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "host.h"

/* A ring's entry, and then a chunk. */
struct block {
    struct block *next;
    struct instance *ins; /* NULL: left behind by an earlier process */
    uint8_t *data;
    size_t size;
    long records;
    long long due;       /* when the next delivery is tried */
    char path[PATH_MAX]; /* empty: memory storage */
};

struct list {
    struct block *first, **last;
};

static struct list ring = {NULL, &ring.first};
static struct list chunks = {NULL, &chunks.first};
static pthread_mutex_t ring_mutex = PTHREAD_MUTEX_INITIALIZER;
static FILE *out;
static long long sequence;
static struct {
    uint64_t delivered, delivered_bytes, retries, given_up, dropped_records, retried_records;
} sink;

static void append(struct list *list, struct block *b)
{
    b->next = NULL;
    *list->last = b;
    list->last = &b->next;
}

static void *allocate(size_t size)
{
    void *p = calloc(1, size);

    if (p == NULL) {
        die("out of memory");
    }
    return p;
}

static double chance(void)
{
    return (double) rand() / ((double) RAND_MAX + 1);
}

/* ---- start ---- */

/* A process that was killed in the middle of a line must not spoil the next. */
static void open_out(void)
{
    char last = '\n';

    out = stdout;
    if (options.out == NULL) {
        return;
    }
    out = fopen(options.out, "ab+");
    if (out == NULL) {
        die("%s: %s", options.out, strerror(errno));
    }
    if (fseek(out, -1, SEEK_END) == 0 && fread(&last, 1, 1, out) == 1 && last != '\n') {
        fseek(out, 0, SEEK_END);
        fputc('\n', out);
        fflush(out);
    }
}

static void read_chunk(struct block *b)
{
    FILE *f = fopen(b->path, "rb");

    if (f == NULL || fseek(f, 0, SEEK_END) != 0) {
        die("%s: %s", b->path, strerror(errno));
    }
    b->size = (size_t) ftell(f);
    b->data = allocate(b->size + 1);
    rewind(f);
    if (fread(b->data, 1, b->size, f) != b->size) {
        die("%s: cut short", b->path);
    }
    fclose(f);
    b->records = events_count(b->data, b->size);
}

static int is_chunk(const struct dirent *entry)
{
    size_t n = strlen(entry->d_name);

    return n > 6 && strcmp(entry->d_name + n - 6, ".chunk") == 0;
}

static void read_backlog(void)
{
    struct dirent **names;
    int n = scandir(options.storage_path, &names, is_chunk, alphasort);

    if (n < 0) {
        die("%s: %s", options.storage_path, strerror(errno));
    }
    for (int i = 0; i < n; i++) {
        struct block *b = allocate(sizeof(*b));

        snprintf(b->path, sizeof(b->path), "%s/%s", options.storage_path, names[i]->d_name);
        read_chunk(b);
        append(&chunks, b);
        free(names[i]);
    }
    free(names);
}

void store_open(void)
{
    srand((unsigned) (now_ms() ^ getpid()));
    sequence = (long long) time(NULL) * 1000000; /* after those of earlier processes */
    open_out();
    if (options.storage_path != NULL) {
        read_backlog();
    }
}

/* ---- ring to chunks ---- */

void ring_push(struct instance *ins, const void *data, size_t size)
{
    struct block *b = allocate(sizeof(*b));

    b->ins = ins;
    b->size = size;
    b->data = allocate(size);
    memcpy(b->data, data, size);
    b->records = events_count(b->data, size);
    if (b->records < 0) {
        die("%s handed over %zu bytes that are no events", ins->name, size);
    }
    pthread_mutex_lock(&ring_mutex);
    append(&ring, b);
    pthread_mutex_unlock(&ring_mutex);
}

/* A chunk is there whole or not at all, as the engine's checksums make it. */
static void write_chunk(struct block *b)
{
    char temporary[PATH_MAX];
    FILE *f;

    snprintf(b->path, sizeof(b->path), "%s/%020lld.chunk", options.storage_path, sequence++);
    snprintf(temporary, sizeof(temporary), "%s/new", options.storage_path);
    f = fopen(temporary, "wb");
    if (f == NULL || fwrite(b->data, 1, b->size, f) != b->size || fclose(f) != 0 ||
        rename(temporary, b->path) != 0) {
        die("%s: %s", temporary, strerror(errno));
    }
}

void ring_flush(void)
{
    struct block *b, *next;

    pthread_mutex_lock(&ring_mutex);
    b = ring.first;
    ring.first = NULL;
    ring.last = &ring.first;
    pthread_mutex_unlock(&ring_mutex);
    for (; b != NULL; b = next) {
        next = b->next;
        if (options.storage_path != NULL) {
            write_chunk(b);
        }
        b->due = now_ms() + options.deliver_after_ms;
        b->ins->records += (uint64_t) b->records;
        b->ins->bytes += b->size;
        append(&chunks, b);
    }
}

/* ---- delivery ---- */

/* Returns false if the attempt failed and is to be tried again. */
static bool deliver(struct block *b)
{
    if (chance() < options.refuse) {
        sink.retries++;
        sink.retried_records += (uint64_t) b->records;
        b->due = now_ms() + 1000;
        host_log(2, "[host] delivery refused");
        return false;
    }
    if (chance() < options.drop) {
        sink.given_up++;
        sink.dropped_records += (uint64_t) b->records;
    } else {
        events_print(out, b->data, b->size);
        if (fflush(out) != 0) {
            die("output: %s", strerror(errno));
        }
        sink.delivered += (uint64_t) b->records;
        sink.delivered_bytes += b->size;
    }
    if (b->path[0] != '\0') {
        unlink(b->path);
    }
    return true;
}

/* now: whether due or not, as the engine does when it shuts down */
void chunks_deliver(bool now)
{
    struct block **link = &chunks.first;

    while (*link != NULL) {
        struct block *b = *link;

        if ((b->due > now_ms() && !now) || !deliver(b)) {
            link = &b->next;
            continue;
        }
        *link = b->next;
        free(b->data);
        free(b);
    }
    chunks.last = link;
}

int chunks_pending(void)
{
    int n = 0;

    for (struct block *b = chunks.first; b != NULL; b = b->next) {
        n++;
    }
    return n;
}

/* ---- figures, in the form of the engine's monitoring API ---- */

size_t store_report_chunks(char *text, size_t size)
{
    int total = chunks_pending(), files = options.storage_path != NULL ? total : 0;
    size_t at = (size_t) snprintf(text, size,
        "{\"storage_layer\":{\"chunks\":{\"total_chunks\":%d,\"mem_chunks\":%d,\"fs_chunks\":%d,"
        "\"fs_chunks_up\":%d,\"fs_chunks_down\":0}},\"input_chunks\":{",
        total, total - files, files, files);

    for (int i = 0; i < instance_count; i++) {
        int n = 0;

        for (struct block *b = chunks.first; b != NULL; b = b->next) {
            n += b->ins == &instances[i];
        }
        at += (size_t) snprintf(text + at, size - at,
            "%s\"%s\":{\"status\":{\"overlimit\":false,\"mem_size\":\"0b\",\"mem_limit\":\"0b\"},"
            "\"chunks\":{\"total\":%d,\"up\":%d,\"down\":0,\"busy\":0,\"busy_size\":\"0b\"}}",
            i > 0 ? "," : "", instances[i].name, n, n);
    }
    return at + (size_t) snprintf(text + at, size - at, "}}");
}

size_t store_report_counters(char *text, size_t size)
{
    size_t at = (size_t) snprintf(text, size, "{\"input\":{");

    for (int i = 0; i < instance_count; i++) {
        at += (size_t) snprintf(text + at, size - at, "%s\"%s\":{\"records\":%llu,\"bytes\":%llu}",
            i > 0 ? "," : "", instances[i].name, (unsigned long long) instances[i].records,
            (unsigned long long) instances[i].bytes);
    }
    return at + (size_t) snprintf(text + at, size - at,
        "},\"filter\":{},\"output\":{\"stdout.0\":{\"proc_records\":%llu,\"proc_bytes\":%llu,\"errors\":%llu,"
        "\"retries\":%llu,\"retries_failed\":%llu,\"dropped_records\":%llu,\"retried_records\":%llu}}}",
        (unsigned long long) sink.delivered, (unsigned long long) sink.delivered_bytes,
        (unsigned long long) sink.given_up, (unsigned long long) sink.retries,
        (unsigned long long) sink.given_up, (unsigned long long) sink.dropped_records,
        (unsigned long long) sink.retried_records);
}
