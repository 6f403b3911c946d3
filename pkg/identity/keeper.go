package identity

import (
	"fmt"
	"sync"
	"time"
)

// saveAgain is when a pin is saved again that could not be.
const saveAgain = 10 * time.Second

// Keeper saves pins for a caller that must not wait for a disk. Its methods are
// safe for concurrent use, but for Close.
type Keeper struct {
	store  Store
	failed func(error)
	pins   chan Pin      // at most one, the latest
	ended  chan struct{} // closed when the goroutine has

	mu  sync.Mutex
	err error
}

// NewKeeper starts a keeper. It calls failed when a pin cannot be saved, once
// until one is.
func NewKeeper(s Store, failed func(error)) *Keeper {
	k := &Keeper{store: s, failed: failed, pins: make(chan Pin, 1), ended: make(chan struct{})}
	go k.run()
	return k
}

// Store is where the pins are saved.
func (k *Keeper) Store() Store { return k.store }

// Keep has a pin saved. It does not wait, and the latest pin wins.
func (k *Keeper) Keep(p Pin) {
	for {
		select {
		case k.pins <- p:
			return
		default:
		}
		select {
		case <-k.pins:
		default:
		}
	}
}

// Err says why the latest pin is not saved. Every ten seconds that is tried
// again.
func (k *Keeper) Err() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.err
}

// Close waits until the latest pin is saved, or could not be, for at most the
// given time. A disk that hangs keeps a goroutine beyond that. Keep must not be
// called any more.
func (k *Keeper) Close(limit time.Duration) error {
	close(k.pins)
	select {
	case <-k.ended:
		return k.Err()
	case <-time.After(limit):
		return fmt.Errorf("write the pin: %s: the disk has not answered for %v", k.store.Path(), limit)
	}
}

func (k *Keeper) run() {
	defer close(k.ended)
	var again <-chan time.Time
	for p, open := <-k.pins; open; {
		err := k.store.Save(p)
		if err != nil && k.Err() == nil {
			k.failed(err)
		}
		k.mu.Lock()
		k.err = err
		k.mu.Unlock()
		if again = nil; err != nil {
			again = time.After(saveAgain)
		}
		select {
		case p, open = <-k.pins:
		case <-again:
		}
	}
}
