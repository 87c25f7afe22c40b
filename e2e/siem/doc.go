// Package siem starts real stores on loopback for the end-to-end tests and for `make demo`: VictoriaLogs, OpenSearch,
// Elasticsearch, Kafka, an S3 gateway and rsyslog. Each comes from a package manager, in the version pinned here, into
// the user's cache directory; none of them is a dependency of the plugin.
//
// A Start function returns ErrUnavailable where this machine cannot have the store, with the reason.
package siem
