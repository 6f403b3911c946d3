package admission

import (
	"testing"
	"time"
)

// heard is a round of answers, some time after the first.
type heard struct {
	at time.Duration
	votes
}

func TestPoll(t *testing.T) {
	var (
		nobody  = votes{}
		yes     = votes{granted: true}
		one     = votes{denied: 1, quorum: 2}
		quorum  = votes{denied: 2, quorum: 2}
		ms, sec = time.Millisecond, time.Second
	)
	for name, tc := range map[string]struct {
		question
		rounds []heard // the last one is the first that is final
		want   answer
	}{
		"yes at once":                       {question{}, []heard{{0, yes}}, granted},
		"yes after a long silence":          {question{}, []heard{{0, nobody}, {14 * sec, nobody}, {silenceLimit, yes}}, granted},
		"silence":                           {question{}, []heard{{0, nobody}, {silenceLimit - ms, nobody}, {silenceLimit, nobody}}, silent},
		"silence that is waited out":        {question{endless: true}, []heard{{0, nobody}, {time.Hour, nobody}, {2 * time.Hour, yes}}, granted},
		"no, then yes":                      {question{}, []heard{{0, quorum}, {500 * ms, quorum}, {sec, yes}}, granted},
		"a quorum says no":                  {question{}, []heard{{0, quorum}, {settleLimit - ms, quorum}, {settleLimit, quorum}}, refused},
		"a quorum says no late":             {question{}, []heard{{0, one}, {5 * sec, quorum}, {5*sec + settleLimit - ms, quorum}, {5*sec + settleLimit, quorum}}, refused},
		"one says no":                       {question{}, []heard{{0, one}, {settleLimit, one}, {denialLimit - ms, one}, {denialLimit, one}}, refused},
		"one says no after a silence":       {question{}, []heard{{0, nobody}, {14 * sec, one}, {silenceLimit, one}, {14*sec + denialLimit, one}}, refused},
		"one says no, then nobody":          {question{}, []heard{{0, one}, {denialLimit, nobody}, {silenceLimit, nobody}}, silent},
		"no after an endless silence":       {question{endless: true}, []heard{{0, nobody}, {time.Hour, one}, {time.Hour + denialLimit - ms, one}, {time.Hour + denialLimit, one}}, refused},
		"one says no now and then":          {question{endless: true}, []heard{{0, one}, {sec, nobody}, {20 * sec, one}, {20*sec + denialLimit - ms, one}, {20*sec + denialLimit, one}}, refused},
		"a quorum says no now and then":     {question{endless: true}, []heard{{0, quorum}, {sec, nobody}, {3 * sec, quorum}, {3*sec + settleLimit - ms, quorum}, {3*sec + settleLimit, quorum}}, refused},
		"no comes and goes, and has to end": {question{}, []heard{{0, one}, {9 * sec, nobody}, {14 * sec, one}, {20 * sec, quorum}, {21 * sec, one}, {24*sec - ms, one}, {24 * sec, one}}, refused},
	} {
		p := poll{question: tc.question}
		begun := time.Now()
		for i, r := range tc.rounds {
			got, final := p.add(r.votes, begun.Add(r.at))
			if last := i == len(tc.rounds)-1; final != last {
				t.Errorf("%s: after %s final is %v", name, r.at, final)
			} else if last && got != tc.want {
				t.Errorf("%s: %d, want %d", name, got, tc.want)
			}
		}
	}
}

// A refusal for good has to come within 30 s, whatever was heard before.
func TestRefusalInTime(t *testing.T) {
	if limit := silenceLimit + denialLimit + 2*askTimeout; limit > 30*time.Second {
		t.Errorf("it can take %s", limit)
	}
}
