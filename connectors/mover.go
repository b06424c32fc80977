package connectors

import "context"

// A Mover is a connector whose objects lie in containers and can be put into others,
// also into such as lie outside the collection.
type Mover interface {
	// MoveOut moves the object into a container, which is named in the backend's own
	// notation, under the name that it has or, where the container has that name
	// already, under one that is made of its anchor. Its anchor stays. An object that
	// lies there already is left. NotFound if it is not in the collection, Unavailable if
	// there is no such container. GuardFailed as for Delete.
	MoveOut(ctx context.Context, a Anchor, container string, g Guard) error
	// LiesIn reports whether the object, one of the collection, lies in the
	// container.
	LiesIn(ctx context.Context, a Anchor, container string) (bool, error)
}
