package kubernetes

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	rbac "k8s.io/api/rbac/v1"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	crd "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"sigs.k8s.io/yaml"
)

// helmVersion is that of helm.sh/helm/v3 in the Go module proxy.
const helmVersion = "v3.22.0"

// charts is a checkout of github.com/fluent/helm-charts, which no module proxy has: the official chart of Fluent Bit,
// and the operator's types as it publishes them to API servers.
func charts(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("HELM_CHARTS")
	if dir == "" {
		t.Skip("HELM_CHARTS names no checkout of github.com/fluent/helm-charts; the GitHub workflow has one")
	}
	return filepath.Join(dir, "charts")
}

// helm is the real one, built once for each version into the user's cache.
func helm(t *testing.T, args ...string) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	dir := filepath.Join(cache, "in_wherobots_audit", "helm-"+helmVersion)
	path := filepath.Join(dir, "helm")
	if _, err := os.Stat(path); err != nil {
		build := exec.Command("go", "install", "helm.sh/helm/v3/cmd/helm@"+helmVersion)
		build.Env = append(os.Environ(), "GOBIN="+dir, "GOFLAGS=", "CGO_ENABLED=0")
		output, err := build.CombinedOutput()
		require.NoError(t, err, "%s", output)
	}
	output, err := exec.Command(path, args...).CombinedOutput()
	require.NoError(t, err, "helm %s\n%s", strings.Join(args, " "), output)
	return string(output)
}

func documents(text string) (all []string) {
	for part := range strings.SplitSeq("\n"+text, "\n---") {
		if strings.Contains(part, "kind:") {
			all = append(all, part)
		}
	}
	return all
}

// TestChart renders the official chart with conf/kubernetes/chart-values.yaml: what comes out is a Deployment that is
// replaced whole, runs the plugin from a volume of its own, and keeps its state in the claim.
func TestChart(t *testing.T) {
	chart := filepath.Join(charts(t), "fluent-bit")
	values := conf + "chart-values.yaml"
	assert.Contains(t, helm(t, "lint", "--strict", chart, "-f", values), "0 chart(s) failed")
	types["Deployment"] = func() any { return new(apps.Deployment) }
	types["ServiceAccount"] = func() any { return new(core.ServiceAccount) }
	types["ClusterRole"] = func() any { return new(rbac.ClusterRole) }
	types["ClusterRoleBinding"] = func() any { return new(rbac.ClusterRoleBinding) }
	var objects []any
	for _, text := range documents(helm(t, "template", "wherobots-audit", chart, "-f", values)) {
		objects = append(objects, decode(t, []byte(text)))
	}
	deployment := one[*apps.Deployment](t, objects)
	assert.Equal(t, int32(1), *deployment.Spec.Replicas)
	assert.Equal(t, apps.RecreateDeploymentStrategyType, deployment.Spec.Strategy.Type)
	assert.Nil(t, deployment.Spec.Strategy.RollingUpdate)
	pod := deployment.Spec.Template.Spec
	require.Len(t, pod.InitContainers, 1)
	assert.Equal(t, []string{"install-plugin", "/wherobots"}, pod.InitContainers[0].Args)
	container := pod.Containers[0]
	assert.Equal(t, []string{"-c", "/wherobots/conf/splunk.yaml"}, container.Args)
	assert.True(t, *container.SecurityContext.ReadOnlyRootFilesystem)
	assert.Equal(t, "/api/v1/uptime", container.LivenessProbe.HTTPGet.Path)
	assert.Equal(t, "/api/v1/uptime", container.ReadinessProbe.HTTPGet.Path)
	assert.Contains(t, container.Env, core.EnvVar{Name: "FLUENT_BIT_HTTP_LISTEN", Value: "0.0.0.0"})
	mounted := make(map[string]string)
	for _, mount := range container.VolumeMounts {
		mounted[mount.MountPath] = mount.Name
	}
	claims := make(map[string]string)
	for _, volume := range pod.Volumes {
		assert.Nil(t, volume.HostPath, "nothing of the node is needed")
		if volume.PersistentVolumeClaim != nil {
			claims[volume.Name] = volume.PersistentVolumeClaim.ClaimName
		}
	}
	assert.Equal(t, "wherobots-audit", claims[mounted["/var/lib/fluent-bit"]])
	assert.Contains(t, mounted, "/wherobots")
	assert.Equal(t, "/wherobots/conf/plugins.conf", container.Env[0].Value)
}

// published is a type of the operator, as API servers get to know it.
func published(t *testing.T, kind string) *apiextensions.JSONSchemaProps {
	t.Helper()
	name := "fluentbit.fluent.io_" + strings.ToLower(kind) + "s.yaml"
	text, err := os.ReadFile(filepath.Join(charts(t), "fluent-operator-fluent-bit-crds", "templates", name))
	require.NoError(t, err)
	var plain [][]byte // without the chart's own annotations
	for _, line := range bytes.SplitAfter(text, []byte("\n")) {
		if !bytes.Contains(line, []byte("{{")) {
			plain = append(plain, line)
		}
	}
	text = bytes.ReplaceAll(bytes.Join(plain, nil), []byte("  annotations:\n  name:"), []byte("  name:"))
	var definition crd.CustomResourceDefinition
	require.NoError(t, yaml.Unmarshal(text, &definition))
	require.Equal(t, kind, definition.Spec.Names.Kind)
	internal := new(apiextensions.JSONSchemaProps)
	require.NoError(t, crd.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(
		definition.Spec.Versions[0].Schema.OpenAPIV3Schema, internal, nil))
	return internal
}

// faults is what an API server says of an object of the operator: fields that it does not know, and wrong values.
func faults(t *testing.T, object map[string]any) (found []string) {
	t.Helper()
	internal := published(t, object["kind"].(string))
	structural, err := schema.NewStructural(internal)
	require.NoError(t, err)
	validator, _, err := validation.NewSchemaValidator(internal)
	require.NoError(t, err)
	for _, err := range validation.ValidateCustomResource(nil, object, validator) {
		found = append(found, err.Error())
	}
	track := schema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true}
	unknown := pruning.PruneWithOptions(object, structural, true, track)
	return append(found, unknown...)
}

func TestOperator(t *testing.T) {
	charts(t)
	text, err := os.ReadFile(conf + "operator.yaml")
	require.NoError(t, err)
	kinds := make(map[string]int)
	for _, document := range documents(string(text)) {
		var object map[string]any
		require.NoError(t, yaml.Unmarshal([]byte(document), &object))
		kinds[object["kind"].(string)]++
		assert.Empty(t, faults(t, object), object["kind"])
	}
	assert.Equal(t, map[string]int{
		"Collector": 1, "ClusterFluentBitConfig": 1, "ClusterInput": 1, "ClusterOutput": 1,
	}, kinds)

	// What is wrong is found.
	var wrong map[string]any
	require.NoError(t, yaml.Unmarshal([]byte("kind: ClusterInput\nspec: {customPlugins: {}, logLevel: loud}\n"), &wrong))
	assert.Len(t, faults(t, wrong), 2)
}
