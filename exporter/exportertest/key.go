package exportertest

import (
	"encoding/base64"
	"html"
	"net/url"
	"strings"
)

// What stands for the client's credential in Fault.Body, Answers.ContentEncoding, .MiddleLine,
// .LastLine, .Unsolicited and Broken.Text: services and proxies repeat what they got.
const (
	KeyHere   = "{key}"
	KeyHTML   = "{key:html}"   // escaped for a page, + included
	KeyUpper  = "{key:upper}"  // in upper case
	KeyBase64 = "{key:base64}" // as basic authentication has it
	KeyURL    = "{key:url}"    // escaped for a query
)

// repeatKey puts the client's credential where the answers want it.
func (x *exchange) repeatKey() {
	key := x.r.Header.Get("X-API-Key")
	if key == "" {
		key = strings.TrimPrefix(x.r.Header.Get("Authorization"), "Bearer ")
	}
	put := strings.NewReplacer(
		KeyHere, key, KeyHTML, strings.ReplaceAll(html.EscapeString(key), "+", "&#43;"), KeyUpper, strings.ToUpper(key),
		KeyBase64, base64.StdEncoding.EncodeToString([]byte(key)), KeyURL, url.QueryEscape(key),
	)
	a := &x.answers
	for _, text := range []*string{
		&x.fault.Body, &a.ContentEncoding, &a.MiddleLine, &a.LastLine, &a.Unsolicited, &a.Broken.Text,
	} {
		*text = put.Replace(*text)
	}
}
