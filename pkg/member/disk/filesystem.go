package disk

import (
	"os"
	"time"

	"go.uber.org/zap"
)

// watched is one file system: its space and its reserve.
type watched struct {
	keeper *Keeper
	dir    string
	db     string // the database's file, "" if it is elsewhere
	file   file

	roomSince time.Time // since when there is room for the reserve; zero: there is no room
	noReserve bool      // making one failed; it is not tried again, and the log has said why
	complaint string    // the last error that was logged

	level       severity
	said        string
	saidAt      time.Time
	betterSince time.Time // since when it is better than was said; zero: it is not better
}

// poll does what is due and returns how long to wait before the next poll.
func (w *watched) poll(size int64) time.Duration {
	now := time.Now()
	space, err := w.keeper.os.space(w.dir)
	if err != nil {
		w.complain(err)
		return pollInterval
	}
	size = sizeOn(size, space.Total)
	before, err := w.file.look()
	if err == nil {
		err = w.keep(before, size, space, now)
	}
	w.complain(err)

	// That may have changed both.
	after, err := w.file.look()
	if err == nil {
		space, err = w.keeper.os.space(w.dir)
	}
	if err != nil {
		return pollInterval
	}
	s := situation{dir: w.dir, space: space, size: size, held: after.held(), released: size > 0 && after.released()}
	if w.noReserve {
		s.size = 0
	}
	if w == w.keeper.watched[0] {
		w.keeper.mu.Lock()
		w.keeper.space, w.keeper.held = space, s.held
		w.keeper.mu.Unlock()
	}
	if info, err := os.Stat(w.db); err == nil {
		s.db = info.Size()
	}
	w.say(s, before.released() != after.released(), now)
	if space.Available < near {
		return fastInterval
	}
	return pollInterval
}

// keep makes, releases, shrinks or removes the reserve.
func (w *watched) keep(f present, size int64, space Space, now time.Time) error {
	log := w.keeper.Log.With(zap.String("path", w.file.path), zap.String("available", bytes(space.Available)))
	if space.Available < roomFor(size) {
		w.roomSince = time.Time{}
	} else if w.roomSince.IsZero() {
		w.roomSince = now
	}
	switch {
	case size == 0 && f.exists:
		log.Info("removing the disk reserve: none is configured, or the file system is too small for one", zap.String("size", bytes(f.size)))
		return w.file.remove()
	case f.held() > 0 && space.Available < Needed:
		log.Warn("disk full: releasing the disk reserve so that etcd can go on; free some space before it is used up too",
			zap.String("released", bytes(f.held())))
		return w.file.shrink(0)
	case f.size > size:
		return w.file.shrink(size)
	case f.held() == size, w.noReserve, w.roomSince.IsZero(),
		f.released() && now.Sub(w.roomSince) < settleTime,
		!w.keeper.haveWAL():
		return nil
	}
	if err := w.file.allocate(size); err != nil {
		w.noReserve = true
		return err
	}
	log.Info("made the disk reserve", zap.String("size", bytes(size)))
	return nil
}

// say brings the warning up to date: at once when it is worse or the reserve
// was released or made, after relief when it is better, and otherwise when the
// last one has stood for settleTime.
func (w *watched) say(s situation, turned bool, now time.Time) {
	level, text := s.warning()
	if level >= w.level {
		w.betterSince = time.Time{}
	} else if w.betterSince.IsZero() {
		w.betterSince = now
	}
	better := level < w.level && now.Sub(w.betterSince) >= relief
	if level > w.level || turned || better || level == w.level && now.Sub(w.saidAt) >= settleTime {
		w.level, w.said, w.saidAt, w.betterSince = level, text, now, time.Time{}
	}
}

// complain logs an error unless it logged the same one last; nil ends that.
func (w *watched) complain(err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	if text != "" && text != w.complaint {
		w.keeper.Log.Warn("cannot keep the disk reserve; etcd goes on without what it is for", zap.Error(err))
	}
	w.complaint = text
}

// unwatch is for a directory that shares another one's file system. A reserve
// in it was made when it did not, or came with a copy.
func (w *watched) unwatch() {
	w.level, w.said, w.saidAt = fine, "", time.Time{}
	if f, err := w.file.look(); err == nil && f.exists {
		w.complain(w.file.remove())
	}
}
