package status

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"

	"github.com/etcd-node/etcd-node/pkg/shown"
)

// Format is the version of the status as JSON. docs/formats.md has the rules.
const Format = 1

// Encode writes a status as JSON, with texts that are fit to be shown.
func (s Status) Encode(w io.Writer) error { return json.NewEncoder(w).Encode(shown.Copy(s)) }

// Decode reads what [Status.Encode] wrote, in this version or a later one; of
// a later one it takes what it knows. The writer may be another user: the
// texts, and those of the JSON that it returns, are fit to be shown.
func Decode(raw []byte) (Status, []byte, error) {
	var s Status
	err := json.Unmarshal(raw, &s)
	switch {
	case err != nil && s.Format <= Format:
		return Status{}, nil, err
	case s.Format < 1:
		return Status{}, nil, errors.New("not a status")
	}
	var all any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&all); err != nil {
		return Status{}, nil, err
	}
	if clean := shown.Copy(all); !reflect.DeepEqual(clean, all) { // else in the writer's order
		if raw, err = json.Marshal(clean); err != nil {
			return Status{}, nil, err
		}
	}
	return shown.Copy(s), raw, nil
}
