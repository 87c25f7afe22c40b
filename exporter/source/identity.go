package source

import (
	"crypto/tls"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/logline"
)

// identity is the certificate that this side shows (mTLS). It is read again for every connection, since such
// certificates live for days or hours.
type identity struct {
	certFile, keyFile string

	mu   sync.Mutex
	last *tls.Certificate // that could be read: files are replaced one after the other
	seen [2]fileState     // the files then
}

// fileState tells a file from what it is replaced by.
type fileState struct {
	changed time.Time
	size    int64
}

// LoadIdentity returns the certificate and key in two PEM files. Its error names the setting that is wrong.
func LoadIdentity(certFile, keyFile string) (*tls.Certificate, error) {
	cert, err := readRegular(certFile, maxRoots, "certificate")
	if err != nil {
		return nil, fmt.Errorf("tls_cert_file %s: %w", logline.Quoted(certFile), err)
	}
	key, err := readRegular(keyFile, maxRoots, "key")
	if err != nil {
		return nil, fmt.Errorf("tls_key_file %s: %w", logline.Quoted(keyFile), err)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("tls_cert_file %s with tls_key_file %s: %w", logline.Quoted(certFile),
			logline.Quoted(keyFile), err)
	}
	return &pair, nil
}

// certificate is for tls.Config.
func (i *identity) certificate(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.seen = i.states()
	pair, err := LoadIdentity(i.certFile, i.keyFile)
	if err == nil {
		i.last = pair
	} else if i.last == nil {
		return nil, err
	}
	return i.last, nil
}

// changed reports whether a file is another than when a connection was made last, so that a new one is due.
func (i *identity) changed() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.last != nil && i.seen != i.states()
}

func (i *identity) states() (states [2]fileState) {
	for n, file := range []string{i.certFile, i.keyFile} {
		if info, err := os.Stat(file); err == nil {
			states[n] = fileState{info.ModTime(), info.Size()}
		}
	}
	return states
}
