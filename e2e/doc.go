// Package e2e holds the tests of the shared object as a whole, loaded by a host
// as in production: the bundled one (host/, a C program) and a real Fluent Bit
// where there is one on the PATH or named by FLUENT_BIT. run.sh is `make run`,
// check is `make test`.
package e2e
