/* Signals, and the main thread's loop. See host.h for what this is. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#include "host.h"

#define LOOK_MS 1000 /* between two looks at what is pending on shutdown */

struct instance instances[MAX_INSTANCES];
int instance_count;
long long started_ms;

static atomic_ullong errors;

unsigned long long logged_errors(void)
{
    return atomic_load(&errors);
}

long long now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (long long) t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The engine's timers tick together, at full seconds of the monotonic clock. */
long long next_tick(int interval_ms)
{
    return (now_ms() / interval_ms + 1) * interval_ms;
}

static void print_log(int level, const char *text)
{
    static const char *names[] = {"", "error", " warn", " info", "debug", "trace"};
    char when[32];
    struct timespec now;
    struct tm tm;

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    strftime(when, sizeof(when), "%Y/%m/%d %H:%M:%S", &tm);
    fprintf(stderr, "[%s.%03d] [%s] %s\n", when, (int) (now.tv_nsec / 1000000), names[level], text);
}

void host_log(int level, const char *fmt, ...)
{
    char text[4096];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    if (level == 1) { /* counted whether printed or not, as the engine does */
        atomic_fetch_add(&errors, 1);
    }
    if (level <= options.log_level) {
        print_log(level, text);
    }
}

void die(const char *fmt, ...)
{
    char text[4096];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    print_log(1, text);
    _Exit(70);
}

/* ---- the life of the instances ---- */

static void send_all(int commands)
{
    for (int i = 0; i < instance_count; i++) {
        instance_send(&instances[i], commands);
    }
}

/* As the engine does: every Init first, one after the other, then the timers. */
static void start_all(void)
{
    for (int i = 0; i < instance_count; i++) {
        if (!instance_init(&instances[i])) {
            host_log(1, "[host] failed to initialize input %s", instances[i].name);
            exit(255);
        }
    }
    send_all(START);
}

/* Moves and delivers what is due; returns the signal that came, 0 = none. */
static int work(const sigset_t *signals, int ms)
{
    struct timespec timeout = {ms / 1000, (long) ms % 1000 * 1000000};
    int signal = sigtimedwait(signals, NULL, &timeout);
    static long long flushed;

    if (now_ms() - flushed >= options.ring_ms) {
        ring_flush();
        flushed = now_ms();
    }
    emitter_flush();
    chunks_deliver(false);
    http_refresh();
    return signal > 0 ? signal : 0;
}

/*
 * Pause; wait for what is pending, looking at every full second, when the
 * collect calls come too, as the engine's timers do; Pause once more; Exit. The
 * ring is not emptied for it: what it holds is lost.
 */
static void stop_all(const sigset_t *signals)
{
    long long end = now_ms() + options.grace_ms;
    long long look;

    send_all(PAUSE);
    do {
        look = next_tick(LOOK_MS);
        while (now_ms() < look) {
            work(signals, 20);
        }
        chunks_deliver(true);
    } while (chunks_pending() > 0 && now_ms() < end);
    send_all(PAUSE);
    for (int i = 0; i < instance_count; i++) {
        instance_send(&instances[i], EXIT);
        instance_join(&instances[i]);
    }
}

static void reload(const sigset_t *signals)
{
    host_log(3, "[host] reload");
    plugin_register();
    stop_all(signals);
    plugin_unregister();
    store_close();
    store_open();
    start_all();
}

int main(int argc, char **argv)
{
    sigset_t signals;
    int signal;

    read_options(argc, argv);
    sigemptyset(&signals);
    for (const int *s = (int[]){SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, 0}; *s != 0; s++) {
        sigaddset(&signals, *s);
    }
    pthread_sigmask(SIG_BLOCK, &signals, NULL); /* every thread inherits it */
    setvbuf(stderr, NULL, _IOLBF, 0);

    plugin_load();
    plugin_register();
    started_ms = now_ms();
    outputs_open();
    store_open();
    if (options.http_port != 0) {
        http_start();
    }
    start_all();
    do {
        signal = work(&signals, 20);
        if (signal == SIGHUP) {
            reload(&signals);
        } else if (signal == SIGUSR1 || signal == SIGUSR2) {
            send_all(signal == SIGUSR1 ? PAUSE : RESUME);
        }
    } while (signal != SIGTERM && signal != SIGINT);
    host_log(3, "[host] %s", strsignal(signal));
    stop_all(&signals);
    plugin_unregister();
    return 0;
}
