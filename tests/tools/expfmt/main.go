// expfmt CONTENT-TYPE < body: what Prometheus' own library decodes of an exposition under a content
// type, a line for each family: its name, its type, how many metrics it has. A second argument, and
// it writes the text format of them.
package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

func main() {
	format := expfmt.ResponseFormat(http.Header{"Content-Type": {os.Args[1]}})
	decoder := expfmt.NewDecoder(os.Stdin, format)
	for {
		var family dto.MetricFamily
		err := decoder.Decode(&family)
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		if len(os.Args) > 2 {
			if _, err := expfmt.MetricFamilyToText(os.Stdout, &family); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			continue
		}
		fmt.Println(family.GetName(), family.GetType(), len(family.GetMetric()))
	}
}
