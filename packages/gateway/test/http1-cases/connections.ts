import { type Http1Case, head, hosted, next, same, stricter } from "./http1-case.ts";

const closes = "HTTP/1.0 connections end with their response, also those that ask to be kept.";
const expectations = "An expectation that the server does not know is refused with 417 (RFC 9110 §10.1.1).";

/** RFC 9112 §9: what keeps a connection, and what follows a request on it. */
export const connections: readonly Http1Case[] = [
  same("two requests", 2, hosted("GET /a") + hosted("GET /b")),
  same("five requests", 5, hosted("GET /a").repeat(4) + next),
  same("requests with bodies among them", 3, `${hosted("POST /a", "Content-Length: 2")}hi${hosted("GET /b")}${next}`),
  same(
    "bodies of both kinds",
    3,
    [
      `${hosted("POST /a", "Transfer-Encoding: chunked")}2\r\nhi\r\n0\r\n\r\n`,
      `${hosted("POST /b", "Content-Length: 2")}hi`,
      next,
    ].join(""),
  ),
  same("empty lines between requests", 2, `${hosted("GET /a")}\r\n\r\n${next}`),
  same("close", 1, hosted("GET /a", "Connection: close") + next),
  same("close in upper case", 1, hosted("GET /a", "Connection: CLOSE") + next),
  same("close among others", 1, hosted("GET /a", "Connection: x, close , y") + next),
  same("close in a second field", 1, hosted("GET /a", "Connection: x", "Connection: close") + next),
  same("close after a body", 1, `${hosted("POST /a", "Connection: close", "Content-Length: 2")}hi${next}`),
  same("keep-alive", 2, hosted("GET /a", "Connection: keep-alive") + next),
  same("an option that is like close", 2, hosted("GET /a", "Connection: closed") + next),
  same("an empty connection", 2, hosted("GET /a", "Connection:") + next),
  same("HTTP/1.0 and what follows it", 1, head("GET /a HTTP/1.0", "Host: a") + next),
  stricter(
    "HTTP/1.0 that asks to be kept",
    1,
    head("GET /a HTTP/1.0", "Host: a", "Connection: keep-alive") + next,
    closes,
  ),
  same("100-continue", 2, `${hosted("POST /a", "Expect: 100-continue", "Content-Length: 2")}hi${next}`),
  same("100-continue in upper case", 2, `${hosted("POST /a", "Expect: 100-CONTINUE", "Content-Length: 2")}hi${next}`),
  same("100-continue without a body", 2, hosted("GET /a", "Expect: 100-continue") + next),
  stricter("another expectation", 0, hosted("GET /a", "Expect: x") + next, expectations),
  same("an upgrade that is not asked for by connection", 2, hosted("GET /a", "Upgrade: websocket") + next),
  same("a connection that says upgrade without one", 2, hosted("GET /a", "Connection: upgrade") + next),
  // Alone: node:http loses what a client sends before it knows that there is no upgrade.
  same("HTTP/2 by upgrade", 1, hosted("GET /a", "Connection: upgrade, http2-settings", "Upgrade: h2c")),
  same("the preface of HTTP/2", 0, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  same("a record of TLS", 0, "\x16\x03\x01\x00\x05hello"),
  same("nothing", 0, ""),
  same("a request that ends in its head", 0, "GET /a HTTP/1.1\r\nHost: a\r\n"),
  same("a request, and part of another", 1, `${hosted("GET /a")}GET /b HTTP`),
  same("a request, and what is not one", 1, `${hosted("GET /a")}hello\r\n\r\n`),
  same(
    "a browser's request",
    2,
    hosted(
      "GET /favicon.ico",
      ...["User-Agent: Mozilla/5.0 (X11; Linux) Firefox/120.0", "Accept: text/html,application/xml;q=0.9,*/*;q=0.8"],
      ...["Accept-Language: en-us,en;q=0.5", "Accept-Encoding: gzip, deflate, br", "Connection: keep-alive"],
      ...["Cookie: a=b; c=d", "Cache-Control: max-age=0", "Sec-Fetch-Mode: no-cors"],
    ) + next,
  ),
  same(
    "curl's request",
    2,
    head("GET /a HTTP/1.1", "Host: 127.0.0.1:8080", "User-Agent: curl/8.5.0", "Accept: */*") + next,
  ),
  same("a balancer's check", 1, head("HEAD / HTTP/1.0")),
];
