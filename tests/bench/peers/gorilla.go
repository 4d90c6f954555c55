// SPDX-License-Identifier: ISC

// gorilla PORT COMMAND [ARGUMENT ...]
//
// The textbook broadcaster in Go: a channel for each client, which a goroutine
// of its own writes to the client, one text message for each line.
package main

import (
	"bufio"
	"log"
	"net/http"
	"os"
	"os/exec"

	"github.com/gorilla/websocket"
)

const (
	queueLines = 16
	maxLine    = 1 << 20
)

var (
	join  = make(chan chan []byte)
	leave = make(chan chan []byte)
	lines = make(chan []byte)
)

// broadcast waits for a client whose channel is full, so nothing is lost.
func broadcast() {
	clients := map[chan []byte]bool{}
	for {
		select {
		case client := <-join:
			clients[client] = true
		case client := <-leave:
			delete(clients, client)
		case line := <-lines:
			for client := range clients {
				select {
				case client <- line:
				case gone := <-leave:
					delete(clients, gone)
				}
			}
		}
	}
}

// read answers pings and notices the end.
func read(connection *websocket.Conn, gone chan struct{}) {
	for {
		if _, _, err := connection.NextReader(); err != nil {
			close(gone)
			return
		}
	}
}

func write(connection *websocket.Conn, client chan []byte, gone chan struct{}) {
	for {
		select {
		case line := <-client:
			err := connection.WriteMessage(websocket.TextMessage, line)
			if err != nil {
				return
			}
		case <-gone:
			return
		}
	}
}

var upgrader = websocket.Upgrader{}

func serve(response http.ResponseWriter, request *http.Request) {
	connection, err := upgrader.Upgrade(response, request, nil)
	if err != nil {
		return
	}
	defer connection.Close()
	client := make(chan []byte, queueLines)
	gone := make(chan struct{})
	join <- client
	go read(connection, gone)
	write(connection, client, gone)
	leave <- client
}

func run(command *exec.Cmd) {
	output, err := command.StdoutPipe()
	if err != nil {
		log.Fatal(err)
	}
	if err := command.Start(); err != nil {
		log.Fatal(err)
	}
	scanner := bufio.NewScanner(output)
	scanner.Buffer(nil, maxLine)
	for scanner.Scan() {
		lines <- append([]byte(nil), scanner.Bytes()...)
	}
	command.Wait()
}

func main() {
	if len(os.Args) < 3 {
		log.Fatal("usage: gorilla PORT COMMAND [ARGUMENT ...]")
	}
	go broadcast()
	go run(exec.Command(os.Args[2], os.Args[3:]...))
	http.HandleFunc("/", serve)
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], nil))
}
