/* Events of msgpack, [time, map] or [[time, map], map], as JSON lines. */
#include <inttypes.h>
#include <string.h>

#include "host.h"

struct reader {
    const uint8_t *at, *end;
    bool bad;
};

static uint64_t take(struct reader *r, int bytes)
{
    uint64_t value = 0;

    if (r->end - r->at < bytes) {
        r->bad = true;
        r->at = r->end;
        return 0;
    }
    while (bytes-- > 0) {
        value = value << 8 | *r->at++;
    }
    return value;
}

static const uint8_t *take_bytes(struct reader *r, uint64_t size)
{
    const uint8_t *start = r->at;

    if ((uint64_t) (r->end - r->at) < size) {
        r->bad = true;
        r->at = r->end;
        return NULL;
    }
    r->at += size;
    return start;
}

static void print_string(FILE *out, const uint8_t *s, uint64_t size)
{
    fputc('"', out);
    for (uint64_t i = 0; s != NULL && i < size; i++) {
        if (s[i] == '"' || s[i] == '\\') {
            fprintf(out, "\\%c", s[i]);
        } else if (s[i] < 0x20) {
            fprintf(out, "\\u%04x", s[i]);
        } else {
            fputc(s[i], out);
        }
    }
    fputc('"', out);
}

static void value(struct reader *r, FILE *out);

/* The inner part of a map, without braces. */
static void members(struct reader *r, FILE *out, uint64_t n)
{
    for (uint64_t i = 0; i < n && !r->bad; i++) {
        if (out && i > 0) {
            fputs(", ", out);
        }
        value(r, out);
        if (out) {
            fputc(':', out);
        }
        value(r, out);
    }
}

static void collection(struct reader *r, FILE *out, uint64_t n, bool map)
{
    if (out) {
        fputc(map ? '{' : '[', out);
    }
    if (map) {
        members(r, out, n);
    }
    for (uint64_t i = 0; !map && i < n && !r->bad; i++) {
        if (out && i > 0) {
            fputs(", ", out);
        }
        value(r, out);
    }
    if (out) {
        fputc(map ? '}' : ']', out);
    }
}

static void text(struct reader *r, FILE *out, uint64_t size)
{
    const uint8_t *s = take_bytes(r, size);

    if (out) {
        print_string(out, s, size);
    }
}

static void real(FILE *out, uint64_t bits, bool is_double)
{
    double d;
    float f;
    uint32_t half = (uint32_t) bits;

    memcpy(&d, &bits, sizeof(d));
    memcpy(&f, &half, sizeof(f));
    if (out) {
        fprintf(out, "%.17g", is_double ? d : (double) f);
    }
}

static void number(FILE *out, const char *format, uint64_t n)
{
    if (out) {
        fprintf(out, format, n);
    }
}

/* Reads one value and prints it, or only reads it if out is NULL. */
static void value(struct reader *r, FILE *out)
{
    int b = (int) take(r, 1);

    if (b <= 0x7f) {
        number(out, "%" PRIu64, (uint64_t) b);
    } else if (b <= 0x8f) {
        collection(r, out, b & 0x0f, true);
    } else if (b <= 0x9f) {
        collection(r, out, b & 0x0f, false);
    } else if (b <= 0xbf) {
        text(r, out, b & 0x1f);
    } else if (b >= 0xe0) {
        number(out, "%" PRId64, (uint64_t) (int64_t) (int8_t) b);
    } else {
        switch (b) {
        case 0xc0: if (out) fputs("null", out); break;
        case 0xc2: if (out) fputs("false", out); break;
        case 0xc3: if (out) fputs("true", out); break;
        case 0xc4: case 0xd9: text(r, out, take(r, 1)); break;
        case 0xc5: case 0xda: text(r, out, take(r, 2)); break;
        case 0xc6: case 0xdb: text(r, out, take(r, 4)); break;
        case 0xca: real(out, take(r, 4), false); break;
        case 0xcb: real(out, take(r, 8), true); break;
        case 0xcc: number(out, "%" PRIu64, take(r, 1)); break;
        case 0xcd: number(out, "%" PRIu64, take(r, 2)); break;
        case 0xce: number(out, "%" PRIu64, take(r, 4)); break;
        case 0xcf: number(out, "%" PRIu64, take(r, 8)); break;
        case 0xd0: number(out, "%" PRId64, (uint64_t) (int64_t) (int8_t) take(r, 1)); break;
        case 0xd1: number(out, "%" PRId64, (uint64_t) (int64_t) (int16_t) take(r, 2)); break;
        case 0xd2: number(out, "%" PRId64, (uint64_t) (int64_t) (int32_t) take(r, 4)); break;
        case 0xd3: number(out, "%" PRId64, take(r, 8)); break;
        case 0xdc: collection(r, out, take(r, 2), false); break;
        case 0xdd: collection(r, out, take(r, 4), false); break;
        case 0xde: collection(r, out, take(r, 2), true); break;
        case 0xdf: collection(r, out, take(r, 4), true); break;
        default: r->bad = true; /* no extension but the event's time is used */
        }
    }
}

/* Reads the number of a map's members. */
static uint64_t map_header(struct reader *r)
{
    int b = (int) take(r, 1);

    if ((b & 0xf0) == 0x80) {
        return b & 0x0f;
    }
    if (b == 0xde || b == 0xdf) {
        return take(r, b == 0xde ? 2 : 4);
    }
    r->bad = true;
    return 0;
}

/* Reads one event; prints it as a line unless out is NULL. */
static void event(struct reader *r, FILE *out)
{
    uint64_t sec, nsec, n;
    bool with_metadata;
    int b;

    r->bad = r->bad || take(r, 1) != 0x92;
    b = (int) take(r, 1);
    with_metadata = b == 0x92;
    if (with_metadata) {
        b = (int) take(r, 1);
    }
    if (b == 0xc7) { /* ext 8 with an explicit length, instead of fixext 8 */
        r->bad = r->bad || take(r, 1) != 8;
    } else {
        r->bad = r->bad || b != 0xd7;
    }
    r->bad = r->bad || take(r, 1) != 0; /* the type of the engine's event time */
    sec = take(r, 4);
    nsec = take(r, 4);
    if (with_metadata) {
        value(r, NULL);
    }
    n = map_header(r);
    if (out) {
        fprintf(out, "{\"date\":%" PRIu64 ".%09" PRIu64, sec, nsec);
        if (n > 0) {
            fputs(", ", out);
        }
    }
    members(r, out, n);
    if (out) {
        fputs("}\n", out);
    }
}

long events_count(const uint8_t *data, size_t size)
{
    struct reader r = {data, data + size, false};
    long n = 0;

    for (; r.at < r.end && !r.bad; n++) {
        event(&r, NULL);
    }
    return r.bad ? -1 : n;
}

size_t event_size(const uint8_t *data, size_t size)
{
    struct reader r = {data, data + size, false};

    event(&r, NULL);
    return (size_t) (r.at - data);
}

void events_print(FILE *out, const uint8_t *data, size_t size)
{
    struct reader r = {data, data + size, false};

    while (r.at < r.end && !r.bad) {
        event(&r, out);
    }
}
