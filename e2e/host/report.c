/* The figures of the engine's monitoring API. The main thread writes each report in one go, so it is one moment. */
#include <string.h>

#include "host.h"

static unsigned long long u(uint64_t n)
{
    return (unsigned long long) n;
}

/* ---- chunks ---- */

struct figure {
    int all, memory, files, files_up;
};

static struct figure count_chunks(void)
{
    struct figure f = {0};

    for (struct chunk *c = chunks; c != NULL; c = c->next) {
        f.all++;
        f.memory += !c->in->on_disk;
        f.files += c->in->on_disk;
        f.files_up += c->in->on_disk && c->map != NULL;
    }
    return f;
}

static void look_at(struct input *in, int *up)
{
    in->chunks_shown = in->busy_shown = *up = 0;
    for (struct chunk *c = chunks; c != NULL; c = c->next) {
        if (c->in == in) {
            in->chunks_shown++;
            in->busy_shown += c->tried;
            *up += c->map != NULL;
        }
    }
}

void report_storage(FILE *out)
{
    struct figure f = count_chunks();
    int up;

    fprintf(out, "{\"storage_layer\":{\"chunks\":{\"total_chunks\":%d,\"mem_chunks\":%d,\"fs_chunks\":%d,"
        "\"fs_chunks_up\":%d,\"fs_chunks_down\":%d}},\"input_chunks\":{",
        f.all, f.memory, f.files, f.files_up, f.files - f.files_up);
    for (struct input *in = inputs; in < inputs + input_count; in++) {
        look_at(in, &up);
        fprintf(out, "%s\"%s\":{\"status\":{\"overlimit\":%s,\"mem_size\":\"0b\",\"mem_limit\":\"0b\"},"
            "\"chunks\":{\"total\":%d,\"up\":%d,\"down\":%d,\"busy\":%d,\"busy_size\":\"0b\"}}",
            in > inputs ? "," : "", in->name, in->full ? "true" : "false", in->chunks_shown, up,
            in->chunks_shown - up, in->busy_shown);
    }
    fputs("}}", out);
}

/* ---- version 1 ---- */

static void filter_metrics(FILE *out, const struct filter *f, const char *comma)
{
    if (!f->active) {
        return;
    }
    fprintf(out, "%s\"%s\":{\"drop_records\":%llu,\"add_records\":0,\"records\":%llu", comma, f->name, u(f->dropped),
        u(f->records));
    if (f == &rewrite_filter) { /* only filters with an emitter have this figure, and from the start */
        fprintf(out, ",\"emit_records\":%llu", u(f->emitted));
    }
    fputs("}", out);
}

void report_metrics(FILE *out)
{
    fputs("{\"input\":{", out);
    for (struct input *in = inputs; in < inputs + input_count; in++) {
        fprintf(out, "%s\"%s\":{\"records\":%llu,\"bytes\":%llu}", in > inputs ? "," : "", in->name, u(in->records),
            u(in->bytes));
    }
    fputs("},\"filter\":{", out);
    filter_metrics(out, &grep_filter, "");
    filter_metrics(out, &rewrite_filter, grep_filter.active ? "," : "");
    fputs("},\"output\":{", out);
    for (struct output *o = outputs; o < outputs + output_count; o++) {
        fprintf(out, "%s\"%s\":{\"proc_records\":%llu,\"proc_bytes\":%llu,\"errors\":%llu,\"retries\":%llu,"
            "\"retries_failed\":%llu,\"dropped_records\":%llu,\"retried_records\":%llu}",
            o > outputs ? "," : "", o->name, u(o->records), u(o->bytes), u(o->errors), u(o->retries),
            u(o->retries_failed), u(o->dropped), u(o->retried));
    }
    fputs("}}", out);
}

/* ---- version 2 ---- */

static void head(FILE *out, const char *name)
{
    fprintf(out, "# TYPE fluentbit_%s untyped\n", name);
}

static void sample(FILE *out, const char *name, const char *label, uint64_t n)
{
    fprintf(out, "fluentbit_%s{name=\"%s\"} %llu\n", name, label, u(n));
}

#define EACH_INPUT(out, figure, value) \
    do { \
        head(out, figure); \
        for (struct input *in = inputs; in < inputs + input_count; in++) { \
            sample(out, figure, in->name, (uint64_t) (value)); \
        } \
    } while (0)

#define EACH_OUTPUT(out, figure, value) \
    do { \
        head(out, figure); \
        for (struct output *o = outputs; o < outputs + output_count; o++) { \
            sample(out, figure, o->name, (value)); \
        } \
    } while (0)

static void prometheus_inputs(FILE *out)
{
    EACH_INPUT(out, "input_records_total", in->records);
    EACH_INPUT(out, "input_bytes_total", in->bytes);
    EACH_INPUT(out, "input_ingestion_paused", in->full);
    EACH_INPUT(out, "input_storage_overlimit", in->full);
    EACH_INPUT(out, "input_storage_chunks", in->chunks_shown);
    EACH_INPUT(out, "input_storage_chunks_busy", in->busy_shown);
    if (options.version >= 40100) {
        EACH_INPUT(out, "input_ring_buffer_writes_total", in->ring_writes);
        EACH_INPUT(out, "input_ring_buffer_retries_total", in->ring_retries);
        EACH_INPUT(out, "input_ring_buffer_retry_failures_total", in->ring_failures);
    }
}

static void prometheus_filter(FILE *out, const struct filter *f)
{
    if (f->active) {
        sample(out, "filter_records_total", f->name, f->records);
        sample(out, "filter_add_records_total", f->name, 0);
        sample(out, "filter_drop_records_total", f->name, f->dropped);
    }
    if (f == &rewrite_filter && f->emitted > 0) { /* unlike in version 1, only when there are some */
        sample(out, "filter_emit_records_total", f->name, f->emitted);
    }
}

static void prometheus_outputs(FILE *out)
{
    EACH_OUTPUT(out, "output_proc_records_total", o->records);
    EACH_OUTPUT(out, "output_proc_bytes_total", o->bytes);
    EACH_OUTPUT(out, "output_errors_total", o->errors);
    EACH_OUTPUT(out, "output_retries_total", o->retries);
    EACH_OUTPUT(out, "output_retries_failed_total", o->retries_failed);
    EACH_OUTPUT(out, "output_dropped_records_total", o->dropped);
    EACH_OUTPUT(out, "output_retried_records_total", o->retried);
}

static void route(FILE *out, const char *figure, const struct input *in, const char *output, uint64_t n)
{
    if (n > 0) { /* the engine has no sample before it counts something */
        fprintf(out, "fluentbit_routing_logs_%s{input=\"%s\",output=\"%s\"} %llu\n", figure, in->name, output, u(n));
    }
}

static void prometheus_routes(FILE *out)
{
    for (struct input *in = inputs; in < inputs + input_count; in++) {
        for (struct output *o = outputs; o < outputs + output_count; o++) {
            route(out, "records_total", in, o->name, o->from[in - inputs]);
            route(out, "drop_records_total", in, o->name, o->dropped_from[in - inputs]);
        }
        route(out, "drop_records_total", in, "unmatched", in->unmatched);
    }
}

/* Chunks of the whole engine are of this moment, those of an input as old as in report_storage. */
void report_prometheus(FILE *out)
{
    struct figure f = count_chunks();

    fprintf(out, "fluentbit_build_info{hostname=\"host\",version=\"%s\",os=\"linux\"} 1\n", options.version_text);
    fprintf(out, "fluentbit_storage_chunks %d\nfluentbit_storage_mem_chunks %d\nfluentbit_storage_fs_chunks %d\n"
        "fluentbit_storage_fs_chunks_up %d\nfluentbit_storage_fs_chunks_down %d\n",
        f.all, f.memory, f.files, f.files_up, f.files - f.files_up);
    if (options.version >= 40003) {
        fprintf(out, "fluentbit_logger_logs_total{message_type=\"error\"} %llu\n", logged_errors());
    }
    if (options.version >= 40200) {
        prometheus_routes(out);
    }
    prometheus_inputs(out);
    prometheus_filter(out, &grep_filter);
    prometheus_filter(out, &rewrite_filter);
    prometheus_outputs(out);
}
