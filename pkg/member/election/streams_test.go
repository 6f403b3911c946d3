package election

import "testing"

// A peer finds us as long as the stream stands that it has opened.
func TestDialled(t *testing.T) {
	s := NewStreams()
	say(s, msgEstablished, fieldReader, "stream Message", 2) // ours to it
	if s.Dialled(2) {
		t.Error("our own stream counts")
	}
	say(s, msgEstablished, fieldWriter, writerProbed, 2)
	if !s.Dialled(2) || s.Dialled(3) {
		t.Errorf("2 has dialled: %v, and 3 has not: %v", s.Dialled(2), s.Dialled(3))
	}
	say(s, msgLost, fieldWriter, writerProbed, 2)
	if s.Dialled(2) {
		t.Error("a lost stream counts")
	}
}
