import type { JsonValue } from "@bufbuild/protobuf";
import { ok, type Row, refused, row, type Sent } from "../row.ts";

const part = (target: string, json: JsonValue): Row => row(`GET /return/${target}`, {}, { status: 200, json });

const parts: readonly Row[] = [
  part("child?child.text=a", { text: "a" }),
  part("child", {}),
  part("words?words=a&words=b", ["a", "b"]),
  part("words", []),
  part("labels", {}),
  part("text?text=a", "a"),
  part("text", ""),
  part("flag?flag=true", true),
  part("flag", false),
  part("large?large=7", "7"),
  part("large", "0"),
  part("precise?precise=1.5", 1.5),
  part("precise?precise=NaN", "NaN"),
  part("data?data=-_8", "+/8="),
  part("kind?kind=KIND_ONE", "KIND_ONE"),
  part("kind?kind=7", 7),
  part("kind", "KIND_UNSPECIFIED"),
  part("children", []),
  part("at?at=2026-01-31T08:00:00Z", "2026-01-31T08:00:00Z"),
  part("maybe_text?maybeText=a", "a"),
  part("maybe_text?maybeText=", ""),
  part("at", null),
  part("maybe_text", null),
];

const file = (request: string, type: string, text: string, sent: Sent = {}): Row =>
  row(request, sent, { status: 200, text, headers: { "content-type": type } });

const binary = Uint8Array.of(0, 1, 255);
const upload = (type: string, raw: string | Uint8Array): Row =>
  ok(
    "POST /files/a.bin",
    "Upload",
    { name: "a.bin", text: type, data: Buffer.from(raw).toString("base64") },
    { raw, type },
  );

const bodies: readonly Row[] = [
  file("GET /files/a?id=text/csv&text=a,b", "text/csv", "a,b"),
  file("GET /files/a?id=text/plain%3Bcharset%3Dutf-8&text=%C3%A9", "text/plain;charset=utf-8", "\u00c3\u00a9"),
  file("GET /files/a?id=application/json&text=%7B%22a%22:1%7D", "application/json", '{"a":1}'),
  file("GET /files/a?id=text/plain", "text/plain", ""),
  upload("text/plain", "hello"),
  upload("application/octet-stream", binary),
  upload("application/json", '{"a":1}'),
  upload("multipart/mixed; boundary=x", "--x--"),
  ok(
    "POST /files/a?id=b",
    "Upload",
    { name: "a", id: "b", text: "text/plain", data: "eA==" },
    { raw: "x", type: "text/plain" },
  ),
  file("PUT /raw", "image/x", "\u0000\u0001\u00ff", { raw: binary, type: "image/x" }),
  file("PUT /raw", "text/plain", "", { raw: "", type: "text/plain" }),
];

/** The HTTP status of each code of gRPC, from 1 on. */
const statuses = [499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401];

const errors: readonly Row[] = [
  ...statuses.map((status, at) =>
    row("POST /fail", { json: { small: at + 1, text: "no" } }, { status, error: { code: at + 1, message: "no" } }),
  ),
  row("GET /fail?small=5&text=gone", {}, { status: 404, error: { code: 5, message: "gone" } }),
  row("GET /fail?small=5&text=%C3%A9%0A%25", {}, { status: 404, error: { code: 5, message: "é\n%" } }),
  row("GET /fail?small=5", {}, { status: 404, error: { code: 5, message: "" } }),
];

const attend = (headers: Readonly<Record<string, string>>, expected: Row["response"]): Row =>
  row("GET /attend", { headers: { "x-server-timeout": "5", ...headers } }, expected);
const attended = { method: "Attend", small: 5 };

const headers: readonly Row[] = [
  attend(
    { "x-echo": "hello" },
    { status: 200, json: attended, headers: { "x-answer": "hello", "x-end": "of the call" } },
  ),
  attend({ "X-Echo": "a, b" }, { status: 200, json: attended, headers: { "x-answer": "a, b" } }),
  attend({ "x-server-timeout": "0.5" }, { status: 200, json: { ...attended, small: 1 } }),
  attend({ "x-server-timeout": "x" }, { status: 400 }),
  row("GET /attend", {}, { status: 200, json: { ...attended, small: 60 } }),
  attend({ accept: "*/*" }, { status: 200, json: attended, headers: { "content-type": "application/json" } }),
  attend({ accept: "application/json" }, { status: 200, json: attended }),
  attend({ accept: "text/html, */*;q=0.1" }, { status: 200, json: attended }),
  attend({ accept: "text/csv" }, { status: 406 }),
  attend({ "x-http-method-override": "DELETE" }, { status: 200, json: attended }),
  refused("GET /nowhere", 404, { headers: { accept: "text/html" } }),
];

export const responseRows: readonly Row[] = [...parts, ...bodies, ...errors, ...headers];
