// Programs of our own that stand where other people's do: see load/main.go and front/main.go. Nothing but Go's library.
module airtight.dev/rekor/peers

go 1.26.0
