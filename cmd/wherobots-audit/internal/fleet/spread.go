package fleet

import (
	"errors"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
	"time"
)

// Shards spreads the organisations over n configurations by a hash of their names: one that is added or removed moves
// no other. A shard may be empty, and is then left out.
func Shards(base []byte, list []Organisation, n int) (files []File, err error) {
	shards := make([][]Organisation, n)
	for _, o := range list {
		hash := fnv.New32a()
		hash.Write([]byte(o.Name))
		at := hash.Sum32() % uint32(n)
		shards[at] = append(shards[at], o)
	}
	for i, shard := range shards {
		if len(shard) == 0 {
			continue
		}
		text, err := Render(base, shard)
		if err != nil {
			return nil, err
		}
		files = append(files, File{fmt.Sprintf("shard-%d.yaml", i), text})
	}
	return files, nil
}

// Slices cuts the stretch into n, each a configuration that ends by itself, of the base's input or of all
// organisations. All are made at once, so that one begins where the other ends.
func Slices(base []byte, list []Organisation, n int, from, to string, now time.Time) (files []File, err error) {
	begin, err := moment(from, now)
	if err != nil {
		return nil, err
	}
	end, err := moment(to, now)
	if err != nil {
		return nil, err
	}
	if end.Sub(begin) < time.Duration(n)*time.Second {
		return nil, errors.New("the stretch is too short for so many slices: each has a second at least")
	}
	edge := func(i int) string {
		return begin.Add(end.Sub(begin) / time.Duration(n) * time.Duration(i)).Truncate(time.Second).Format(time.RFC3339)
	}
	for i := range n {
		until := edge(i + 1)
		if i == n-1 {
			until = end.Format(time.RFC3339)
		}
		name := fmt.Sprintf("slice-%d", i)
		text, err := render(base, func(input []pair) (inputs [][]pair) {
			owners := [][]pair{input}
			if len(list) > 0 {
				owners = nil
				for _, o := range list {
					owners = append(owners, o.input(input))
				}
			}
			for _, owner := range owners {
				checkpoint := get(owner, "checkpoint_path")
				of := "wherobots_audit"
				if len(list) > 0 {
					of = get(owner, "alias")
				}
				owner = with(owner, "checkpoint_path", beside(checkpoint, of+"-"+name))
				owner = with(owner, "start_time", edge(i))
				owner = with(owner, "end_time", until)
				inputs = append(inputs, with(owner, "exit_when_complete", "on"))
			}
			return inputs
		})
		if err != nil {
			return nil, err
		}
		files = append(files, File{name + ".yaml", text})
	}
	return files, nil
}

// moment reads a time in RFC 3339, or an age such as -90d, -12h or -0s, in whole seconds.
func moment(text string, now time.Time) (time.Time, error) {
	age, isAge := strings.CutPrefix(text, "-")
	if !isAge {
		at, err := time.Parse(time.RFC3339, text)
		return at.UTC().Truncate(time.Second), err
	}
	if days, isDays := strings.CutSuffix(age, "d"); isDays {
		n, err := strconv.Atoi(days)
		return now.UTC().AddDate(0, 0, -n).Truncate(time.Second), err
	}
	d, err := time.ParseDuration(age)
	return now.UTC().Add(-d).Truncate(time.Second), err
}
