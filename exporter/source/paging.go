package source

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// Paging is what the headers of an answer say of rows that are not in it. Nothing says that the export has such
// headers; endpoints of its kind do.
type Paging struct {
	Next  bool // a Link header has rel="next"
	Total int  // rows in all; 0 = no header says so
	Part  bool // Content-Range says that the body has a part of the bytes only
}

// More reports whether there should be more than the rows of the answer.
func (p Paging) More(rows int) bool { return p.Next || p.Total > rows }

// totalHeaders are those in use for the number of rows in all. Content-Range has it behind a slash.
var totalHeaders = []string{
	"X-Total-Count", "X-Total", "Total-Count", "X-Total-Results", "X-Total-Rows", "X-Pagination-Total-Count",
	"Content-Range",
}

// bytesOf is a Content-Range of bytes: where they begin and end, and how many there are.
var bytesOf = regexp.MustCompile(`(?i)^\s*bytes\s+(\d+)-(\d+)/(\d+)\s*$`)

var relNext = regexp.MustCompile(`(?i);\s*rel\s*=\s*("[^"]*\bnext\b[^"]*"|next\b)`)

func pagingOf(header http.Header) (p Paging) {
	for _, link := range header.Values("Link") {
		p.Next = p.Next || relNext.MatchString(link)
	}
	for _, name := range totalHeaders {
		text := header.Get(name)
		if part := bytesOf.FindStringSubmatch(text); part != nil {
			last, err := strconv.ParseUint(part[2], 10, 63)
			p.Part = strings.Trim(part[1], "0") != "" || err == nil && strconv.FormatUint(last+1, 10) != part[3]
			continue
		}
		total, err := strconv.Atoi(strings.TrimSpace(text[strings.LastIndexByte(text, '/')+1:]))
		if err == nil && total > p.Total {
			p.Total = total
		}
	}
	return p
}
