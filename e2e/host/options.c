/* The command line. */
#define _GNU_SOURCE
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"

struct options options = {
    .rewrite_tag = "siem.audit",
    .version = 50101,
    .version_text = "5.1.1",
    .interval_ms = 1000,
    .ring_ms = 250,
    .ring_capacity = 1024,
    .storage_refresh_ms = 5000,
    .grace_ms = 5000,
    .log_level = 3,
};

static struct output plain = {.name = "stdout.0", .match = "*"};

static const char usage[] =
    "usage: host --plugin FILE [option ...] [--input NAME] -p key=value ...\n"
    "Inputs\n"
    "  --input NAME             begin another instance of the plugin\n"
    "  -p key=value             a setting of the instance\n"
    "  --tag TAG                tag of what the instances hand over; without it, the name\n"
    "  --interval-ms 1000       between two collect calls\n"
    "  --old-abi                the callbacks before Fluent Bit 4.1\n"
    "Main thread\n"
    "  --ring-ms 250            how long handed-over bytes may stay in the ring\n"
    "  --ring-capacity 1024     appends that the ring holds; one more waits a second and is lost\n"
    "  --write-delay-ms 0       how long the main thread stands still before each append\n"
    "  --filter-us 0            how long filters take for each record\n"
    "Storage\n"
    "  --storage-path DIR       filesystem storage; without it, memory\n"
    "  --memory                 the instances keep their chunks in memory although there is a path\n"
    "  --storage-limit BYTES    the storage path is full at so many; @FILE: it is read there, each time\n"
    "  --mem-buf-limit BYTES    of chunks in memory; at so many the input is paused\n"
    "Filters, for the instances' records\n"
    "  --grep TEXT              records that contain TEXT are dropped; \"\": all\n"
    "  --rewrite TEXT           records that contain TEXT go to an emitter instead, with another tag; \"\": all\n"
    "  --rewrite-tag siem.audit that tag\n"
    "  --emitter-on-disk        the emitter's chunks are files too; without it, memory\n"
    "Outputs; without --output there is one, stdout.0, which matches every tag\n"
    "  --out FILE               append JSON lines to FILE instead of printing them\n"
    "  --refuse 0.2             share of deliveries that fail and are tried again\n"
    "  --drop 0.2               share of deliveries that are given up on\n"
    "  --reject TEXT            a chunk that contains TEXT is refused for good, as with status 400\n"
    "  --down-ms 0              for so long after the start every delivery fails\n"
    "  --output NAME[,match=PATTERN][,out=FILE][,refuse=0.2][,drop=0.2][,reject=TEXT][,down=MS]\n"
    "                           one more output; what is left out is as with the options above\n"
    "  --deliver-after-ms 0     age of a chunk when its delivery is tried\n"
    "  --grace-ms 5000          longest wait for delivery on shutdown\n"
    "Monitoring API, on loopback: /api/v1/metrics, /api/v1/storage, /api/v2/metrics/prometheus\n"
    "  --http PORT              its port; without it there is none\n"
    "  --storage-refresh-ms 5000  age of the chunk figures of one input\n"
    "  --engine-version 5.1.1   only the figures that this version has are there\n"
    "  --log-level 3            1 error, 2 warn, 3 info, 4 debug\n";

static void usage_error(const char *what)
{
    fprintf(stderr, "host: %s\n%s", what, usage);
    exit(64);
}

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

/* The first part is the name; what is left out is taken from the plain output when all options are read. */
static void add_output(char *text)
{
    enum { MATCH, OUT, REFUSE, DROP, REJECT, DOWN };
    static char *const keys[] = {"match", "out", "refuse", "drop", "reject", "down", NULL};
    struct output *o;
    char *value;

    if (output_count == MAX_OUTPUTS) {
        die("more than %d outputs", MAX_OUTPUTS);
    }
    o = &outputs[output_count++];
    *o = (struct output){.match = "*", .refuse = -1, .drop = -1, .down_ms = -1};
    o->name = strsep(&text, ",");
    while (text != NULL && *text != '\0') {
        switch (getsubopt(&text, keys, &value)) {
        case MATCH: o->match = value; break;
        case OUT: o->path = value; break;
        case REFUSE: o->refuse = atof(value); break;
        case DROP: o->drop = atof(value); break;
        case REJECT: o->reject = value; break;
        case DOWN: o->down_ms = atoi(value); break;
        default: usage_error("--output: unknown part");
        }
    }
}

static void complete_outputs(void)
{
    if (output_count == 0) {
        outputs[output_count++] = plain;
    }
    for (struct output *o = outputs; o < outputs + output_count; o++) {
        o->path = o->path != NULL ? o->path : plain.path;
        o->reject = o->reject != NULL ? o->reject : plain.reject;
        o->refuse = o->refuse >= 0 ? o->refuse : plain.refuse;
        o->drop = o->drop >= 0 ? o->drop : plain.drop;
        o->down_ms = o->down_ms >= 0 ? o->down_ms : plain.down_ms;
    }
}

static void set_version(const char *text)
{
    int major, minor, patch;

    if (sscanf(text, "%d.%d.%d", &major, &minor, &patch) != 3) {
        usage_error("--engine-version: three numbers, as in 5.1.1");
    }
    options.version = major * 10000 + minor * 100 + patch;
    options.version_text = text;
}

enum {
    PLUGIN = 256, INPUT, TAG, INTERVAL, OLD_ABI, RING_MS, RING_CAPACITY, WRITE_DELAY, FILTER_US, STORAGE_PATH, MEMORY,
    STORAGE_LIMIT, MEM_BUF_LIMIT, GREP, REWRITE, REWRITE_TAG, EMITTER_ON_DISK, OUT, REFUSE, DROP, REJECT, DOWN_MS,
    OUTPUT, DELIVER_AFTER, GRACE, HTTP, STORAGE_REFRESH, VERSION, LOG_LEVEL
};

static const struct option longs[] = {
    {"plugin", 1, NULL, PLUGIN}, {"input", 1, NULL, INPUT}, {"tag", 1, NULL, TAG},
    {"interval-ms", 1, NULL, INTERVAL}, {"old-abi", 0, NULL, OLD_ABI}, {"ring-ms", 1, NULL, RING_MS},
    {"ring-capacity", 1, NULL, RING_CAPACITY}, {"write-delay-ms", 1, NULL, WRITE_DELAY},
    {"filter-us", 1, NULL, FILTER_US}, {"storage-path", 1, NULL, STORAGE_PATH}, {"memory", 0, NULL, MEMORY},
    {"storage-limit", 1, NULL, STORAGE_LIMIT}, {"mem-buf-limit", 1, NULL, MEM_BUF_LIMIT}, {"grep", 1, NULL, GREP},
    {"rewrite", 1, NULL, REWRITE}, {"rewrite-tag", 1, NULL, REWRITE_TAG},
    {"emitter-on-disk", 0, NULL, EMITTER_ON_DISK}, {"out", 1, NULL, OUT}, {"refuse", 1, NULL, REFUSE},
    {"drop", 1, NULL, DROP}, {"reject", 1, NULL, REJECT}, {"down-ms", 1, NULL, DOWN_MS},
    {"output", 1, NULL, OUTPUT}, {"deliver-after-ms", 1, NULL, DELIVER_AFTER}, {"grace-ms", 1, NULL, GRACE},
    {"http", 1, NULL, HTTP}, {"storage-refresh-ms", 1, NULL, STORAGE_REFRESH},
    {"engine-version", 1, NULL, VERSION}, {"log-level", 1, NULL, LOG_LEVEL}, {NULL, 0, NULL, 0}};

static void read_option(int c)
{
    switch (c) {
    case 'p': add_property(optarg); break;
    case PLUGIN: options.plugin = optarg; break;
    case INPUT: new_instance(optarg); break;
    case TAG: options.tag = optarg; break;
    case INTERVAL: options.interval_ms = atoi(optarg); break;
    case OLD_ABI: options.old_abi = true; break;
    case RING_MS: options.ring_ms = atoi(optarg); break;
    case RING_CAPACITY: options.ring_capacity = atoi(optarg); break;
    case WRITE_DELAY: options.write_delay_ms = atoi(optarg); break;
    case FILTER_US: options.filter_us = atoi(optarg); break;
    case STORAGE_PATH: options.storage_path = optarg; break;
    case MEMORY: options.memory = true; break;
    case STORAGE_LIMIT: options.storage_limit = optarg; break;
    case MEM_BUF_LIMIT: options.mem_buf_limit = atol(optarg); break;
    case GREP: options.grep = optarg; break;
    case REWRITE: options.rewrite = optarg; break;
    case REWRITE_TAG: options.rewrite_tag = optarg; break;
    case EMITTER_ON_DISK: options.emitter_on_disk = true; break;
    case OUT: plain.path = optarg; break;
    case REFUSE: plain.refuse = atof(optarg); break;
    case DROP: plain.drop = atof(optarg); break;
    case REJECT: plain.reject = optarg; break;
    case DOWN_MS: plain.down_ms = atoi(optarg); break;
    case OUTPUT: add_output(optarg); break;
    case DELIVER_AFTER: options.deliver_after_ms = atoi(optarg); break;
    case GRACE: options.grace_ms = atoi(optarg); break;
    case HTTP: options.http_port = atoi(optarg); break;
    case STORAGE_REFRESH: options.storage_refresh_ms = atoi(optarg); break;
    case VERSION: set_version(optarg); break;
    case LOG_LEVEL: options.log_level = atoi(optarg); break;
    default: usage_error("unknown option");
    }
}

void read_options(int argc, char **argv)
{
    int c;

    while ((c = getopt_long(argc, argv, "p:", longs, NULL)) != -1) {
        read_option(c);
    }
    if (options.plugin == NULL || instance_count == 0 || optind != argc) {
        usage_error("--plugin and at least one -p are needed, and nothing but options");
    }
    if (options.storage_path == NULL && (options.storage_limit != NULL || options.emitter_on_disk)) {
        usage_error("--storage-limit and --emitter-on-disk need --storage-path");
    }
    complete_outputs();
}
