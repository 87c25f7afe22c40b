package source

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// authority signs certificates for tests.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string // its certificate
}

func newAuthority(t *testing.T) *authority {
	a := &authority{t: t, file: filepath.Join(t.TempDir(), "ca.pem")}
	var der []byte
	a.key, der = a.sign(&x509.Certificate{
		Subject: pkix.Name{CommonName: "tests"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	})
	var err error
	a.cert, err = x509.ParseCertificate(der)
	require.NoError(t, err)
	a.write(a.file, "CERTIFICATE", der)
	return a
}

func (a *authority) sign(template *x509.Certificate) (*ecdsa.PrivateKey, []byte) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(a.t, err)
	template.SerialNumber, err = rand.Int(rand.Reader, big.NewInt(1<<62))
	require.NoError(a.t, err)
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	require.NoError(a.t, err)
	return key, der
}

func (a *authority) write(file, kind string, der []byte) {
	a.t.Helper()
	require.NoError(a.t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
}

// issue writes a certificate and its key.
func (a *authority) issue(name, certFile, keyFile string) {
	a.t.Helper()
	key, der := a.sign(&x509.Certificate{
		Subject: pkix.Name{CommonName: name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	})
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(a.t, err)
	a.write(certFile, "CERTIFICATE", der)
	a.write(keyFile, "PRIVATE KEY", private)
}

func withIdentity(t *testing.T, endpoint, ca, cert, key string) (*Client, error) {
	t.Helper()
	base, err := url.Parse(endpoint)
	require.NoError(t, err)
	return New(Config{
		Endpoint: base, Credentials: Credentials{APIKey: "hush-hush"}, RequestTimeout: time.Minute, PollInterval: time.Minute,
		TLSVerify: true, TLSCAFile: ca, TLSCertFile: cert, TLSKeyFile: key,
	}, nil)
}

// The certificate is shown, and another one as soon as the files change, although the connection was kept.
func TestTheCertificateThatIsShownFollowsItsFiles(t *testing.T) {
	a, dir := newAuthority(t), t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	var shown []string
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		shown = append(shown, r.TLS.PeerCertificates[0].Subject.CommonName)
	}))
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	server.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool}
	a.issue("server", cert, key)
	pair, err := tls.LoadX509KeyPair(cert, key)
	require.NoError(t, err)
	server.TLS.Certificates = []tls.Certificate{pair}
	server.StartTLS()
	defer server.Close()

	a.issue("first", cert, key)
	c, err := withIdentity(t, server.URL, a.file, cert, key)
	require.NoError(t, err)
	ask := func() {
		response, err := c.Open(t.Context(), testStart, testEnd)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
	}
	ask()
	ask()
	a.issue("second, which is longer", cert, key)
	ask()
	require.Equal(t, []string{"first", "first", "second, which is longer"}, shown)

	// Of two files one is replaced first: the pair of before goes on.
	a.issue("third", cert, filepath.Join(dir, "other.pem"))
	ask()
	require.Equal(t, "second, which is longer", shown[3])
	require.NoError(t, os.Remove(key))
	ask()
	require.NotContains(t, fmt.Sprintf("%v %+v %#v", c, c, *c), "PRIVATE")
}

func TestAnIdentityThatIsWrongIsToldAtStart(t *testing.T) {
	a, dir := newAuthority(t), t.TempDir()
	cert, key, other := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"), filepath.Join(dir, "other.pem")
	a.issue("one", cert, key)
	a.issue("other", filepath.Join(dir, "x.pem"), other)
	for _, test := range []struct{ cert, key, want string }{
		{dir + "/none", key, `tls_cert_file "` + dir + `/none": cannot be read: no such file or directory`},
		{cert, dir, `tls_key_file "` + dir + `": is not a regular file`},
		{cert, other, `tls_cert_file "` + cert + `" with tls_key_file "` + other + `": tls: private key does not match`},
		{cert, cert, `found a certificate rather than a key`},
	} {
		_, err := withIdentity(t, "https://audit.invalid", a.file, test.cert, test.key)
		require.ErrorContains(t, err, test.want)
		require.NotContains(t, err.Error(), "PRIVATE KEY---")
	}
}

// nginx, a gateway of the field, takes the certificate, and what it says to those who show none is told.
func TestNginxThatWantsACertificate(t *testing.T) {
	a, dir := newAuthority(t), t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	a.issue("nginx", filepath.Join(dir, "server.pem"), filepath.Join(dir, "server.key"))
	a.issue("audit", cert, key)
	address := startReal(t, "nginx", func(run, address string) []string {
		conf := filepath.Join(run, "nginx.conf")
		require.NoError(t, os.WriteFile(conf, []byte("daemon off; master_process off; pid "+run+"/pid; error_log stderr;\n"+
			"events {}\nhttp { access_log off; client_body_temp_path "+run+"/a; proxy_temp_path "+run+"/b;\n"+
			"fastcgi_temp_path "+run+"/c; uwsgi_temp_path "+run+"/d; scgi_temp_path "+run+"/e;\n"+
			"server { listen "+address+" ssl; ssl_certificate "+dir+"/server.pem; ssl_certificate_key "+dir+"/server.key;\n"+
			"ssl_client_certificate "+a.file+"; ssl_verify_client on;\n"+
			"location / { add_header X-Request-Id $ssl_client_s_dn always; return 204; } } }\n"), 0o600))
		return []string{"-p", run, "-c", conf}
	})
	c, err := withIdentity(t, "https://"+address, a.file, cert, key)
	require.NoError(t, err)
	response, err := c.Open(t.Context(), testStart, testEnd)
	require.NoError(t, err)
	require.Equal(t, "CN=audit", response.RequestID)
	require.NoError(t, response.Body.Close())

	c, err = withIdentity(t, "https://"+address, a.file, "", "")
	require.NoError(t, err)
	_, err = c.Open(t.Context(), testStart, testEnd)
	require.ErrorContains(t, err, "No required SSL certificate was sent")
	require.Equal(t, ClassRefused, ClassOf(err))
}
