package metrics

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/etcd-node/etcd-node/pkg/status"
)

// Handler answers with the metrics of a status and nothing else.
func Handler(of func() (status.Status, bool)) http.Handler {
	r := prometheus.NewRegistry()
	r.MustRegister(Collector(of))
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{DisableCompression: true}) // it goes to a process of this machine
}
