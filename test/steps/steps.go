// Package steps lets the steps of a run end it where they fail, as those of a
// test do: the run then reads as what happens.
package steps

import "fmt"

// failed is what Must panics with.
type failed struct{ error }

// Must ends the run if there is an error.
func Must(err error) {
	if err != nil {
		panic(failed{err})
	}
}

// Of returns v, or ends the run if there is an error.
func Of[T any](v T, err error) T {
	Must(err)
	return v
}

// Fail ends the run.
func Fail(format string, args ...any) { Must(fmt.Errorf(format, args...)) }

// Run takes the steps, all in this goroutine, and returns the error that ended
// them.
func Run(steps func()) (err error) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case failed:
			err = p.error
		default:
			panic(p)
		}
	}()
	steps()
	return nil
}
