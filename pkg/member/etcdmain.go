package member

import (
	"os"

	"go.uber.org/zap"

	"go.etcd.io/etcd/server/v3/embed"
)

// The lines that etcd's main, and embed's Close, log around the server, word
// for word: scripts and test suites wait for them.
const (
	msgInitialized = "server has already been initialized"
	msgInitialize  = "Initialize and start etcd server"
	msgStray       = "found invalid file under data directory"
	msgClosed      = "closed etcd server"
)

// logDataDir logs what etcd's main says of the data dir before it starts etcd.
// A directory that cannot be read is named by what fails over it.
func logDataDir(log *zap.Logger, dir string) {
	entries, _ := os.ReadDir(dir)
	kind, msg := "empty", msgInitialize
	for _, e := range entries {
		if e.Name() == "member" {
			kind, msg = "member", msgInitialized
		} else {
			log.Warn(msgStray, zap.String("filename", e.Name()), zap.String("data-dir", dir))
		}
	}
	log.Info(msg, zap.String("data-dir", dir), zap.String("dir-type", kind))
}

// logClosed logs the last line of embed's Close where the stop does not wait
// for it, because streams that do not end would delay it by seconds. If Close
// has said it meanwhile, stopFilter leaves this one out.
func logClosed(log *zap.Logger, cfg *embed.Config) {
	log.Info(msgClosed, zap.String("name", cfg.Name), zap.String("data-dir", cfg.Dir),
		zap.Strings("advertise-peer-urls", urlStrings(cfg.AdvertisePeerUrls)), zap.Strings("advertise-client-urls", urlStrings(cfg.AdvertiseClientUrls)))
}
