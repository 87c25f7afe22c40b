/*
 * The two addresses of the engine's monitoring API that tell what was delivered,
 * with the ages that the engine's figures have: counters 1 s, chunks 5 s, and 404
 * until the first of each.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host.h"

#define REPORT_SIZE 8192
#define COUNTERS_REFRESH_MS 1000

struct report {
    char text[REPORT_SIZE]; /* empty: there is none yet */
    long long taken;
};

static struct report counters, storage;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void refresh(struct report *r, int age_ms, size_t (*write_report)(char *, size_t))
{
    if (r->taken == 0) {
        r->taken = now_ms();
    } else if (now_ms() - r->taken >= age_ms) {
        write_report(r->text, sizeof(r->text));
        r->taken = now_ms();
    }
}

/* Called by the main thread, which owns the figures, often enough. */
void http_refresh(void)
{
    pthread_mutex_lock(&mutex);
    refresh(&counters, COUNTERS_REFRESH_MS, store_report_counters);
    refresh(&storage, options.storage_refresh_ms, store_report_chunks);
    pthread_mutex_unlock(&mutex);
}

static void answer(int connection)
{
    char request[2048], body[REPORT_SIZE] = "", head[256];
    ssize_t n = recv(connection, request, sizeof(request) - 1, 0);
    const struct report *r = NULL;

    if (n <= 0) {
        return;
    }
    request[n] = '\0';
    if (strncmp(request, "GET /api/v1/storage ", 20) == 0) {
        r = &storage;
    } else if (strncmp(request, "GET /api/v1/metrics ", 20) == 0) {
        r = &counters;
    }
    if (r != NULL) {
        pthread_mutex_lock(&mutex);
        memcpy(body, r->text, sizeof(body));
        pthread_mutex_unlock(&mutex);
    }
    snprintf(head, sizeof(head),
             "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
             body[0] != '\0' ? "200 OK" : "404 Not Found", strlen(body));
    if (send(connection, head, strlen(head), MSG_NOSIGNAL) > 0) {
        send(connection, body, strlen(body), MSG_NOSIGNAL);
    }
}

static void *serve(void *arg)
{
    int listener = *(int *) arg;

    for (;;) {
        int connection = accept(listener, NULL, NULL);

        if (connection >= 0) {
            answer(connection);
            close(connection);
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
