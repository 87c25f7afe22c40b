package exportertest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// Episode is one stretch of a history: an ill, and when it lasts. A history is a list of them, which
// its text gives back: see ParseEpisode.
type Episode struct {
	Ill   string        // the name of one; see Ills
	Size  int           // what the ill makes of it; 0 = 1
	After time.Duration // begins so long after Play, by the server's clock
	Lasts time.Duration // so long, by the server's clock; 0 = for ever
	Times int           // at most for so many requests; 0 = all
}

// DrawEpisode draws any ill, once or a few times or for up to ten minutes.
func DrawEpisode(random *rand.Rand) Episode {
	e := Episode{Ill: ills[random.IntN(len(ills))].Name, Size: 1 + random.IntN(MostSize)}
	if random.IntN(2) == 0 {
		e.Times = 1 + random.IntN(3)
	} else {
		e.Lasts = time.Duration(1+random.IntN(600)) * time.Second
	}
	return e
}

// String is the text that ParseEpisode reads.
func (e Episode) String() string {
	text := e.Ill
	add := func(name string, value any) { text += fmt.Sprintf("; %s=%v", name, value) }
	if e.Size != 0 {
		add("size", e.Size)
	}
	if e.After != 0 {
		add("after", e.After)
	}
	if e.Lasts != 0 {
		add("lasts", e.Lasts)
	}
	if e.Times != 0 {
		add("times", e.Times)
	}
	return text
}

// ParseEpisode reads the name of an ill and, behind semicolons, size=, after=, lasts= and times=.
func ParseEpisode(text string) (e Episode, err error) {
	parts := strings.Split(text, ";")
	e.Ill = strings.TrimSpace(parts[0])
	if _, ok := illNamed(e.Ill); !ok {
		return e, fmt.Errorf("%q is none of %q", e.Ill, IllNames())
	}
	for _, part := range parts[1:] {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		if err := e.set(name, value); err != nil {
			return e, fmt.Errorf("%q: %w", strings.TrimSpace(part), err)
		}
	}
	return e, nil
}

func (e *Episode) set(name, value string) (err error) {
	switch name {
	case "size":
		e.Size, err = strconv.Atoi(value)
	case "after":
		e.After, err = time.ParseDuration(value)
	case "lasts":
		e.Lasts, err = time.ParseDuration(value)
	case "times":
		e.Times, err = strconv.Atoi(value)
	default:
		return errors.New("allowed are size, after, lasts and times")
	}
	return err
}

// episode is one that a server goes through.
type episode struct {
	name     string
	from, to time.Time // to is exclusive; zero = for ever
	left     int       // requests; -1 = any number
	counts   bool      // left is of requests of the sister operation, not of the export
	change   func(*Answers)
}

// Play begins an episode. A name that no ill has is a mistake of the caller, and panics.
func (s *Server) Play(e Episode) {
	ill, ok := illNamed(e.Ill)
	if !ok {
		panic(fmt.Sprintf("exportertest: no ill is named %q", e.Ill))
	}
	from := s.options.Clock().Add(e.After)
	begun := episode{name: ill.Name, from: from, left: -1, counts: ill.Counts, change: ill.Change(e.Size)}
	if e.Lasts != 0 {
		begun.to = from.Add(e.Lasts)
	}
	if e.Times != 0 {
		begun.left = e.Times
	}
	s.begin(begun)
}

// During changes how the server answers from one time of its clock until another.
func (s *Server) During(from, to time.Time, change func(*Answers)) {
	s.begin(episode{name: "change", from: from, to: to, left: -1, change: change})
}

func (s *Server) begin(e episode) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.episodes = append(s.episodes, e)
}

// Heal ends all episodes, faults and chaos, those that have not begun included. Answers stay.
func (s *Server) Heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults, s.countFaults, s.episodes, s.chaos = nil, nil, nil, nil
}

// befall changes the answers to one request by the episodes that it falls into, and returns their
// names. The caller holds the lock.
func (s *Server) befall(a *Answers, now time.Time, path string) string {
	var names []string
	for i := range s.episodes {
		e := &s.episodes[i]
		over := e.left == 0 || !e.to.IsZero() && !now.Before(e.to)
		other := e.left > 0 && e.counts != (path == CountPath)
		if over || other || now.Before(e.from) {
			continue
		}
		if e.left > 0 {
			e.left--
		}
		e.change(a)
		names = append(names, e.name)
	}
	return strings.Join(names, ", ")
}
