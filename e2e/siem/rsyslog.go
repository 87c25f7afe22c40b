package siem

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/wherobots/in_wherobots_audit/e2e/loopback"
)

// Rsyslog is a receiver of syslog over TCP.
type Rsyslog struct {
	*Server
	file string
}

// rsyslogConfig wants the host and port to listen on, the working directory and the file of messages. What rsyslog
// reads out of a message is written as JSON, as an observer would use it.
const rsyslogConfig = `global(workDirectory="%[3]s" maxMessageSize="64k" parser.escapeControlCharactersOnReceive="off")
module(load="imtcp")
input(type="imtcp" address="%[1]s" port="%[2]s")
template(name="fields" type="list" option.jsonf="on") {
  property(outname="pri" name="pri" format="jsonf")
  property(outname="time" name="timereported" dateFormat="rfc3339" format="jsonf")
  property(outname="host" name="hostname" format="jsonf")
  property(outname="app" name="app-name" format="jsonf")
  property(outname="procid" name="procid" format="jsonf")
  property(outname="msgid" name="msgid" format="jsonf")
  property(outname="structured" name="structured-data" format="jsonf")
  property(outname="message" name="msg" format="jsonf")
}
action(type="omfile" file="%[4]s" template="fields" asyncWriting="off" flushOnTXEnd="on")
`

// StartRsyslog starts the rsyslogd that is installed.
func StartRsyslog(dir string) (*Rsyslog, error) {
	program, err := exec.LookPath("rsyslogd")
	if err != nil {
		program = "/usr/sbin/rsyslogd" // where Debian has it, and not every user's PATH
		if _, err := os.Stat(program); err != nil {
			return nil, fmt.Errorf("rsyslogd: %w: apt-get install rsyslog", ErrUnavailable)
		}
	}
	addresses, err := loopback.Addresses(1)
	if err != nil {
		return nil, err
	}
	s := &Rsyslog{Server: &Server{Address: addresses[0]}, file: filepath.Join(dir, "messages")}
	config := filepath.Join(dir, "rsyslog.conf")
	text := fmt.Sprintf(rsyslogConfig, s.Host(), s.Port(), dir, s.file)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, err
	}
	pid := filepath.Join(dir, "rsyslogd.pid")
	s.Server, err = Launch(dir, s.Address, exec.Command(program, "-n", "-f", config, "-i", pid))
	if err != nil {
		return nil, err
	}
	return s, s.Until(func() bool { return accepts(s.Address) })
}

// SyslogMessage is what rsyslog read out of one.
type SyslogMessage struct{ Pri, Time, Host, App, Procid, Msgid, Structured, Message string }

// Messages returns what has arrived.
func (s *Rsyslog) Messages() (messages []SyslogMessage, err error) {
	text, err := os.ReadFile(s.file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // nothing yet
	}
	for line := range strings.Lines(string(text)) {
		var m SyslogMessage
		if !strings.HasSuffix(line, "\n") {
			break // not whole yet
		}
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			return nil, fmt.Errorf("%q: %w", line, err)
		}
		messages = append(messages, m)
	}
	return messages, err
}
