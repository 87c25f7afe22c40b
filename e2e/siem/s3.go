package siem

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/wherobots/in_wherobots_audit/e2e/loopback"
)

// s3Version is that of github.com/versity/versitygw (Apache-2.0), whose objects are files.
const s3Version = "v1.8.0"

// S3 is an S3 gateway over a directory.
type S3 struct {
	*Server
	AccessKey, SecretKey string
	dir                  string
}

// StartS3 builds the gateway if need be, and starts it with buckets of these names below dir.
func StartS3(dir string, buckets ...string) (*S3, error) {
	program, err := goProgram("github.com/versity/versitygw/cmd/versitygw", s3Version)
	if err != nil {
		return nil, err
	}
	addresses, err := loopback.Addresses(1)
	if err != nil {
		return nil, err
	}
	s := &S3{AccessKey: "access", SecretKey: "secret-of-a-test", dir: filepath.Join(dir, "buckets")}
	attributes := filepath.Join(dir, "attributes") // not every file system keeps them with a file
	for _, path := range append([]string{attributes}, s.paths(buckets)...) {
		if err := os.MkdirAll(path, 0o755); err != nil {
			return nil, err
		}
	}
	s.Server, err = Launch(dir, addresses[0], exec.Command(program, "--port", addresses[0], "--quiet",
		"--access", s.AccessKey, "--secret", s.SecretKey, "--health", "/health",
		"posix", "--sidecar", attributes, s.dir))
	if err != nil {
		return nil, err
	}
	return s, s.Until(func() bool { return answers(s.URL() + "/health") })
}

func (s *S3) paths(buckets []string) []string {
	paths := make([]string, 0, len(buckets))
	for _, name := range buckets {
		paths = append(paths, filepath.Join(s.dir, name))
	}
	return paths
}

// unfinished is the folder of uploads that are under way.
const unfinished = ".sgwtmp"

// Objects returns what is in a bucket, by key.
func (s *S3) Objects(bucket string) (map[string][]byte, error) {
	objects := map[string][]byte{}
	top := filepath.Join(s.dir, bucket)
	err := filepath.WalkDir(top, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && entry.Name() == unfinished {
			return fs.SkipDir
		}
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		key, err := filepath.Rel(top, path)
		if err != nil {
			return err
		}
		objects[key], err = os.ReadFile(path)
		return err
	})
	return objects, err
}
