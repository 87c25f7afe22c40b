// Package bundle writes the archive that goes into a bug report. Every text passes one place that takes secrets out.
package bundle

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"path"
	"time"
)

// folder is what everything in the archive lies in.
const folder = "wherobots-audit-diagnose"

// Bundle is an archive that is written, a tar.gz.
type Bundle struct {
	Redactor
	Names []string // of what is in it

	gzip *gzip.Writer
	tar  *tar.Writer
	now  time.Time
}

// New begins an archive.
func New(w io.Writer) *Bundle {
	zipped := gzip.NewWriter(w)
	return &Bundle{gzip: zipped, tar: tar.NewWriter(zipped), now: time.Now()}
}

// Text adds a file.
func (b *Bundle) Text(name, text string) error {
	text = b.Redact(text)
	name = path.Join(folder, name)
	header := &tar.Header{Name: name, Mode: 0o600, Size: int64(len(text)), ModTime: b.now, Format: tar.FormatPAX}
	if err := b.tar.WriteHeader(header); err != nil {
		return err
	}
	_, err := io.WriteString(b.tar, text)
	b.Names = append(b.Names, name)
	return err
}

// JSON adds a file with value in it.
func (b *Bundle) JSON(name string, value any) error {
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	return b.Text(name, string(text)+"\n")
}

// Close ends the archive.
func (b *Bundle) Close() error { return errors.Join(b.tar.Close(), b.gzip.Close()) }
