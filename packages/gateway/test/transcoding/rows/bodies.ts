import { gzipSync } from "node:zlib";
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { ok, type Row, refused, type Sent } from "../row.ts";

const json = "application/json";
const text = { text: "a" };

/** The whole request is the body. */
const all = (body: JsonObject, fields: JsonObject = body): Row => ok("POST /all", "PostAll", fields, { json: body });
const badly = (body: JsonValue): Row => refused("POST /all", 400, { json: body });
const raw = (body: string): Row => refused("POST /all", 400, { raw: body, type: json });

const whole: readonly Row[] = [
  all({}),
  all({ name: "a", child: { child: { text: "b" } } }),
  all({ small: "7" }, { small: 7 }),
  ok("POST /all", "PostAll", { small: 100 }, { raw: '{"small":1e2}', type: json }),
  ok("POST /all", "PostAll", { small: 7 }, { raw: '{"small":7.0}', type: json }),
  ok("POST /all", "PostAll", text, { raw: ' \r\n\t{ "text" : "a" } \n', type: json }),
  all({ large: "9223372036854775807" }),
  all({ large: 7 }, { large: "7" }),
  all({ largeUnsigned: "18446744073709551615" }),
  all({ precise: "1.5" }, { precise: 1.5 }),
  all({ precise: "NaN", single: "-Infinity" }),
  all({ flag: true, text: 'é\u2028\\"' }),
  all({ data: "AQI=" }),
  all({ data: "-_8=" }, { data: "+/8=" }),
  all({ kind: "KIND_ONE" }),
  all({ kind: 1 }, { kind: "KIND_ONE" }),
  all({ kind: 7 }),
  all(
    { numbers: [1, 2], words: ["a", ""], kinds: ["KIND_ONE", 2] },
    { numbers: [1, 2], words: ["a", ""], kinds: ["KIND_ONE", "KIND_TWO"] },
  ),
  all({ numbers: null, child: null, text: null, kind: null }, {}),
  all({ labels: { a: "b", "": "c" } }),
  all({ children: [{ text: "a" }, {}] }),
  all({ at: "2026-01-31T08:00:00Z", took: "1.500s", mask: "text,child.text" }),
  all({ fields: { a: [1, null, { b: true }] }, value: null, list: [1, "a"] }),
  all({ maybeText: "", maybeSmall: 0, maybeFlag: false, maybeLarge: "0" }),
  all({ maybe: 0 }),
  all({ left: "" }),
  all({ small_unsigned: 1, odd_name: "a" }, { smallUnsigned: 1, OddOne: "a" }),
  all({ OddOne: "a" }),
  // Unknown fields are ignored by default; `jsonOptions` can change that.
  all({ nope: 1, text: "a" }, text),
  all({ Text: "a" }, {}),
  all({ kind: "NONE", text: "a" }, text),
  badly({ small: 1.5 }),
  badly({ small: "x" }),
  badly({ small: 2147483648 }),
  badly({ small: true }),
  badly({ smallUnsigned: -1 }),
  badly({ large: "9223372036854775808" }),
  badly({ flag: "true" }),
  badly({ flag: 1 }),
  badly({ text: 1 }),
  badly({ data: "@" }),
  badly({ numbers: [null] }),
  badly({ numbers: 1 }),
  badly({ words: [1] }),
  badly({ labels: { a: 1 } }),
  badly({ labels: [] }),
  badly({ child: [] }),
  badly({ at: "yesterday" }),
  badly({ took: 1 }),
  badly({ mask: "child_text" }),
  badly({ left: "a", right: 1 }),
  badly([]),
  badly(1),
  badly("a"),
  ...["{", "{}x", "{} {}", '{"text":}', '{"text":"a",}', "{'text':'a'}", '{"text":"a"', "NaN"].map(raw),
  ...['{"text":"a","text":"b"}', '{"text":"a\nb"}', '{"text":"\\ud800"}', '{"precise":NaN}', '{"small":01}'].map(raw),
  refused("POST /all", 400, { raw: Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d), type: json }),
  refused("POST /all?text=b", 400, { json: {} }),
  ok("PUT /all/x", "PutAll", { name: "x", text: "a" }, { json: text }),
  ok("PUT /all/x", "PutAll", { name: "x" }, { json: { name: "y" } }),
  ok("PUT /all/x%2Fy", "PutAll", { name: "x/y" }, { json: {} }),
];

const part = (field: string, body: JsonValue, fields: JsonObject): Row =>
  ok(`POST /part/${field}`, "PostPart", fields, { json: body });
const badPart = (field: string, body: JsonValue): Row => refused(`POST /part/${field}`, 400, { json: body });

const parts: readonly Row[] = [
  part("child", text, { child: text }),
  part("child", {}, { child: {} }),
  ok("POST /part/child?text=b", "PostPart", { child: text, text: "b" }, { json: text }),
  ok("POST /part/child?words=b&words=c", "PostPart", { child: text, words: ["b", "c"] }, { json: text }),
  refused("POST /part/child?child.name=b", 400, { json: text }),
  refused("POST /part/child?nope=b", 400, { json: text }),
  part("child", { nope: 1 }, { child: {} }),
  badPart("child", []),
  part("words", ["a", "b"], { words: ["a", "b"] }),
  part("words", [], {}),
  ok("POST /part/words?text=b", "PostPart", { words: ["a"], text: "b" }, { json: ["a"] }),
  badPart("words", "a"),
  badPart("words", [1]),
  badPart("words", { words: ["a"] }),
  part("labels", { a: "b" }, { labels: { a: "b" } }),
  badPart("labels", { a: 1 }),
  badPart("labels", ["a"]),
  part("text", "hello", { text: "hello" }),
  part("text", "", {}),
  badPart("text", 1),
  part("large", "7", { large: "7" }),
  part("large", 7, { large: "7" }),
  badPart("large", 1.5),
  part("kind", "KIND_ONE", { kind: "KIND_ONE" }),
  part("kind", 2, { kind: "KIND_TWO" }),
  part("kind", "NONE", {}),
  part("children", [text, {}], { children: [text, {}] }),
  badPart("children", [1]),
  refused("POST /part/children", 400, { raw: "[", type: json }),
  // The mask has the keys of the body; the name comes from the path.
  ok("PATCH /child/x", "PatchChild", { child: { name: "x", text: "a" }, mask: "text" }, { json: text }),
  ok("PATCH /child/x?mask=name", "PatchChild", { child: { name: "x", text: "a" }, mask: "name" }, { json: text }),
  ok("PATCH /child/x", "PatchChild", { child: { name: "x" }, mask: "text" }, { json: { name: "y", text: null } }),
  ok("PATCH /child/x", "PatchChild", { child: { name: "x" } }, {}),
];

const typed = (type: string | undefined, status: number): Row =>
  status === 200
    ? ok("POST /all", "PostAll", text, { raw: '{"text":"a"}', ...(type !== undefined && { type }) })
    : refused("POST /all", status, { raw: '{"text":"a"}', ...(type !== undefined && { type }) });

const zipped: Sent = { raw: gzipSync('{"text":"a"}'), type: json, headers: { "content-encoding": "gzip" } };

const types: readonly Row[] = [
  typed("application/json; charset=utf-8", 200),
  typed("application/json;charset=UTF-8", 200),
  typed("Application/JSON", 200),
  typed(undefined, 415),
  typed("text/plain", 415),
  typed("text/json", 415),
  typed("application/xml", 415),
  typed("application/x-www-form-urlencoded", 415),
  typed("application/json; charset=latin1", 415),
  ok("POST /all", "PostAll", text, zipped),
  refused("POST /all", 400, { ...zipped, raw: "no gzip" }),
  refused("POST /all", 415, { ...zipped, headers: { "content-encoding": "compress" } }),
];

const none: readonly Row[] = [
  ok("POST /nothing/a", "PostNothing", { name: "a" }, { raw: "", type: json }),
  ok("POST /nothing/a?text=b", "PostNothing", { name: "a", text: "b" }),
  refused("POST /nothing/a", 400, { json: {} }),
  refused("DELETE /items/a", 400, { json: text }),
  refused("GET /items/a", 400, { raw: "x", type: "text/plain" }),
];

export const bodyRows: readonly Row[] = [...whole, ...parts, ...types, ...none];
