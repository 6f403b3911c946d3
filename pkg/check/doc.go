// Package check answers whether this node is fit to run its member, without touching
// one that runs: it takes no port, writes nothing but a file of its own that has no
// name, and asks the other members what anybody may ask. Only where no member answers it
// looks into the data, under the shared lock that every reader of them takes for a moment.
//
// Each [Result] is one line. [Run] has them all in at most some seconds, whatever does
// not answer. What the configuration itself says is checked before: package config finds
// that, and refuses it.
package check
