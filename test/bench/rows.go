package main

// groups is the table, in its order.
func groups(o options) []group {
	return []group{
		{name: "Starts", rows: startRows(o)},
		{name: "Stops and restarts", rows: stopRows()},
		{name: "A leader that dies", rows: failoverRows()},
		{name: "The slowest answer", about: answersAbout, rows: answerRows()},
		{name: "A host that is gone", about: lossAbout, rows: lossRows()},
		{name: "A follower that comes back", rows: followerRows()},
		{name: "A leader that only looks dead", rows: deceptionRows()},
		{name: "Elections that nobody needs", about: calmAbout, rows: calmRows(o)},
		{name: "Throughput", about: throughputAbout, rows: throughputRows(o)},
		{name: "What it costs", about: costAbout, rows: costRows()},
		{name: "Patroni and PostgreSQL", about: patroniAbout, rows: patroniRows()},
	}
}
