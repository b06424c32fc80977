package idstore

import (
	"crypto/rand"
	"fmt"
)

// freshPrefix is how many leading bytes, all random, tell a fresh id from every id that the table has ever known. They
// come before the version bits of the UUID.
const freshPrefix = 4

// freshIDs returns n public ids for a domain that were never given out. In the shared domain ids that are made together
// share their first four bytes: they are then neighbours in the table, which makes a page of first sights many times
// cheaper, and each keeps 90 random bits of its own. Pairwise ids share nothing, or two clients could compare which of
// their ids were made together.
func freshIDs(tx Tx, d Domain, n int) ([]PublicID, error) {
	ids := make([]PublicID, n)
	for i := range ids {
		// Read never fails and always fills the buffer (crypto/rand).
		_, _ = rand.Read(ids[i][:])
		ids[i] = ids[i].stamped()
		if i > 0 && d == "" {
			copy(ids[i][:freshPrefix], ids[0][:])
			continue
		}
		if err := freshen(tx, &ids[i]); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// freshen changes the first bytes of id until no id in the table begins with them.
func freshen(tx Tx, id *PublicID) error {
	const tries = 64
	for range tries {
		used := false
		for _, err := range tx.Scan(TablePublicIDs, id[:freshPrefix]) {
			if err != nil {
				return err
			}
			used = true
			break
		}
		if !used {
			return nil
		}
		_, _ = rand.Read(id[:freshPrefix])
	}
	return fmt.Errorf("no fresh public id in %d tries", tries)
}
