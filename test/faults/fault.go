package main

import (
	"context"
	"time"
)

// fault is one row of docs/FAULTS.md: something that happens to a member, made
// to happen to real processes.
type fault struct {
	name     string        // what happens, in a few words
	id       string        // what the catalogue (pkg/failure) calls it
	expected string        // in words
	goal     time.Duration // the limit for what run returns
	// run makes it happen and returns what the product said, and how long it
	// took: from the moment the cause is gone (a fault that ends by itself) or
	// from the fault or the start (one that has to be explained) to serving or
	// to the explanation. An error: not as expected.
	run func(ctx context.Context) (seen string, took time.Duration, err error)
}

// What was promised for each of the two ways in which a fault may end.
const (
	goalServing   = time.Second      // to serving, once the cause is gone
	goalExplained = 30 * time.Second // to the explanation
)

// skip is the error of a row that cannot be played here, and why. Such a row
// counts neither as expected nor as not.
type skip string

func (s skip) Error() string { return string(s) }
