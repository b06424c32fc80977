package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"postern/gateway"

	"github.com/rs/zerolog"
)

const (
	followAgain    = time.Second // after the first failure; twice as long after each further one
	followAgainMax = time.Minute
)

// followLoop follows what others do in the backends that tell, until the context ends.
func (a *app) followLoop(ctx context.Context, log zerolog.Logger) {
	var all sync.WaitGroup
	for _, rt := range a.gateway.ResourceTypes() {
		if a.gateway.Followed(rt.Name) {
			all.Go(func() { a.follow(ctx, rt.Name, log.With().Str("resource", rt.Name).Logger()) })
		}
	}
	all.Wait()
}

// follow follows one resource type. What fails is tried again later, with longer and
// longer pauses, unless the backend can not do it at all.
func (a *app) follow(ctx context.Context, kind string, log zerolog.Logger) {
	for pause := followAgain; ; pause = min(2*pause, followAgainMax) {
		began := time.Now()
		err := a.gateway.Follow(ctx, kind)
		if ctx.Err() != nil {
			return
		}
		if f, ok := errors.AsType[*gateway.Fault](err); ok && f.Kind == gateway.Unsupported {
			log.Info().Err(err).Msg("what others do in the backend is not followed")
			return
		}
		if time.Since(began) > followAgainMax {
			pause = followAgain
		}
		log.Warn().Err(err).Dur("pause", pause).Msg("what others do in the backend is not followed for a while")
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
	}
}
