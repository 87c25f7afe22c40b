/*
 * The addresses of the engine's monitoring API that tell what was stored and
 * delivered, with the ages that the engine's figures have, and 404 until the first
 * of each. Counters of both versions are of the same moment, a full second of the
 * monotonic clock like the collect calls; chunks of single inputs are 5 s old.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "host.h"

#define COUNTERS_REFRESH_MS 1000

struct report {
    const char *path;
    const char *type;
    void (*write)(FILE *);
    char *text; /* NULL: there is none yet */
};

enum { METRICS, PROMETHEUS, STORAGE, REPORTS };

static struct report reports[REPORTS] = {
    [METRICS] = {"/api/v1/metrics", "application/json", report_metrics, NULL},
    [PROMETHEUS] = {"/api/v2/metrics/prometheus", "text/plain; version=0.0.4", report_prometheus, NULL},
    [STORAGE] = {"/api/v1/storage", "application/json", report_storage, NULL},
};
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void renew(struct report *r)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);

    if (f == NULL) {
        die("out of memory");
    }
    r->write(f);
    fclose(f);
    pthread_mutex_lock(&mutex);
    free(r->text);
    r->text = text;
    pthread_mutex_unlock(&mutex);
}

static bool is_time(long long *due, int interval_ms)
{
    bool yes = *due != 0 && now_ms() >= *due;

    if (yes || *due == 0) {
        *due = next_tick(interval_ms);
    }
    return yes;
}

/* Called by the main thread, which owns the figures, often enough. */
void http_refresh(void)
{
    static long long counters_due, storage_due;

    if (is_time(&storage_due, options.storage_refresh_ms)) {
        renew(&reports[STORAGE]);
    }
    if (is_time(&counters_due, COUNTERS_REFRESH_MS)) {
        renew(&reports[METRICS]);
        renew(&reports[PROMETHEUS]);
    }
}

/* Returns a copy of what was asked for, NULL = 404. */
static char *find(const char *request, const char **type)
{
    char *text = NULL;

    for (struct report *r = reports; r < reports + REPORTS; r++) {
        size_t n = strlen(r->path);

        if (strncmp(request, "GET ", 4) == 0 && strncmp(request + 4, r->path, n) == 0 && request[4 + n] == ' ') {
            pthread_mutex_lock(&mutex);
            text = r->text != NULL ? strdup(r->text) : NULL;
            pthread_mutex_unlock(&mutex);
            *type = r->type;
        }
    }
    return text;
}

static void answer(int connection)
{
    char request[2048], head[256];
    const char *type = "text/plain";
    ssize_t n = recv(connection, request, sizeof(request) - 1, 0);
    char *body;
    size_t size;

    if (n <= 0) {
        return;
    }
    request[n] = '\0';
    body = find(request, &type);
    size = body != NULL ? strlen(body) : 0;
    snprintf(head, sizeof(head),
             "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
             body != NULL ? "200 OK" : "404 Not Found", type, size);
    if (send(connection, head, strlen(head), MSG_NOSIGNAL) > 0 && size > 0) {
        send(connection, body, size, MSG_NOSIGNAL);
    }
    free(body);
}

/*
 * As the engine's, the connection is open until the client has read the answer: the
 * plugin looks which process has the other end.
 */
static void hang_up(int connection)
{
    struct timeval patience = {.tv_sec = 2};
    char rest[256];

    shutdown(connection, SHUT_WR);
    setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    while (recv(connection, rest, sizeof(rest), 0) > 0) {
    }
    close(connection);
}

static void *serve(void *arg)
{
    int listener = *(int *) arg;

    for (;;) {
        int connection = accept(listener, NULL, NULL);

        if (connection >= 0) {
            answer(connection);
            hang_up(connection);
        }
    }
    return NULL;
}

void http_start(void)
{
    static int listener;
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t) options.http_port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int on = 1;
    pthread_t thread;

    listener = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(listener, (struct sockaddr *) &address, sizeof(address)) != 0 || listen(listener, 16) != 0) {
        die("port %d: %s", options.http_port, strerror(errno));
    }
    if (pthread_create(&thread, NULL, serve, &listener) != 0) {
        die("no thread for the monitoring API");
    }
}
