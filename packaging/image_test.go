package packaging

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The plugin-only image is built without a Docker engine, and its command installs it into a folder, as an init
// container does: in the image alone, where there is no shell and no C library.
func TestPluginImage(t *testing.T) {
	needs(t, "buildah")
	if os.Getuid() != 0 {
		t.Skip("only root can mount an image")
	}
	storage := t.TempDir()
	where := []string{"--root", storage + "/root", "--runroot", storage + "/run", "--storage-driver", "vfs"}
	buildah := func(arguments ...string) string {
		return strings.TrimSpace(output(t, "buildah", slices.Concat(where, arguments)...))
	}
	text, err := makeTarget("plugin-image", "IMAGE=localhost/audit", "DOCKER=buildah "+strings.Join(where, " "))
	require.NoError(t, err, "%s", text)

	container := buildah("from", "--pull-never", "localhost/audit:plugin")
	image := buildah("mount", container)
	assert.FileExists(t, filepath.Join(image, "in_wherobots_audit.so"))
	assert.FileExists(t, filepath.Join(image, "conf", "splunk.yaml"))
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
