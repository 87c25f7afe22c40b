package body

import (
	"errors"
)

var (
	ErrEmptyBody = errors.New("the body is empty")         // nothing, or nothing but white space: not even a header
	ErrNoExport  = errors.New("the body is not an export") // wrapped with an excerpt of what it is
	ErrCut       = errors.New("the body ends too early")   // wrapped with the place
	ErrLongRow   = errors.New("row longer than the limit") // of csv; never leaves that package
)
