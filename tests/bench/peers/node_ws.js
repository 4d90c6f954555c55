// SPDX-License-Identifier: ISC
//
// node_ws.js PORT COMMAND [ARGUMENT ...]
//
// Broadcast of a command's lines with the package ws.
"use strict";

const { spawn } = require("child_process");
const { WebSocket, WebSocketServer } = require("ws");

const [port, command, ...rest] = process.argv.slice(2);
const server = new WebSocketServer({
  host: "127.0.0.1",
  port: Number(port),
  perMessageDeflate: false,
});
const child = spawn(command, rest, { stdio: ["ignore", "pipe", "inherit"] });
let partial = "";

server.on("connection", (client) => client.on("error", () => {}));
child.stdout.setEncoding("utf8");
child.stdout.on("data", (data) => {
  const lines = (partial + data).split("\n");
  partial = lines.pop();
  for (const line of lines) {
    for (const client of server.clients) {
      if (client.readyState === WebSocket.OPEN) client.send(line);
    }
  }
});
