package idstoretest

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"

	"postern/idstore"
)

func testConcurrency(t *testing.T, open Open) {
	// together runs fn n times at once and waits.
	together := func(n int, fn func(i int)) {
		start := make(chan struct{})
		var all sync.WaitGroup
		for i := range n {
			all.Go(func() {
				<-start
				fn(i)
			})
		}
		close(start)
		all.Wait()
	}

	t.Run("one anchor, many first sights", func(t *testing.T) {
		s, _ := open(t)
		const n = 50
		var records [n][]idstore.Record
		together(n, func(i int) {
			err := s.Update(t.Context(), func(tx idstore.Tx) (err error) {
				records[i], err = idstore.Adopt(tx, users, []idstore.Anchor{anchor("same"), anchor(i)})
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
		seen := map[idstore.EntityID]bool{}
		for i := range records {
			if !reflect.DeepEqual(records[i][0], records[0][0]) {
				t.Errorf("the same anchor became %+v and %+v", records[i][0], records[0][0])
			}
			if seen[records[i][1].Entity] {
				t.Errorf("entity %d twice", records[i][1].Entity)
			}
			seen[records[i][1].Entity] = true
		}
	})

	t.Run("failures among successes", func(t *testing.T) {
		// Every third update fails or panics after it has written what the others write too.
		s, _ := open(t)
		const n = 60
		together(n, func(i int) {
			defer func() {
				if p := recover(); (p != nil) != (i%6 == 0) {
					t.Errorf("update %d: panic %v", i, p)
				}
			}()
			err := s.Update(t.Context(), func(tx idstore.Tx) error {
				if _, err := idstore.Adopt(tx, users, []idstore.Anchor{anchor(i), anchor("common")}); err != nil {
					return err
				}
				if _, err := idstore.Begin(tx, idstore.Intent{Kind: idstore.Create, Scope: users, Name: fmt.Sprint(i)}); err != nil {
					return err
				}
				switch i % 6 {
				case 0:
					panic("on purpose")
				case 3:
					return errOnPurpose
				}
				return nil
			})
			if (i%6 == 3) != errors.Is(err, errOnPurpose) || i%6 != 3 && err != nil {
				t.Errorf("update %d: %v", i, err)
			}
		})
		view(t, s, func(tx idstore.Tx) error {
			for i := range n {
				_, missing, err := idstore.ByAnchors(tx, users, []idstore.Anchor{anchor(i)})
				if err != nil {
					return err
				}
				if (len(missing) > 0) != (i%3 == 0) {
					t.Errorf("anchor %d: missing %v", i, missing)
				}
			}
			names := map[string]bool{}
			for in, err := range idstore.Intents(tx) {
				if err != nil {
					return err
				}
				names[in.Name] = true
			}
			if len(names) != n-n/3 {
				t.Errorf("%d intents, want %d", len(names), n-n/3)
			}
			return nil
		})
	})

	t.Run("reads among writes", func(t *testing.T) {
		s, _ := open(t)
		const n = 8
		together(n, func(i int) {
			for j := range 20 {
				a := anchor(fmt.Sprint(i, j))
				records := adoptHere(t, s, a)
				if len(records) == 0 {
					return
				}
				id, _ := records[0].PublicID("")
				if got, err := resolve(s, users, id); err != nil || !reflect.DeepEqual(got, records[0]) {
					t.Errorf("resolve: %+v, %v, want %+v", got, err, records[0])
				}
			}
		})
	})
}

// adoptHere is adopt for a goroutine that is not the test's own.
func adoptHere(t *testing.T, s idstore.Store, a idstore.Anchor) (records []idstore.Record) {
	err := s.Update(t.Context(), func(tx idstore.Tx) (err error) {
		records, err = idstore.Adopt(tx, users, []idstore.Anchor{a})
		return err
	})
	if err != nil {
		t.Error(err)
	}
	return records
}
