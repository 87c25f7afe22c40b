/* The shared object, its callbacks, and one thread for each instance. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "host.h"

static struct {
    int (*do_register)(struct proxy_def *);
    void (*unregister)(struct proxy_def *);
    int (*init)(struct proxy_input *);
    int (*pre_run)(int);
    int (*collect)(void **, size_t *);
    int (*collect_ctx)(void *, void **, size_t *);
    int (*cleanup)(void *);
    int (*cleanup_ctx)(void *, void *);
    void (*pause)(void);
    void (*resume)(void);
    void (*pre_exit)(int);
    int (*exit)(void);
} plugin;

static struct proxy_def *def, *old_def;
static bool reloading;

/* ---- the API table that Init gets; the order is the engine's ---- */

static const char *input_get_property(const char *key, struct instance *ins)
{
    for (int i = 0; i < ins->properties; i++) {
        if (strcasecmp(ins->keys[i], key) == 0) {
            return ins->values[i];
        }
    }
    return NULL;
}

static void log_print(int level, const char *file, int line, const char *fmt, ...)
{
    char text[4096];
    va_list args;

    (void) file;
    (void) line;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    host_log(level, "%s", text);
}

static int input_log_check(struct instance *ins, int level)
{
    (void) ins;
    return level <= options.log_level;
}

static struct {
    void *output_get_property;
    const char *(*input_get_property)(const char *, struct instance *);
    void *output_get_cmt_instance;
    void *input_get_cmt_instance;
    void (*log_print)(int, const char *, int, const char *, ...);
    int (*input_log_check)(struct instance *, int);
} api = {NULL, input_get_property, NULL, NULL, log_print, input_log_check};

/* The engine's executable exports this one as well. */
const char *flb_input_name(struct instance *ins)
{
    return ins->name;
}

/* ---- loading ---- */

static void *symbol(void *so, const char *name)
{
    void *s = dlsym(so, name);

    if (s == NULL) {
        die("%s does not export %s", options.plugin, name);
    }
    return s;
}

void plugin_load(void)
{
    void *so = dlopen(options.plugin, RTLD_LAZY);

    if (so == NULL) {
        die("%s", dlerror());
    }
    *(void **) &plugin.do_register = symbol(so, "FLBPluginRegister");
    *(void **) &plugin.unregister = symbol(so, "FLBPluginUnregister");
    *(void **) &plugin.init = symbol(so, "FLBPluginInit");
    *(void **) &plugin.pre_run = symbol(so, "FLBPluginInputPreRun");
    *(void **) &plugin.collect = symbol(so, "FLBPluginInputCallback");
    *(void **) &plugin.collect_ctx = symbol(so, "FLBPluginInputCallbackCtx");
    *(void **) &plugin.cleanup = symbol(so, "FLBPluginInputCleanupCallback");
    *(void **) &plugin.cleanup_ctx = symbol(so, "FLBPluginInputCleanupCallbackCtx");
    *(void **) &plugin.pause = symbol(so, "FLBPluginInputPause");
    *(void **) &plugin.resume = symbol(so, "FLBPluginInputResume");
    *(void **) &plugin.pre_exit = symbol(so, "FLBPluginInputPreExit");
    *(void **) &plugin.exit = symbol(so, "FLBPluginExit");
}

/* A reload registers the new definition first and unregisters the old one last. */
void plugin_register(void)
{
    struct proxy_def *fresh = calloc(1, sizeof(*fresh));

    if (plugin.do_register(fresh) == -1 || fresh->type != 1 || fresh->proxy != 11) {
        die("FLBPluginRegister: no Go input plugin");
    }
    old_def = def;
    def = fresh;
    reloading = old_def != NULL;
}

void plugin_unregister(void)
{
    struct proxy_def *gone = old_def != NULL ? old_def : def;

    plugin.unregister(gone);
    free(gone);
    old_def = NULL;
    reloading = false;
}

/* ---- one instance ---- */

/*
 * discard: the engine may go on to collect after a Pause, and what it is handed
 * then is lost.
 */
static void collect(struct instance *ins, bool discard)
{
    void *data = NULL;
    size_t size = 0;
    int ret;

    if (options.old_abi) {
        ret = plugin.collect(&data, &size);
    } else {
        ret = plugin.collect_ctx(ins->context.remote_context, &data, &size);
    }
    if (size == 0 || ret == -1) {
        return;
    }
    if (discard) {
        host_log(2, "[host] %zu bytes handed over after the pause are lost", size);
    } else {
        ring_push(ins, data, size);
    }
    if (options.old_abi) {
        plugin.cleanup(data);
    } else {
        plugin.cleanup_ctx(ins->context.remote_context, data);
    }
}

static void answer_init(struct instance *ins, int ready)
{
    pthread_mutex_lock(&ins->mutex);
    ins->ready = ready;
    pthread_cond_broadcast(&ins->changed);
    pthread_mutex_unlock(&ins->mutex);
}

/* Waits for a command or the time of the next collect call; 0 = the latter. */
static int next_command(struct instance *ins, long long due)
{
    struct timespec until = {due / 1000, due % 1000 * 1000000};
    int command = 0;
    int timeout = 0;

    pthread_mutex_lock(&ins->mutex);
    while (ins->commands == 0 && timeout == 0) {
        timeout = pthread_cond_timedwait(&ins->changed, &ins->mutex, &until);
    }
    command = ins->commands & -ins->commands; /* the lowest bit: PAUSE before EXIT */
    ins->commands &= ~command;
    pthread_mutex_unlock(&ins->mutex);
    return command;
}

static void *run(void *arg)
{
    struct instance *ins = arg;
    long long due;
    int command;

    if (plugin.init(&ins->plugin) <= 0) {
        answer_init(ins, -1);
        return NULL;
    }
    answer_init(ins, 1);
    do { /* the main thread starts the collectors when every Init is through */
        command = next_command(ins, now_ms() + 1000);
    } while (command != START && command != EXIT);
    if (command == START) {
        plugin.pre_run(1);
    }
    due = next_tick(options.interval_ms);
    while (command != EXIT) {
        command = next_command(ins, due);
        if (command == PAUSE) {
            plugin.pause();
            ins->paused = true;
        } else if (command == RESUME) {
            plugin.resume();
            ins->paused = false;
        } else if (command == 0) {
            due += options.interval_ms;
            collect(ins, ins->paused);
        }
    }
    plugin.pre_exit(reloading);
    plugin.exit();
    return NULL;
}

bool instance_init(struct instance *ins)
{
    pthread_condattr_t clock;

    ins->plugin = (struct proxy_input){def->name, &api, ins, &ins->context};
    ins->context = (struct proxy_context){0};
    ins->commands = ins->ready = 0;
    ins->paused = false;
    pthread_mutex_init(&ins->mutex, NULL);
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&ins->changed, &clock);
    if (pthread_create(&ins->thread, NULL, run, ins) != 0) {
        die("no thread for %s", ins->name);
    }
    pthread_mutex_lock(&ins->mutex);
    while (ins->ready == 0) {
        pthread_cond_wait(&ins->changed, &ins->mutex);
    }
    pthread_mutex_unlock(&ins->mutex);
    return ins->ready == 1;
}

void instance_send(struct instance *ins, int commands)
{
    pthread_mutex_lock(&ins->mutex);
    ins->commands |= commands;
    pthread_cond_broadcast(&ins->changed);
    pthread_mutex_unlock(&ins->mutex);
}

void instance_join(struct instance *ins)
{
    pthread_join(ins->thread, NULL);
}
