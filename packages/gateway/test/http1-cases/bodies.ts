import { type Http1Case, head, hosted, next, same, stricter } from "./http1-case.ts";

const codings = "A coding other than chunked alone is one that programs on the way may not see, or take for the other.";
const zeros = "No chunk is larger than eight digits can say, and programs on the way may cut longer numbers short.";
const odd = "Extensions that are not of RFC 9112 §7.1.1 are read in different ways by different programs.";
const trailers =
  "Trailers that frame a message, or route it, would mean something to a program that puts them among the fields.";

const post = (...fields: readonly string[]): string => hosted("POST /a", ...fields);
const chunked = (body: string): string => post("Transfer-Encoding: chunked") + body;
const end = "0\r\n\r\n";

/** RFC 9112 §6.2 and §6.3. */
export const contentLengths: readonly Http1Case[] = [
  same("a body by its length", 2, `${post("Content-Length: 5")}hello${next}`),
  same("a body of no bytes", 2, post("Content-Length: 0") + next),
  same("PATCH without a length", 2, hosted("PATCH /a") + hosted("PATCH /b")),
  same("GET with a body", 2, `${hosted("GET /a", "Content-Length: 5")}hello${next}`),
  same("DELETE with a body", 2, `${hosted("DELETE /a", "Content-Length: 2")}hi${next}`),
  same("a body that looks like a request", 2, post(`Content-Length: ${next.length}`) + next + next),
  same("a body that is not complete", 0, `${post("Content-Length: 10")}hello`),
  same("leading zeros", 2, `${post("Content-Length: 005")}hello${next}`),
  same("blanks around the length", 2, `${post("Content-Length:   5  ")}hello${next}`),
  same("an empty length", 0, post("Content-Length:") + next),
  same("a negative length", 0, post("Content-Length: -1") + next),
  same("a length with a sign", 0, `${post("Content-Length: +5")}hello${next}`),
  same("a length in hexadecimal", 0, `${post("Content-Length: 0x5")}hello${next}`),
  same("a length with a fraction", 0, `${post("Content-Length: 5.0")}hello${next}`),
  same("a length of letters", 0, `${post("Content-Length: five")}hello${next}`),
  same("a length with a blank within", 0, `${post("Content-Length: 1 2")}hello${next}`),
  same("a list of lengths", 0, `${post("Content-Length: 5, 5")}hello${next}`),
  same("two lengths", 0, `${post("Content-Length: 5", "Content-Length: 6")}hello${next}`),
  same("the same length twice", 0, `${post("Content-Length: 5", "Content-Length: 5")}hello${next}`),
  same("a length beyond 64 bits", 0, post("Content-Length: 99999999999999999999999") + next),
  same("a length with a quote", 0, `${post('Content-Length: "5"')}hello${next}`),
  same("a length of a name that is alike", 2, post("Content-Length2: 5") + next),
  same("a blank before the colon of a length", 0, `${post("Content-Length : 5")}hello${next}`),
  same("a folded length", 0, `${post("Content-Length:", " 5")}hello${next}`),
];

/** RFC 9112 §7.1. */
export const chunkedBodies: readonly Http1Case[] = [
  same("chunks", 2, chunked(`5\r\nhello\r\n6\r\n world\r\n${end}`) + next),
  same("no chunks", 2, chunked(end) + next),
  same("sizes in either case", 2, chunked(`a\r\n0123456789\r\nA\r\n0123456789\r\n${end}`) + next),
  same("leading zeros in a size", 2, chunked(`0005\r\nhello\r\n${end}`) + next),
  same("many zeros at the end", 2, chunked("5\r\nhello\r\n00000\r\n\r\n") + next),
  same("the coding in upper case", 2, `${post("Transfer-Encoding: CHUNKED")}2\r\nhi\r\n${end}${next}`),
  same("a chunk that looks like a request", 2, chunked(`${next.length.toString(16)}\r\n${next}\r\n${end}`) + next),
  same("a body that is not complete", 0, chunked("5\r\nhello\r\n")),
  same("a chunk that is not complete", 0, chunked("5\r\nhel")),
  same("an extension", 2, chunked(`2;a=b\r\nhi\r\n${end}`) + next),
  same("an extension without a value", 2, chunked(`2;a\r\nhi\r\n${end}`) + next),
  same("an extension with a quoted value", 2, chunked(`2;a="b;c\\"d"\r\nhi\r\n${end}`) + next),
  same("several extensions", 2, chunked(`2;a=b;c;d="e"\r\nhi\r\n0;f=g\r\n\r\n`) + next),
  stricter("an extension without a name", 0, chunked(`2;=b\r\nhi\r\n${end}`) + next, odd),
  same("a semicolon without an extension", 0, chunked(`2;\r\nhi\r\n${end}`) + next),
  stricter("an extension without a token", 0, chunked(`2;a=\r\nhi\r\n${end}`) + next, odd),
  same("an extension with a blank", 0, chunked(`2; a=b\r\nhi\r\n${end}`) + next),
  same("an extension with a line feed", 0, chunked(`2;a=b\nhi\r\n${end}`) + next),
  same("an open quote", 0, chunked(`2;a="b\r\nhi\r\n${end}`) + next),
  same("a blank after a size", 0, chunked(`2 \r\nhi\r\n${end}`) + next),
  same("a blank before a size", 0, chunked(` 2\r\nhi\r\n${end}`) + next),
  same("a size with 0x", 0, chunked(`0x2\r\nhi\r\n${end}`) + next),
  same("a size with a sign", 0, chunked(`+2\r\nhi\r\n${end}`) + next),
  same("a negative size", 0, chunked(`-2\r\nhi\r\n${end}`) + next),
  same("a size of letters", 0, chunked(`xyz\r\nhi\r\n${end}`) + next),
  same("an empty size", 0, chunked(`\r\nhi\r\n${end}`) + next),
  same("a size beyond 64 bits", 0, chunked("fffffffffffffffff\r\nhi\r\n")),
  stricter("a size of nine digits", 0, chunked(`000000002\r\nhi\r\n${end}`) + next, zeros),
  same("a line feed alone after a size", 0, chunked(`2\nhi\r\n${end}`) + next),
  same("a line feed alone after data", 0, chunked(`2\r\nhi\n${end}`) + next),
  same("no line end after data", 0, chunked(`2\r\nhi${end}`) + next),
  same("more data than the size says", 0, chunked(`2\r\nhigh\r\n${end}`) + next),
  same("less data than the size says", 0, chunked(`4\r\nhi\r\n${end}`) + next),
  same("a trailer", 2, chunked("2\r\nhi\r\n0\r\nX-T: 1\r\n\r\n") + next),
  same("two trailers", 2, chunked("0\r\nX-T: 1\r\nX-U:2\r\n\r\n") + next),
  same("a trailer without a colon", 0, chunked("0\r\nX-T\r\n\r\n") + next),
  same("a trailer with a blank before the colon", 0, chunked("0\r\nX-T : 1\r\n\r\n") + next),
  same("a trailer that ends with a line feed alone", 0, chunked("0\r\nX-T: 1\n\r\n") + next),
  same("a folded trailer", 0, chunked("0\r\nX-T: 1\r\n 2\r\n\r\n") + next),
  same("a zero byte in a trailer", 0, chunked("0\r\nX-T: \0\r\n\r\n") + next),
  same("a request in the place of trailers", 0, chunked(`0\r\n${next}`)),
  same("a length as a trailer", 0, chunked("0\r\nContent-Length: 5\r\n\r\n") + next),
  same("a coding as a trailer", 0, chunked("0\r\nTransfer-Encoding: chunked\r\n\r\n") + next),
  stricter("a host as a trailer", 0, chunked("0\r\nHost: b\r\n\r\n") + next, trailers),
];

/** RFC 9112 §6.1: what lets one request hide in another. */
export const codedBodies: readonly Http1Case[] = [
  same("a length and a coding", 0, `${post("Content-Length: 5", "Transfer-Encoding: chunked")}${end}${next}`),
  same("a coding and a length", 0, `${post("Transfer-Encoding: chunked", "Content-Length: 5")}${end}${next}`),
  same("a coding with a byte before it", 0, `${post("Transfer-Encoding: \x0bchunked")}${end}${next}`),
  same("a coding after another field's CR", 0, `${post("X: a\rTransfer-Encoding: chunked")}${end}${next}`),
  same("a blank before the colon of a coding", 0, `${post("Transfer-Encoding : chunked")}${end}${next}`),
  same("a folded coding", 0, `${post("Transfer-Encoding:", " chunked")}${end}${next}`),
  same("a coding of a name that is alike", 2, post("Transfer_Encoding: chunked") + next),
  same("a coding that is not chunked", 0, `${post("Transfer-Encoding: gzip")}${end}${next}`),
  same("chunked, and another coding after it", 0, `${post("Transfer-Encoding: chunked, gzip")}${end}${next}`),
  same("a coding that begins with chunked", 0, `${post("Transfer-Encoding: chunkedx")}${end}${next}`),
  same("a coding that ends with chunked", 0, `${post("Transfer-Encoding: xchunked")}${end}${next}`),
  same("identity", 0, `${post("Transfer-Encoding: identity")}${end}${next}`),
  same("an empty coding", 0, `${post("Transfer-Encoding:")}${end}${next}`),
  stricter("another coding before chunked", 0, `${post("Transfer-Encoding: gzip, chunked")}${end}${next}`, codings),
  stricter("identity before chunked", 0, `${post("Transfer-Encoding: identity, chunked")}${end}${next}`, codings),
  stricter(
    "a coding twice",
    0,
    `${post("Transfer-Encoding: gzip", "Transfer-Encoding: chunked")}${end}${next}`,
    codings,
  ),
  stricter("a tab before chunked", 0, `${post("Transfer-Encoding:\tchunked")}${end}${next}`, codings),
  stricter(
    "chunked in HTTP/1.0",
    0,
    `${head("POST /a HTTP/1.0", "Host: a", "Transfer-Encoding: chunked")}${end}`,
    codings,
  ),
];
