// Package packaging has what `make install` and `make packages` copy, and tests that install, start and remove it.
package packaging
