/* Options, signals, and the main thread's loop. See host.h for what this is. */
#define _GNU_SOURCE
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#include "host.h"

#define LOOK_MS 1000 /* between two looks at what is pending on shutdown */

struct options options = {
    .interval_ms = 1000,
    .ring_ms = 250,
    .storage_refresh_ms = 5000,
    .grace_ms = 5000,
    .log_level = 3,
};
struct instance instances[MAX_INSTANCES];
int instance_count;

static const char usage[] =
    "usage: host --plugin FILE [option ...] [--input NAME] -p key=value ...\n"
    "  --input NAME             begin another instance of the plugin\n"
    "  -p key=value             a setting of the instance\n"
    "  --out FILE               append JSON lines to FILE instead of printing them\n"
    "  --storage-path DIR       filesystem storage; without it, memory\n"
    "  --interval-ms 1000       between two collect calls\n"
    "  --ring-ms 250            how long handed-over bytes may stay in the ring\n"
    "  --deliver-after-ms 0     age of a chunk when its delivery is tried\n"
    "  --refuse 0.2             share of deliveries that fail and are tried again\n"
    "  --drop 0.2               share of deliveries that are given up on\n"
    "  --http PORT              monitoring API on loopback\n"
    "  --storage-refresh-ms 5000  age of its chunk figures\n"
    "  --grace-ms 5000          longest wait for delivery on shutdown\n"
    "  --old-abi                the callbacks before Fluent Bit 4.1\n"
    "  --log-level 3            1 error, 2 warn, 3 info, 4 debug\n";

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

/* ---- options ---- */

static struct instance *new_instance(const char *name)
{
    struct instance *ins;

    if (instance_count == MAX_INSTANCES) {
        die("more than %d instances", MAX_INSTANCES);
    }
    ins = &instances[instance_count++];
    snprintf(ins->name, sizeof(ins->name), "%s", name);
    return ins;
}

static void add_property(char *text)
{
    struct instance *ins = instance_count > 0 ? &instances[instance_count - 1] : new_instance("wherobots_audit.0");
    char *equals = strchr(text, '=');

    if (equals == NULL || ins->properties == MAX_PROPERTIES) {
        die("-p %s: key=value is expected, at most %d times", text, MAX_PROPERTIES);
    }
    *equals = '\0';
    ins->keys[ins->properties] = text;
    ins->values[ins->properties++] = equals + 1;
}

static void read_options(int argc, char **argv)
{
    static const struct option longs[] = {
        {"plugin", 1, NULL, 'P'}, {"input", 1, NULL, 'i'}, {"out", 1, NULL, 'o'},
        {"storage-path", 1, NULL, 's'}, {"interval-ms", 1, NULL, 't'}, {"ring-ms", 1, NULL, 'r'},
        {"deliver-after-ms", 1, NULL, 'd'}, {"refuse", 1, NULL, 'R'}, {"drop", 1, NULL, 'D'},
        {"http", 1, NULL, 'H'}, {"storage-refresh-ms", 1, NULL, 'S'}, {"grace-ms", 1, NULL, 'g'},
        {"old-abi", 0, NULL, 'a'}, {"log-level", 1, NULL, 'l'}, {NULL, 0, NULL, 0}};
    int c;

    while ((c = getopt_long(argc, argv, "p:", longs, NULL)) != -1) {
        switch (c) {
        case 'P': options.plugin = optarg; break;
        case 'i': new_instance(optarg); break;
        case 'p': add_property(optarg); break;
        case 'o': options.out = optarg; break;
        case 's': options.storage_path = optarg; break;
        case 't': options.interval_ms = atoi(optarg); break;
        case 'r': options.ring_ms = atoi(optarg); break;
        case 'd': options.deliver_after_ms = atoi(optarg); break;
        case 'R': options.refuse = atof(optarg); break;
        case 'D': options.drop = atof(optarg); break;
        case 'H': options.http_port = atoi(optarg); break;
        case 'S': options.storage_refresh_ms = atoi(optarg); break;
        case 'g': options.grace_ms = atoi(optarg); break;
        case 'a': options.old_abi = true; break;
        case 'l': options.log_level = atoi(optarg); break;
        default:
            fputs(usage, stderr);
            exit(64);
        }
    }
    if (options.plugin == NULL || instance_count == 0 || optind != argc) {
        fputs(usage, stderr);
        exit(64);
    }
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
    long long look = next_tick(LOOK_MS);

    send_all(PAUSE);
    while (now_ms() < look || (chunks_pending() > 0 && now_ms() < end)) {
        work(signals, 20);
        if (now_ms() >= look && chunks_pending() > 0) {
            chunks_deliver(true);
            look = next_tick(LOOK_MS);
        }
    }
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
