package peers

import (
	"reflect"
	"testing"
)

func TestInitial(t *testing.T) {
	others, names := Initial("a=http://127.0.0.1:1,b=http://127.0.0.1:3,b=http://127.0.0.1:2", "a")
	if want := []Peer{{URLs: []string{"http://127.0.0.1:2", "http://127.0.0.1:3"}}}; !reflect.DeepEqual(others, want) {
		t.Errorf("the others are %v, want %v", others, want)
	}
	if want := map[string]string{"http://127.0.0.1:1": "a", "http://127.0.0.1:2,http://127.0.0.1:3": "b"}; !reflect.DeepEqual(names, want) {
		t.Errorf("the names are %v, want %v", names, want)
	}
	for _, list := range []string{"", "a", "a=127.0.0.1"} {
		if others, _ := Initial(list, "a"); others != nil {
			t.Errorf("%q: %v", list, others)
		}
	}
}
