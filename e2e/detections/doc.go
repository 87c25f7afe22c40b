// Package detections tests what is shipped for SIEMs with the programs that they would use: Sigma rules with sigma-cli
// and its backends, the Splunk add-on with splunk-appinspect, and the queries that come out against real stores. The
// programs come from PyPI, in the versions of the lists beside this file, into the user's cache directory.
package detections

//go:generate go test -run ^TestSigmaQueries$ . -update
//go:generate go test -run ^TestKibanaDetectionRules$ . -update
