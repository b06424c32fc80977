# Everything here is a plain go command; make only gives them short names.
.PHONY: build test bench lint demo

build:
	CGO_ENABLED=0 go build -trimpath -o bin/postern ./cmd/postern

test:
	go run ./cmd/test

bench:
	go run ./cmd/bench
	go run ./cmd/bench rest

lint:
	go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.6.2 run

demo:
	go run ./cmd/postern demo
