package siem

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/wherobots/in_wherobots_audit/e2e/loopback"
)

// Kafka is one broker that is its own controller. Its version is in java/kafka.xml (Apache-2.0).
type Kafka struct {
	*Server
	dir, jars string
}

// brokerProperties wants the addresses of broker and controller, and the directory of the log.
const brokerProperties = `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@%[2]s
listeners=PLAINTEXT://%[1]s,CONTROLLER://%[2]s
advertised.listeners=PLAINTEXT://%[1]s
controller.listener.names=CONTROLLER
log.dirs=%[3]s
num.partitions=3
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
`

// StartKafka fetches Kafka if need be, and starts a broker with its data below dir, in about ten seconds.
func StartKafka(dir string) (*Kafka, error) {
	k, err := NewKafka(dir)
	if err != nil {
		return nil, err
	}
	return k, k.Start()
}

// NewKafka fetches Kafka if need be, and prepares a broker with its data below dir. Its address is known, and nothing
// listens there yet. A topic comes into being when something is sent to it.
func NewKafka(dir string) (*Kafka, error) {
	jars, err := classpath("kafka")
	if err != nil {
		return nil, err
	}
	addresses, err := loopback.Addresses(2)
	if err != nil {
		return nil, err
	}
	k := &Kafka{Server: &Server{Address: addresses[0]}, dir: dir, jars: jars}
	properties := fmt.Sprintf(brokerProperties, addresses[0], addresses[1], filepath.Join(dir, "data"))
	if err := os.WriteFile(k.properties(), []byte(properties), 0o600); err != nil {
		return nil, err
	}
	const cluster = "MkU3OEVBNTcwNTJENDM2Qk"
	if _, err := k.tool("kafka.tools.StorageTool", "format", "-t", cluster, "-c", k.properties()).Output(); err != nil {
		return nil, fmt.Errorf("kafka.tools.StorageTool: %w", err)
	}
	return k, nil
}

// Start starts the broker, and waits until it answers.
func (k *Kafka) Start() error {
	server, err := Launch(k.dir, k.Address, k.tool("kafka.Kafka", k.properties()))
	if err != nil {
		return err
	}
	k.Server = server
	return k.Until(func() bool {
		_, err := k.tool("org.apache.kafka.tools.BrokerApiVersionsCommand", "--bootstrap-server", k.Address).Output()
		return err == nil
	})
}

// Stop ends the broker if it was started.
func (k *Kafka) Stop() {
	if k.cmd != nil {
		k.Server.Stop()
	}
}

func (k *Kafka) properties() string { return filepath.Join(k.dir, "server.properties") }

// tool is a class of Kafka's.
func (k *Kafka) tool(class string, arguments ...string) *exec.Cmd {
	options := []string{
		"-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
		"-cp", k.jars, class,
	}
	return exec.Command("java", append(options, arguments...)...)
}

// Count is how many messages a topic has had; 0 if there is no such topic.
func (k *Kafka) Count(topic string) (n int, err error) {
	offsets := k.tool("org.apache.kafka.tools.GetOffsetShell", "--bootstrap-server", k.Address, "--topic", topic)
	output, err := offsets.Output()
	if err != nil {
		return 0, fmt.Errorf("org.apache.kafka.tools.GetOffsetShell: %w", err)
	}
	for line := range strings.Lines(string(output)) {
		parts := strings.Split(strings.TrimSpace(line), ":") // topic:partition:offset
		offset, err := strconv.Atoi(parts[len(parts)-1])
		if err != nil {
			return 0, fmt.Errorf("%q: %w", line, err)
		}
		n += offset
	}
	return n, nil
}

// Message is one of a topic.
type Message struct{ Partition, Key, Value string }

// Consume returns the first n messages of a topic, and waits for them.
func (k *Kafka) Consume(topic string, n int) ([]Message, error) {
	const patience = 2 * time.Minute
	consumer := k.tool("org.apache.kafka.tools.consumer.ConsoleConsumer", "--bootstrap-server", k.Address,
		"--topic", topic, "--from-beginning", "--max-messages", strconv.Itoa(n),
		"--timeout-ms", strconv.FormatInt(patience.Milliseconds(), 10),
		"--formatter-property", "print.partition=true", "--formatter-property", "print.key=true")
	var complaints bytes.Buffer
	consumer.Stderr = &complaints
	output, err := consumer.Output()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, complaints.Bytes())
	}
	var messages []Message
	for line := range strings.Lines(string(output)) {
		parts := strings.SplitN(strings.TrimSuffix(line, "\n"), "\t", 3)
		if len(parts) == 3 {
			messages = append(messages, Message{parts[0], parts[1], parts[2]})
		}
	}
	return messages, nil
}
