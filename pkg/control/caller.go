package control

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"

	"golang.org/x/sys/unix"
)

// callerKey is the context's key for the user who has connected.
type callerKey struct{}

// withCaller puts the user on the other end of a connection into a context, as the
// kernel knows him.
func withCaller(ctx context.Context, c net.Conn) context.Context {
	if inner, ok := c.(*call); ok {
		c = inner.Conn
	}
	unixConn, ok := c.(*net.UnixConn)
	if !ok {
		return ctx
	}
	raw, err := unixConn.SyscallConn()
	if err != nil {
		return ctx
	}
	_ = raw.Control(func(fd uintptr) {
		if peer, err := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED); err == nil {
			ctx = context.WithValue(ctx, callerKey{}, peer.Uid)
		}
	})
	return ctx
}

// ForOwners lets only root and the user of this process through to a handler: the
// group may look, and change nothing.
func ForOwners(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		uid, known := r.Context().Value(callerKey{}).(uint32)
		if !known || uid != 0 && int(uid) != os.Geteuid() {
			http.Error(w, fmt.Sprintf("only root and the user of the daemon (UID %d) may do that", os.Geteuid()), http.StatusForbidden)
			return
		}
		h(w, r)
	}
}
