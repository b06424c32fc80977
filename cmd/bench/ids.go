package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"postern/idstore"
	"postern/idstore/bolt"
)

// idsBatch is how many objects are met at once: a page of a large directory.
const idsBatch = 1000

// idsScope is of clients that share their ids.
var idsScope = idstore.Scope{Type: "User", Externals: "okta"}

// runIDs measures the identity table alone: what an entity takes on disk, how fast objects get their ids and are found again,
// and how much memory a process has that does nothing but look them up. It needs about 0.5 GiB of disk for a million entities.
func runIDs(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("ids", flag.ExitOnError)
	entities := flags.Int("entities", 1_000_000, "entities in the table; 10000000 takes some minutes and 3 GiB of disk")
	look := flags.String("look", "", "look entities up in this file and print what it took; what the benchmark starts itself with")
	sample := flags.String("sample", "", "the public ids to look up; goes with -look")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *look != "" {
		return lookUpIDs(*look, *sample, *entities)
	}
	dir, err := os.MkdirTemp("", "postern-bench-ids-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := idsBench{path: filepath.Join(dir, "ids.db"), sample: filepath.Join(dir, "sample"), entities: *entities}
	fmt.Printf("identity table of %d entities, each with one link, one public id and one externalId\n\n", b.entities)
	for _, step := range []func(context.Context) error{b.fill, b.found, b.tended} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

type idsBench struct {
	path, sample string
	entities     int
}

// row prints one figure and the budget that it has, if any.
func row(what, figure, budget string) {
	if budget != "" {
		budget = "(budget " + budget + ")"
	}
	fmt.Printf("%-52s %14s  %s\n", what, figure, budget)
}

// idsAnchor has the shape of an objectGUID, and is scattered as those are (SplitMix64).
func idsAnchor(i int) idstore.Anchor {
	var key [16]byte
	for half := range 2 {
		z := uint64(2*i+half+1) * 0x9e3779b97f4a7c15
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		binary.BigEndian.PutUint64(key[8*half:], z^z>>31)
	}
	return idstore.Anchor{Backend: "ad", Key: string(key[:])}
}

// idsExternal has the shape of an Okta user's id.
func idsExternal(i int) string { return fmt.Sprintf("00u%017x", i) }

// sampled is the distance between the entities whose public ids are kept for looking up.
func sampled(entities int) int { return max(1, entities/200_000) }

// fill meets all objects, a page at a time, each page durable before the next, and then gives each its externalId.
func (b idsBench) fill(ctx context.Context) error {
	s, err := bolt.Open(b.path)
	if err != nil {
		return err
	}
	defer s.Close()
	sample, err := os.Create(b.sample)
	if err != nil {
		return err
	}
	defer sample.Close()
	var adopting, slowest time.Duration
	for i := 0; i < b.entities; i += idsBatch {
		anchors := make([]idstore.Anchor, min(idsBatch, b.entities-i))
		for j := range anchors {
			anchors[j] = idsAnchor(i + j)
		}
		var records []idstore.Record
		began := time.Now()
		err := s.Update(ctx, func(tx idstore.Tx) (err error) {
			records, err = idstore.Adopt(tx, idsScope, anchors)
			return err
		})
		took := time.Since(began)
		adopting, slowest = adopting+took, max(slowest, took)
		if err != nil {
			return err
		}
		for j, r := range records {
			if id, _ := r.PublicID(""); (i+j)%sampled(b.entities) == 0 {
				if _, err := sample.Write(id[:]); err != nil {
					return err
				}
			}
		}
	}
	row("first sight, batches of 1,000, durable", fmt.Sprintf("%.0f/s", float64(b.entities)/adopting.Seconds()), "100,000/s")
	row("the slowest batch", fmt.Sprintf("%.0f ms", ms(slowest)), "")
	began := time.Now()
	for i := 0; i < b.entities; i += 10 * idsBatch {
		err := s.Update(ctx, func(tx idstore.Tx) error {
			for j := i; j < min(i+10*idsBatch, b.entities); j++ {
				if _, err := idstore.SetExternalID(tx, idsScope, idstore.EntityID(j+1), idsExternal(j)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	row("an externalId for each, one by one", fmt.Sprintf("%.0f/s", float64(b.entities)/time.Since(began).Seconds()), "")
	info, err := os.Stat(b.path)
	if err != nil {
		return err
	}
	row("bytes on disk for an entity", fmt.Sprintf("%.0f", float64(info.Size())/float64(b.entities)), "300")
	return nil
}

// found starts a process of its own that opens the file and looks entities up.
func (b idsBench) found(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, self, "ids", "-look", b.path, "-sample", b.sample, "-entities", strconv.Itoa(b.entities)).Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return fmt.Errorf("%w: %s", err, exit.Stderr)
	}
	if err != nil {
		return err
	}
	var f lookUpFigures
	if err := json.Unmarshal(out, &f); err != nil {
		return err
	}
	row("open", fmt.Sprintf("%.1f ms", ms(f.Open)), "100 ms")
	row("id to anchor, warm: median of one look-up", micro(f.Resolve), "3 µs")
	row("anchor to id, warm: median of one look-up", micro(f.ByAnchor), "3 µs")
	row("the same, each with a View of its own", micro(f.View), "")
	row("memory of that process after open", fmt.Sprintf("%.1f MiB", f.Before), "")
	row("and after 600,000 look-ups", fmt.Sprintf("%.1f MiB", f.After), "does not grow with the entities")
	return nil
}

func micro(d time.Duration) string { return fmt.Sprintf("%.2f µs", float64(d.Nanoseconds())/1000) }

// tended measures what administrators do with the whole table.
func (b idsBench) tended(ctx context.Context) error {
	s, err := bolt.Open(b.path)
	if err != nil {
		return err
	}
	defer s.Close()
	for _, work := range []struct {
		what string
		do   func() error
	}{
		{"check of every index against every record", func() error {
			return s.View(ctx, func(tx idstore.Tx) error {
				_, err := idstore.Check(tx, func(d idstore.Damage) error { return errors.New(d.String()) })
				return err
			})
		}},
		{"export", func() error {
			return s.View(ctx, func(tx idstore.Tx) error {
				_, err := idstore.Export(tx, io.Discard)
				return err
			})
		}},
		{"online backup", func() error {
			copied, err := os.Create(b.path + ".backup")
			if err != nil {
				return err
			}
			err = errors.Join(s.Backup(ctx, copied), copied.Sync(), copied.Close())
			return errors.Join(err, os.Remove(copied.Name()))
		}},
	} {
		began := time.Now()
		if err := work.do(); err != nil {
			return fmt.Errorf("%s: %w", work.what, err)
		}
		row(work.what, fmt.Sprintf("%.1f s", time.Since(began).Seconds()), "")
	}
	return nil
}

// lookUpFigures is what the process that looks entities up has to say.
type lookUpFigures struct {
	Open, Resolve, ByAnchor, View time.Duration
	Before, After                 float64 // memory of its own in MiB, without the pages of the file
}

// lookUpIDs opens the file and prints the figures as JSON.
func lookUpIDs(path, sample string, entities int) error {
	text, err := os.ReadFile(sample)
	if err != nil {
		return err
	}
	ids := make([]idstore.PublicID, 0, len(text)/16)
	for id := range slices.Chunk(text, 16) {
		ids = append(ids, idstore.PublicID(id))
	}
	var f lookUpFigures
	began := time.Now()
	s, err := bolt.Open(path)
	f.Open = time.Since(began)
	if err != nil {
		return err
	}
	defer s.Close()
	if f.Before, err = anonymous(); err != nil {
		return err
	}
	resolve := func(tx idstore.Tx, i int) error {
		_, err := idstore.Resolve(tx, idsScope, ids[i])
		return err
	}
	byAnchor := func(tx idstore.Tx, i int) error {
		_, missing, err := idstore.ByAnchors(tx, idsScope, []idstore.Anchor{idsAnchor(i * sampled(entities))})
		if err == nil && len(missing) > 0 {
			err = fmt.Errorf("object %d has no entity", i)
		}
		return err
	}
	for _, m := range []struct {
		figure *time.Duration
		views  bool
		up     func(idstore.Tx, int) error
	}{{&f.Resolve, false, resolve}, {&f.ByAnchor, false, byAnchor}, {&f.View, true, resolve}} {
		// The first time warms the file's pages and the names.
		for range 2 {
			if *m.figure, err = medianLookUp(s, len(ids), m.views, m.up); err != nil {
				return err
			}
		}
	}
	if f.After, err = anonymous(); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(f)
}

// medianLookUp looks up 100,000 entities in random order, in one View or in one each.
func medianLookUp(s idstore.Store, n int, views bool, up func(idstore.Tx, int) error) (time.Duration, error) {
	const many = 100_000
	ctx := context.Background()
	took := make([]time.Duration, 0, many)
	one := func(tx idstore.Tx) error { return up(tx, rand.IntN(n)) }
	if views {
		for range many {
			began := time.Now()
			if err := s.View(ctx, one); err != nil {
				return 0, err
			}
			took = append(took, time.Since(began))
		}
	} else if err := s.View(ctx, func(tx idstore.Tx) error {
		for range many {
			began := time.Now()
			if err := one(tx); err != nil {
				return err
			}
			took = append(took, time.Since(began))
		}
		return nil
	}); err != nil {
		return 0, err
	}
	slices.Sort(took)
	return took[many/2], nil
}

// anonymous is the memory of this process that is not the page cache's, in MiB.
func anonymous() (float64, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "RssAnon:" {
			kib, err := strconv.Atoi(fields[1])
			return float64(kib) / 1024, err
		}
	}
	return 0, errors.New("the system does not say how much memory a process has")
}
