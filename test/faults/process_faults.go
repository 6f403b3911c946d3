package main

import "slices"

// processFaults are the rows that need no more than processes on loopback.
func processFaults(p *product) []fault {
	return slices.Concat(
		p.ends(), p.ports(), p.access(), p.data(), p.log(), p.identity(), p.firstStart(), p.cluster(), p.place(), p.quota(),
		p.disk(), p.list(), p.configuration(), p.tls(), p.units(), p.doubt(),
	)
}

// What is expected, in the words of the two ways.
const (
	back     = "back by itself"
	named    = "the member is down and tried again; cause and next step are shown, and it is back by itself when they are followed"
	settled  = "the member is down and tried again; cause and next step are shown, and it serves when started again without the cause"
	refusal  = "not started or ended for good, with cause, next step and an exit code of its own; the data is kept"
	waited   = "waits, touches nothing, and says for what; it serves when the data is there and it is started again"
	shown    = "the member lives on; cause and next step are shown, and gone when it is"
	carrying = "serves, and says what is wrong"
)
