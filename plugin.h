/*
 * The few structures of Fluent Bit that a Go input plugin is handed, as laid
 * out by src/proxy/go/go.h, include/fluent-bit/flb_plugin_proxy.h and
 * include/fluent-bit/flb_api.h of Fluent Bit 3.2 to 5.1. fluent-bit-go's own
 * header has the layout of an *output*'s context, so it cannot be used for
 * anything but reading properties.
 */
#ifndef WHEROBOTS_AUDIT_PLUGIN_H
#define WHEROBOTS_AUDIT_PLUGIN_H

#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>

struct engine_api {
    void *output_get_property;
    void *input_get_property;
    void *output_get_cmt_instance;
    void *input_get_cmt_instance;
    void (*log_print)(int level, const char *file, int line, const char *fmt, ...);
    int (*input_log_check)(void *ins, int level);
};

struct engine_context {
    int coll_fd;
    void *remote_context;
    void *proxy;
};

struct engine_plugin {
    char *name;
    struct engine_api *api;
    void *ins;
    struct engine_context *context;
};

/* What comes back as ctx in every callback that carries one. */
static inline void engine_set_handle(struct engine_plugin *p, void *handle)
{
    p->context->remote_context = handle;
}

/*
 * log_print does not look at the level itself. The line goes to the engine's
 * log file only when a callback's thread prints it.
 */
static inline void engine_log(struct engine_api *api, void *ins, int level, const char *text)
{
    if (api->input_log_check(ins, level)) {
        api->log_print(level, NULL, 0, "%s", text);
    }
}

/* Whether lines of this level are written. */
static inline int engine_logs(struct engine_api *api, void *ins, int level)
{
    return api->input_log_check(ins, level);
}

/*
 * The instance's alias, else "<plugin>.<i>". No entry of the API table tells
 * it; the engine's executable exports the function that it uses itself. NULL
 * where the host has no such function.
 */
static inline const char *engine_input_name(void *ins)
{
    const char *(*name)(void *);

    *(void **) &name = dlsym(RTLD_DEFAULT, "flb_input_name");
    return name == NULL ? NULL : name(ins);
}

/*
 * cmetrics, which the engine's executable exports; the instance's own set of
 * metrics is part of what /api/v2/metrics shows. Every function is looked up by
 * name, since the API table's entry is unset in an engine without metrics. A
 * metric is NULL, and setting it does nothing, where the host has none.
 */
typedef void *metric_create(void *cmt, const char *ns, const char *subsystem, const char *name,
                            const char *help, int label_count, char **labels);
typedef int metric_set(void *metric, uint64_t timestamp, double value, int label_count, char **labels);

static inline void *engine_metrics(void *ins)
{
    void *(*set_of)(void *);

    *(void **) &set_of = dlsym(RTLD_DEFAULT, "flb_input_get_cmt_instance");
    return set_of == NULL ? NULL : set_of(ins);
}

static inline void *engine_metric(void *ins, int gauge, const char *name, const char *help, int label_count,
                                  char **labels)
{
    metric_create *create;
    void *set = engine_metrics(ins);

    *(void **) &create = dlsym(RTLD_DEFAULT, gauge ? "cmt_gauge_create" : "cmt_counter_create");
    return create == NULL || set == NULL ? NULL : create(set, "wherobots", "audit", name, help, label_count, labels);
}

static inline void engine_metric_set(void *metric, int gauge, uint64_t ns, double value, int label_count,
                                     char **labels)
{
    metric_set *set;

    *(void **) &set = dlsym(RTLD_DEFAULT, gauge ? "cmt_gauge_set" : "cmt_counter_set");
    if (set != NULL && metric != NULL) {
        set(metric, ns, value, label_count, labels);
    }
}

/*
 * A histogram is set as a whole: cmt_histogram_set_default takes the number of
 * values up to each bound, and of all behind the last (read in cmt_histogram.c:
 * observing increments every bucket that the value fits into, as Prometheus'
 * text format wants it).
 */
static inline void *engine_histogram(void *ins, const char *name, const char *help, double *bounds, size_t count,
                                     int label_count, char **labels)
{
    void *(*buckets)(double *, size_t);
    void *(*create)(void *, const char *, const char *, const char *, const char *, void *, int, char **);
    void *set = engine_metrics(ins);

    *(void **) &buckets = dlsym(RTLD_DEFAULT, "cmt_histogram_buckets_create_size");
    *(void **) &create = dlsym(RTLD_DEFAULT, "cmt_histogram_create");
    if (set == NULL || buckets == NULL || create == NULL) {
        return NULL;
    }
    return create(set, "wherobots", "audit", name, help, buckets(bounds, count), label_count, labels);
}

static inline void engine_histogram_set(void *metric, uint64_t ns, uint64_t *at_most, double sum, uint64_t count,
                                        int label_count, char **labels)
{
    int (*set)(void *, uint64_t, uint64_t *, double, uint64_t, int, char **);

    *(void **) &set = dlsym(RTLD_DEFAULT, "cmt_histogram_set_default");
    if (set != NULL && metric != NULL) {
        set(metric, ns, at_most, sum, count, label_count, labels);
    }
}

#endif
