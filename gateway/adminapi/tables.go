package adminapi

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"postern/idstore"
)

// formExport is what Fetch says of a whole export.
const formExport = string(idstore.BackupExport)

func (h *Handler) export(ctx context.Context, w io.Writer) (string, error) {
	return formExport, h.Store.View(ctx, func(tx idstore.Tx) error {
		_, err := idstore.Export(tx, w)
		return err
	})
}

func (h *Handler) backup(ctx context.Context, w io.Writer) (string, error) {
	form, err := idstore.Backup(ctx, h.Store, w)
	return string(form), err
}

// importTable fills an empty table with the export that is the request's body.
func (h *Handler) importTable(w http.ResponseWriter, r *http.Request) {
	a := &answer{w, json.NewEncoder(w)}
	sum, err := h.Gateway.Import(r.Context(), r.Body)
	if err != nil {
		refusal := h.explain(r.Context(), err)
		if errors.Is(err, idstore.ErrInvalid) {
			refusal.Message += "; nothing was imported: an import needs a whole export and a table that was never used"
		}
		_ = a.send(event{Error: refusal})
		return
	}
	_ = a.send(event{Done: sum})
}

// Import sends an export to fill an empty table with.
func (c *Client) Import(ctx context.Context, from io.Reader) (idstore.Transferred, error) {
	return receive[struct{}, idstore.Transferred](ctx, c, "import", from, nil, nil)
}
