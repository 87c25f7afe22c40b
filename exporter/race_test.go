//go:build race

package exporter

func init() { raced = true }
