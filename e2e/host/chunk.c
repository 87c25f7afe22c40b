/*
 * Chunks, in memory or as the engine's files:
 *
 *   <storage path>/<stream>/<pid>-<sec>.<nsec>.flb
 *   bytes 0-1 C1 00, 2-5 checksum (not used), 10-13 length of the content, 22-23
 *   of the metadata (big-endian), 24… metadata, then content: msgpack events
 *
 * A file is mapped while it is up, which /proc/self/maps shows. It grows by
 * posix_fallocate, so that a full disk is an error of the append and not a signal.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "host.h"

#define HEADER         24
#define CONTENT_LENGTH 10
#define META_LENGTH    22
#define META_HEAD      4 /* magic bytes and the type before the tag */
#define PAGE           4096
#define GROWTH         32768

struct chunk *chunks;

static size_t meta_size(const struct chunk *c)
{
    return META_HEAD + strlen(c->tag);
}

static void link_chunk(struct chunk *c)
{
    struct chunk **link = &chunks;

    while (*link != NULL) {
        link = &(*link)->next;
    }
    *link = c;
}

/* ---- space ---- */

static long long limit(void)
{
    long long bytes = -1;

    if (options.storage_limit == NULL) {
        return LLONG_MAX;
    }
    if (options.storage_limit[0] != '@') {
        return atoll(options.storage_limit);
    }
    FILE *f = fopen(options.storage_limit + 1, "r");

    if (f == NULL || fscanf(f, "%lld", &bytes) != 1) {
        die("%s: no number", options.storage_limit);
    }
    fclose(f);
    return bytes;
}

static bool room_for(size_t more)
{
    long long used = (long long) more;

    for (struct chunk *c = chunks; c != NULL; c = c->next) {
        used += c->in->on_disk ? (long long) c->size : 0;
    }
    return used <= limit();
}

static bool grow_file(struct chunk *c, size_t size)
{
    void *map;

    errno = room_for(size - c->size) ? posix_fallocate(c->fd, 0, (off_t) size) : ENOSPC;
    if (errno != 0) {
        return false;
    }
    map = c->map == NULL ? mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, c->fd, 0)
                         : mremap(c->map, c->size, size, MREMAP_MAYMOVE);
    if (map == MAP_FAILED) {
        die("%s: %s", c->path, strerror(errno));
    }
    c->map = map;
    c->size = size;
    return true;
}

static bool grow(struct chunk *c, size_t size)
{
    uint8_t *map;

    size = (size + PAGE - 1) / PAGE * PAGE;
    if (c->in->on_disk) {
        return grow_file(c, size);
    }
    map = realloc(c->map, size);
    if (map == NULL) {
        die("out of memory");
    }
    memset(map + c->size, 0, size - c->size);
    c->map = map;
    c->size = size;
    return true;
}

/* ---- one chunk ---- */

static void set_content(struct chunk *c, size_t size)
{
    uint32_t length = htonl((uint32_t) size);

    memcpy(c->map + CONTENT_LENGTH, &length, sizeof(length));
    c->content = size;
}

static void write_header(struct chunk *c)
{
    uint16_t meta = htons((uint16_t) meta_size(c));

    memcpy(c->map, "\xc1\x00", 2);
    memcpy(c->map + META_LENGTH, &meta, sizeof(meta));
    memcpy(c->map + HEADER, "\xf1\x77\x00\x00", META_HEAD);
    memcpy(c->map + HEADER + META_HEAD, c->tag, strlen(c->tag));
    set_content(c, 0);
}

static void open_file(struct chunk *c)
{
    struct timespec now;
    char dir[PATH_MAX - 64];

    snprintf(dir, sizeof(dir), "%s/%s", options.storage_path, c->in->stream);
    if (mkdir(dir, 0700) != 0 && errno != EEXIST) {
        die("%s: %s", dir, strerror(errno));
    }
    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(c->path, sizeof(c->path), "%s/%d-%lu.%4lu.flb", dir, (int) getpid(), (unsigned long) now.tv_sec,
             (unsigned long) now.tv_nsec);
    c->fd = open(c->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (c->fd < 0) {
        host_log(1, "[storage] cannot open %s: %s", c->path, strerror(errno));
    }
}

static struct chunk *new_chunk(struct input *in, const char *tag)
{
    struct chunk *c = calloc(1, sizeof(*c));

    if (c == NULL) {
        die("out of memory");
    }
    c->in = in;
    c->fd = -1;
    snprintf(c->tag, sizeof(c->tag), "%s", tag);
    c->routes = outputs_for(tag);
    for (int i = 0; i < MAX_OUTPUTS; i++) {
        c->due[i] = now_ms() + options.deliver_after_ms;
    }
    return c;
}

/* When there is no room for the header, the engine leaves an empty file behind. */
struct chunk *chunk_create(struct input *in, const char *tag)
{
    struct chunk *c = new_chunk(in, tag);

    if (in->on_disk) {
        open_file(c);
    }
    if ((in->on_disk && c->fd < 0) || !grow(c, HEADER + meta_size(c))) {
        host_log(1, "[input chunk] could not create chunk file: %s", c->path);
        if (c->fd >= 0) {
            close(c->fd);
        }
        free(c);
        return NULL;
    }
    write_header(c);
    link_chunk(c);
    return c;
}

bool chunk_append(struct chunk *c, const uint8_t *data, size_t size)
{
    size_t start = HEADER + meta_size(c) + c->content, wanted = c->size;

    while (wanted < start + size) {
        wanted += GROWTH;
    }
    if (wanted > c->size && !grow(c, wanted)) {
        host_log(1, "[storage] [cio_file] error setting new file size on write: %s", strerror(errno));
        return false;
    }
    memcpy(c->map + start, data, size);
    set_content(c, c->content + size);
    return true;
}

const uint8_t *chunk_content(struct chunk *c)
{
    if (c->map == NULL) {
        c->fd = open(c->path, O_RDWR | O_CLOEXEC);
        c->map = c->fd < 0 ? MAP_FAILED : mmap(NULL, c->size, PROT_READ | PROT_WRITE, MAP_SHARED, c->fd, 0);
        if (c->map == MAP_FAILED) {
            die("%s: %s", c->path, strerror(errno));
        }
    }
    return c->map + HEADER + meta_size(c);
}

/* Between two attempts the engine keeps neither the map nor the descriptor. */
void chunk_down(struct chunk *c)
{
    if (!c->in->on_disk || c->map == NULL) {
        return;
    }
    munmap(c->map, c->size);
    close(c->fd);
    c->map = NULL;
    c->fd = -1;
}

void chunk_close(struct chunk *c)
{
    struct chunk **link = &chunks;

    while (*link != c) {
        link = &(*link)->next;
    }
    *link = c->next;
    chunk_down(c);
    if (!c->in->on_disk) {
        free(c->map);
    }
    free(c);
}

void chunk_destroy(struct chunk *c)
{
    if (c->in->on_disk) {
        unlink(c->path);
    }
    chunk_close(c);
}

/* ---- what earlier processes left ---- */

/* Reads tag and length; false if the file holds no records. */
static bool read_header(struct chunk *c, const char *path)
{
    uint8_t head[HEADER + META_HEAD + MAX_TAG] = {0};
    struct stat st;
    uint32_t content;
    uint16_t meta;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &st) != 0 || pread(fd, head, sizeof(head), 0) < 0) {
        die("%s: %s", path, strerror(errno));
    }
    close(fd);
    memcpy(&content, head + CONTENT_LENGTH, sizeof(content));
    memcpy(&meta, head + META_LENGTH, sizeof(meta));
    c->content = ntohl(content);
    c->size = (size_t) st.st_size;
    meta = ntohs(meta);
    if (c->content == 0 || meta < META_HEAD || meta >= META_HEAD + MAX_TAG) {
        return false;
    }
    memcpy(c->tag, head + HEADER + META_HEAD, meta - META_HEAD);
    return true;
}

static void load(struct input *backlog, const char *path)
{
    struct chunk *c = new_chunk(backlog, "");

    snprintf(c->path, sizeof(c->path), "%s", path);
    if (!read_header(c, path)) {
        unlink(path);
        free(c);
        return;
    }
    c->routes = outputs_for(c->tag);
    c->tried = true;
    c->records = events_count(chunk_content(c), c->content);
    chunk_down(c);
    if (c->records < 0) {
        die("%s: not whole events", path);
    }
    backlog->records += (uint64_t) c->records;
    backlog->bytes += c->content;
    link_chunk(c);
}

static int is_chunk(const struct dirent *entry)
{
    size_t n = strlen(entry->d_name);

    return n > 4 && strcmp(entry->d_name + n - 4, ".flb") == 0;
}

static int is_stream(const struct dirent *entry)
{
    return entry->d_type == DT_DIR && entry->d_name[0] != '.';
}

static int list(const char *dir, struct dirent ***names, int (*wanted)(const struct dirent *))
{
    int n = scandir(dir, names, wanted, alphasort);

    if (n < 0) {
        die("%s: %s", dir, strerror(errno));
    }
    return n;
}

void chunks_load(struct input *backlog)
{
    struct dirent **streams, **names;
    int n = list(options.storage_path, &streams, is_stream);

    for (int i = 0; i < n; i++) {
        char dir[PATH_MAX / 2], path[PATH_MAX];
        int files;

        snprintf(dir, sizeof(dir), "%s/%s", options.storage_path, streams[i]->d_name);
        files = list(dir, &names, is_chunk);
        for (int k = 0; k < files; k++) {
            snprintf(path, sizeof(path), "%s/%s", dir, names[k]->d_name);
            load(backlog, path);
            free(names[k]);
        }
        free(names);
        free(streams[i]);
    }
    free(streams);
}
