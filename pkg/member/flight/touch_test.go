package flight

import (
	"context"
	"io"
	"testing"

	"google.golang.org/grpc"

	"github.com/etcd-node/etcd-node/pkg/pace"
)

// fakeStream has so many messages.
type fakeStream struct {
	grpc.ServerStream
	messages int
}

func (s *fakeStream) RecvMsg(any) error {
	if s.messages == 0 {
		return io.EOF
	}
	s.messages--
	return nil
}

// What comes from a client is use: a read, and what keeps a lease alive. That a
// stream ends is none.
func TestUse(t *testing.T) {
	for name, use := range map[string]func(*Tracker){
		"read": func(tr *Tracker) {
			_, _ = tr.Intercept(t.Context(), nil, &grpc.UnaryServerInfo{FullMethod: "/etcdserverpb.KV/Range"}, func(context.Context, any) (any, error) { return nil, nil })
		},
		"stream": func(tr *Tracker) {
			_ = tr.InterceptStream(nil, &fakeStream{messages: 1}, nil, func(_ any, s grpc.ServerStream) error { return s.RecvMsg(nil) })
		},
		"": func(tr *Tracker) {
			_ = tr.InterceptStream(nil, &fakeStream{}, nil, func(_ any, s grpc.ServerStream) error { return s.RecvMsg(nil) })
		},
	} {
		activity := new(pace.Activity)
		use(New(Options{Activity: activity}))
		if _, calm := activity.Calm(); calm != (name == "") {
			t.Errorf("%q: unused %t", name, calm)
		}
	}
}
