package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"syscall"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/logline"
)

// healthCommand asks a running plugin or engine whether it is well, for images that have neither a shell nor curl.
type healthCommand struct {
	URL     string        `name:"url" default:"http://127.0.0.1:2112/livez" help:"What to ask."`
	Timeout time.Duration `name:"timeout" default:"3s" help:"How long to wait for the answer."`
}

// mostAnswer is how much of an answer is shown.
const mostAnswer = 4 << 10

// healthAnswer is what came back.
type healthAnswer struct {
	URL     string `json:"url"`
	Healthy bool   `json:"healthy"`
	Status  int    `json:"status,omitempty"`
	Answer  string `json:"answer,omitempty"`
	Error   string `json:"error,omitempty"`
}

func (h healthCommand) Run(c *console) error {
	u, err := url.Parse(h.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return &exitError{exitUsage, fmt.Errorf("--url is not an http or https URL")}
	}
	ctx, cancel := context.WithTimeout(context.Background(), h.Timeout)
	defer cancel()
	answer := askHealth(ctx, u)
	if c.json {
		err = json.NewEncoder(c.out).Encode(answer)
	} else {
		_, err = fmt.Fprintln(c.out, answer)
	}
	if err == nil && !answer.Healthy {
		return &exitError{code: exitFailed}
	}
	return err
}

func (a healthAnswer) String() string {
	switch {
	case a.Error != "":
		return a.URL + ": " + a.Error
	case a.Healthy:
		return fmt.Sprintf("healthy (%d) %s", a.Status, a.Answer)
	}
	return fmt.Sprintf("not healthy (%d) %s", a.Status, a.Answer)
}

// localClient asks what runs on this machine: neither a proxy nor a redirect has a say.
func localClient() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func askHealth(ctx context.Context, u *url.URL) healthAnswer {
	a := healthAnswer{URL: u.Redacted()}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		a.Error = "cannot be asked"
		return a
	}
	response, err := localClient().Do(request)
	if err != nil {
		a.Error = logline.Clean(reasonOf(err))
		if errors.Is(err, syscall.ECONNREFUSED) {
			a.Error += "; nothing listens there: set status_listen, or name its address with --url"
		}
		return a
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, mostAnswer))
	if err != nil {
		a.Error = logline.Clean(reasonOf(err))
	}
	a.Status, a.Answer = response.StatusCode, logline.Clean(string(text))
	a.Healthy = err == nil && response.StatusCode/100 == 2
	return a
}

// reasonOf is an error without the URL, which is said already and may have a password in it.
func reasonOf(err error) string {
	var inner *url.Error
	if errors.As(err, &inner) {
		return inner.Err.Error()
	}
	return err.Error()
}
