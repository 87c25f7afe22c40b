// Package kubernetes checks conf/kubernetes. It is a module of its own, so that Kubernetes' types stay out of the
// plugin's.
package kubernetes

import (
	"fmt"
	"os"
	"regexp"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	apps "k8s.io/api/apps/v1"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

const conf = "../../conf/kubernetes/"

// types are what manifests may be, as the APIs publish them.
var types = map[string]func() any{
	"Namespace":             func() any { return new(core.Namespace) },
	"Pod":                   func() any { return new(core.Pod) },
	"Service":               func() any { return new(core.Service) },
	"ConfigMap":             func() any { return new(core.ConfigMap) },
	"Job":                   func() any { return new(batch.Job) },
	"StatefulSet":           func() any { return new(apps.StatefulSet) },
	"NetworkPolicy":         func() any { return new(networking.NetworkPolicy) },
	"PodDisruptionBudget":   func() any { return new(policy.PodDisruptionBudget) },
	"PersistentVolumeClaim": func() any { return new(core.PersistentVolumeClaim) },
	"PodMonitor":            func() any { return new(monitoring.PodMonitor) },
	"PrometheusRule":        func() any { return new(monitoring.PrometheusRule) },
}

// decode refuses a field that the type does not have, which the API server would drop without a word.
func decode(t *testing.T, text []byte) any {
	t.Helper()
	var head struct{ Kind string }
	require.NoError(t, yaml.Unmarshal(text, &head))
	require.Contains(t, types, head.Kind)
	object := types[head.Kind]()
	require.NoError(t, yaml.UnmarshalStrict(text, object), "%s\n%s", head.Kind, text)
	return object
}

// build is `kustomize build`.
func build(t *testing.T, folder string) (objects []any) {
	t.Helper()
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), folder)
	require.NoError(t, err)
	for _, resource := range resources.Resources() {
		text, err := resource.AsYAML()
		require.NoError(t, err)
		objects = append(objects, decode(t, text))
	}
	return objects
}

func one[T any](t *testing.T, objects []any) (found T) {
	t.Helper()
	n := 0
	for _, object := range objects {
		if typed, ok := object.(T); ok {
			found = typed
			n++
		}
	}
	require.Equal(t, 1, n, "%T", found)
	return found
}

func TestCollector(t *testing.T) {
	for folder, organisations := range map[string][]string{"base": {"audit"}, "organisations": {"acme", "globex"}} {
		objects := build(t, conf+folder)
		set := one[*apps.StatefulSet](t, objects)
		assert.Equal(t, int32(1), *set.Spec.Replicas)
		pod := set.Spec.Template.Spec
		container := pod.Containers[0]
		assert.True(t, *pod.SecurityContext.RunAsNonRoot)
		assert.NotZero(t, *pod.SecurityContext.FSGroup)
		assert.True(t, *container.SecurityContext.ReadOnlyRootFilesystem)
		assert.Equal(t, "/livez", container.LivenessProbe.HTTPGet.Path)
		assert.Equal(t, "/readyz", container.ReadinessProbe.HTTPGet.Path)
		for _, mount := range container.VolumeMounts {
			assert.Empty(t, mount.SubPath, "a secret mounted so is not updated")
		}
		claim := set.Spec.VolumeClaimTemplates[0]
		assert.Equal(t, []core.PersistentVolumeAccessMode{core.ReadWriteOnce}, claim.Spec.AccessModes)

		configuration := one[*core.ConfigMap](t, objects)
		assert.Equal(t, configuration.Name, pod.Volumes[0].ConfigMap.Name, "a change makes a new pod")
		for _, name := range organisations {
			assert.Contains(t, configuration.Data["fluent-bit.yaml"], "/etc/wherobots-keys/"+name+"\n")
			assert.Contains(t, configuration.Data["fluent-bit.yaml"], "/var/lib/fluent-bit/"+name+".json\n")
		}
		budget := one[*policy.PodDisruptionBudget](t, objects)
		assert.Equal(t, set.Spec.Selector, budget.Spec.Selector, "the budget is of this collector's pods")
		assert.Equal(t, set.Spec.Selector.MatchLabels, set.Spec.Template.Labels)
	}
}

// TestStandby holds what differs from one collector: both pods have one volume, and none is restarted for waiting.
func TestStandby(t *testing.T) {
	objects := build(t, conf+"standby")
	set := one[*apps.StatefulSet](t, objects)
	claim := one[*core.PersistentVolumeClaim](t, objects)
	assert.Equal(t, int32(2), *set.Spec.Replicas)
	assert.Equal(t, apps.OnDeleteStatefulSetStrategyType, set.Spec.UpdateStrategy.Type)
	assert.Empty(t, set.Spec.VolumeClaimTemplates, "a claim for each pod would be two collections")
	pod := set.Spec.Template.Spec
	claims := make(map[string]string)
	for _, volume := range pod.Volumes {
		if volume.PersistentVolumeClaim != nil {
			claims[volume.Name] = volume.PersistentVolumeClaim.ClaimName
		}
	}
	assert.Equal(t, map[string]string{"state": claim.Name}, claims)
	assert.Equal(t, []core.PersistentVolumeAccessMode{core.ReadWriteMany}, claim.Spec.AccessModes)
	probe := pod.Containers[0].StartupProbe
	assert.Greater(t, int64(probe.FailureThreshold)*int64(probe.PeriodSeconds), int64(365*24*3600))
	assert.Equal(t, "/livez", probe.HTTPGet.Path)

	alone := one[*core.ConfigMap](t, build(t, conf+"base")).Data["fluent-bit.yaml"]
	configuration := one[*core.ConfigMap](t, objects).Data["fluent-bit.yaml"]
	assert.Equal(t, alone, regexp.MustCompile(`(?m)^ +checkpoint_lock: wait .*\n`).ReplaceAllString(configuration, ""))
	assert.NotEqual(t, alone, configuration)
}

// TestDocumentedJob holds the example of a backfill in slices.
func TestDocumentedJob(t *testing.T) {
	text, err := os.ReadFile("../../docs/organisations.md")
	require.NoError(t, err)
	example := regexp.MustCompile("(?s)```yaml\n(apiVersion: batch/v1\n.*?)```").FindSubmatch(text)
	require.NotNil(t, example)
	job := decode(t, example[1]).(*batch.Job)
	assert.Equal(t, batch.IndexedCompletion, *job.Spec.CompletionMode)
	assert.Contains(t, string(text), fmt.Sprintf("--slices %d ", *job.Spec.Completions), "a pod for each slice")
	assert.Equal(t, core.RestartPolicyOnFailure, job.Spec.Template.Spec.RestartPolicy, "its state outlives the container")
	assert.NotNil(t, job.Spec.BackoffLimitPerIndex)
}

func TestMonitoring(t *testing.T) {
	for _, file := range []string{"podmonitor", "prometheusrule"} {
		text, err := os.ReadFile(conf + "monitoring/" + file + ".yaml")
		require.NoError(t, err)
		decode(t, text)
	}
}

func TestSidecar(t *testing.T) {
	text, err := os.ReadFile(conf + "sidecar.yaml")
	require.NoError(t, err)
	pod := decode(t, text).(*core.Pod)
	assert.NotNil(t, pod.Spec.Volumes[0].Image)
}

// A misspelled field is found.
func TestStrict(t *testing.T) {
	assert.Error(t, yaml.UnmarshalStrict([]byte("kind: Pod\nspec:\n  contaners: []\n"), new(core.Pod)))
}
