package siem

import (
	"archive/zip"
	"errors"
	"io/fs"
	"os/exec"
	"slices"
	"strings"
)

// Elasticsearch is one node without security, with ES|QL and KQL. Its version is in java/elasticsearch-server.xml
// (Elastic License 2.0: it is fetched for the tests and never handed on). What is common with OpenSearch, which came of
// it, is asked in the same way.
type Elasticsearch struct{ OpenSearch }

// StartElasticsearch fetches Elasticsearch if need be, and starts a node with its data below dir, in about ten seconds.
func StartElasticsearch(dir string) (*Elasticsearch, error) {
	server, err := classpath("elasticsearch-server")
	if err != nil {
		return nil, err
	}
	more, err := classpath("elasticsearch-modules")
	if err != nil {
		return nil, err
	}
	file, err := source(dir, "ElasticsearchNode.java")
	if err != nil {
		return nil, err
	}
	libraries, modules, err := elasticModules(server, more)
	if err != nil {
		return nil, err
	}
	java := exec.Command("java", append([]string{
		"-Xms768m", "-Xmx768m", "-XX:+UseSerialGC", "-p", server, "--add-modules", "ALL-MODULE-PATH",
		"-cp", libraries, file, dir,
	}, modules...)...)
	node, err := startNode(dir, java)
	return &Elasticsearch{OpenSearch{node}}, err
}

// elasticModules parts the jars that the server has not: modules have a descriptor, the others are their libraries.
func elasticModules(server, more string) (libraries string, modules []string, err error) {
	own := strings.Split(server, ":")
	var others []string
	for jar := range strings.SplitSeq(more, ":") {
		if slices.Contains(own, jar) {
			continue
		}
		files, err := zip.OpenReader(jar)
		if err != nil {
			return "", nil, err
		}
		descriptor, err := fs.Glob(files, "META-INF/es-plugins/*/plugin-descriptor.properties")
		if err := errors.Join(err, files.Close()); err != nil {
			return "", nil, err
		}
		if len(descriptor) > 0 {
			modules = append(modules, jar)
		} else {
			others = append(others, jar)
		}
	}
	return strings.Join(others, ":"), modules, nil
}

// ESQL returns the rows that a query in ES|QL finds, by the names of their columns. Elasticsearch returns no more than
// 1,000 unless the query has a LIMIT, and never more than 10,000.
func (e *Elasticsearch) ESQL(query string) ([]map[string]any, error) {
	var answer struct {
		Columns []struct{ Name string }
		Values  [][]any
	}
	if err := e.Do("POST", "/_query", map[string]string{"query": query}, &answer); err != nil {
		return nil, err
	}
	rows := make([]map[string]any, 0, len(answer.Values))
	for _, values := range answer.Values {
		row := make(map[string]any, len(values))
		for i, value := range values {
			row[answer.Columns[i].Name] = value
		}
		rows = append(rows, row)
	}
	return rows, nil
}
