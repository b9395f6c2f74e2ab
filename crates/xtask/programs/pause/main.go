// Pause is the first process of a pod or of a node: it keeps the namespaces and collects dead children.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	heard := make(chan os.Signal, 1)
	signal.Notify(heard, syscall.SIGCHLD, syscall.SIGINT, syscall.SIGTERM)
	for {
		if (<-heard) != syscall.SIGCHLD {
			return
		}
		for {
			if child, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); child <= 0 || err != nil {
				break
			}
		}
	}
}
