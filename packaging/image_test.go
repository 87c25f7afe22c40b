package packaging

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// builder returns what runs buildah with a storage of its own.
func builder(t *testing.T) (command string, buildah func(arguments ...string) string) {
	t.Helper()
	needs(t, "buildah")
	if os.Getuid() != 0 {
		t.Skip("only root can mount an image")
	}
	storage := t.TempDir()
	where := []string{"--root", storage + "/root", "--runroot", storage + "/run", "--storage-driver", "vfs"}
	return "buildah " + strings.Join(where, " "), func(arguments ...string) string {
		return strings.TrimSpace(output(t, "buildah", slices.Concat(where, arguments)...))
	}
}

// The full image has the bytes of the archive when it is made of that, as a release is. Here its base is empty, as no
// registry is asked: what is put on the base is looked at.
func TestImage(t *testing.T) {
	command, buildah := builder(t)
	found, err := filepath.Glob(released(t) + "/*.tar.gz")
	require.NoError(t, err)
	require.Len(t, found, 1)
	unpacked := unpack(t, found[0])
	archive := filepath.Join(unpacked, strings.TrimSuffix(filepath.Base(found[0]), ".tar.gz"))
	prebuilt := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(prebuilt, "src/build"), 0o755))
	require.NoError(t, os.MkdirAll(filepath.Join(prebuilt, "state/var/lib/fluent-bit"), 0o755))
	require.NoError(t, os.Rename(archive, filepath.Join(prebuilt, "src/build/image")))
	text, err := makeTarget("docker", "IMAGE=localhost/audit:full", "DOCKER="+command, "PREBUILT="+prebuilt,
		"FLUENT_BIT_IMAGE=scratch", "GO_IMAGE=scratch")
	require.NoError(t, err, "%s", text)

	container := buildah("from", "--pull-never", "localhost/audit:full")
	image := buildah("mount", container)
	for inside, binary := range map[string]string{
		"fluent-bit/plugins/in_wherobots_audit.so": "in_wherobots_audit.so",
		"fluent-bit/bin/wherobots-audit":           "wherobots-audit",
	} {
		assert.Equal(t, hash(t, filepath.Join(releasedIn, binary)), hash(t, filepath.Join(image, inside)), inside)
	}
	assert.FileExists(t, filepath.Join(image, "fluent-bit/etc/wherobots/container/plugins.yaml"))
	assert.FileExists(t, filepath.Join(image, "licenses/in_wherobots_audit/THIRD_PARTY_LICENSES"))
	var owner syscall.Stat_t
	require.NoError(t, syscall.Stat(filepath.Join(image, "var/lib/fluent-bit"), &owner))
	assert.Equal(t, uint32(65532), owner.Uid, "the volume is the user's")
	assert.Contains(t, buildah("inspect", "--format", "{{.OCIv1.Config.User}}", container), "65532")
	buildah("umount", container)
}

// The plugin-only image is built without a Docker engine, and its command installs it into a folder, as an init
// container does: in the image alone, where there is no shell and no C library.
func TestPluginImage(t *testing.T) {
	command, buildah := builder(t)
	text, err := makeTarget("plugin-image", "IMAGE=localhost/audit", "DOCKER="+command)
	require.NoError(t, err, "%s", text)

	container := buildah("from", "--pull-never", "localhost/audit:plugin")
	image := buildah("mount", container)
	assert.FileExists(t, filepath.Join(image, "in_wherobots_audit.so"))
	assert.FileExists(t, filepath.Join(image, "conf", "splunk.yaml"))
	assert.FileExists(t, filepath.Join(image, "LICENSE"))
	assert.FileExists(t, filepath.Join(image, "THIRD_PARTY_LICENSES"))
	assert.Contains(t, buildah("inspect", "--format", "{{.OCIv1.Config.User}}", container), "65532")
	shared := t.TempDir()
	said := buildah("run", "--isolation", "chroot", "--user", "0:0", "-v", shared+":/shared", container, "--",
		"/wherobots-audit", "install-plugin", "--as", "/wherobots", "/shared")
	assert.Contains(t, said, "WHEROBOTS_PLUGINS_FILE=/wherobots/conf/plugins.conf")
	assert.FileExists(t, filepath.Join(shared, "in_wherobots_audit.so"))
	list, err := os.ReadFile(filepath.Join(shared, "conf", "plugins.conf"))
	require.NoError(t, err)
	assert.Contains(t, string(list), "Path /wherobots/in_wherobots_audit.so")
	buildah("umount", container)
}
