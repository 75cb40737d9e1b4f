import type { JsonValue } from "@bufbuild/protobuf";

/** Rows of which vanguard-go makes something else, for one reason. */
export interface Difference {
  /** What vanguard-go does. */
  readonly reason: string;
  /** By the name of the row: the status of its response, what is in one of the same status, or "crashed" where there was none. */
  readonly rows: Readonly<Record<string, JsonValue>>;
}

/** All of them are deliberate; docs/specs/rest.md says why. */
export const differences: readonly Difference[] = [
  {
    reason: "HEAD and OPTIONS are methods without a rule.",
    rows: { "HEAD /items/a": 405, "OPTIONS /items/a": 405 },
  },
  {
    reason:
      "The path is decoded before it is split and matched, and its variables once more: `%2F` ends a segment, `%3A` begins a verb, and `%25` begins an escape. Text of a rule is compared as it is written.",
    rows: {
      "GET /items/a%2Fb": 404,
      "GET /items/a%2fb": 404,
      "GET /items/a%25b": 404,
      "GET /items/a%2525b": { method: "GetItem", name: "a%b" },
      "GET /items/a%3Apeek": { method: "PeekItem", name: "a" },
      "GET /shelves/a%2Fb/books/2": 404,
      "GET /shelves/a%25b/books/2": 404,
      "GET /shelves/a+b/books/a%3Ab": 404,
      "GET /nested/a%2Fb/c%20d": 404,
      "GET /pairs/a%2Fb/c": 404,
      "GET /tail/a%2Fb/c": { method: "GetTail", name: "a/b/c" },
      "GET /tail/a%2525": { method: "GetTail", name: "a%" },
      "GET /a%20b/x": 404,
      "GET /%61%20b/x": 404,
      "PUT /all/x%2Fy | {}": 404,
    },
  },
  {
    reason: "Bytes that are not UTF-8 fail when the message is encoded.",
    rows: { "GET /items/%ff": 500, "GET /items/%c3%28": 500, "GET /search?text=%ff": 500, "POST /all | 7 bytes": 500 },
  },
  {
    reason: "A colon begins a verb, whether or not a rule has it, and the first one does.",
    rows: {
      "GET /items/a:b:peek": 404,
      "GET /items/a:other": 404,
      "GET /items/urn:x:7": 404,
      "GET /items/:peek": { method: "PeekItem" },
      "GET /items/a:": 404,
      "GET /items/a:PEEK": 404,
      "GET /tail/a:b:stat": 404,
      "GET /tail/a:other": 404,
      "GET /shelves/1/books/2:x": 404,
      "GET /pairs/a/b:c": 404,
      "GET /typed/at/2026-01-31T08:00:00Z": 404,
    },
  },
  {
    reason: "`**` takes one segment at least.",
    rows: { "GET /tail:stat": 404, "GET /tail": 404, "GET /deep/a": 404 },
  },
  {
    reason: "`*` takes a segment that is empty.",
    rows: {
      "GET /items/": 200,
      "GET /shelves//books/2": 200,
      "GET /shelves/1/books/": 200,
      "GET /pairs//b": 200,
      "GET /any//of/y": 200,
    },
  },
  {
    reason: "Segments of dots, and zero bytes, are data.",
    rows: {
      "GET /items/%00": 200,
      "GET /items/..": 200,
      "GET /items/.": 200,
      "GET /items/%2e%2e": 200,
      "GET /x/../items/a": 404,
      "GET /tail/a/../b": 200,
    },
  },
  {
    reason:
      "An unknown parameter, one of a map or of a list of messages, fails as UNKNOWN; a name that ends with a dot ends the process.",
    rows: {
      "GET /search?children.text=a": 500,
      "GET /search?labels.a=b": 500,
      "GET /search?labels[a]=b": 500,
      "GET /search?labels.key=a": 500,
      "GET /search?child.nope=1": 500,
      "GET /search?child.=1": "crashed",
      "GET /search?.text=1": 500,
      "GET /search?text.x=1": 500,
      "GET /search?oddName=a": 500,
      "GET /search?SmallUnsigned=1": 500,
      "GET /search?TEXT=a": 500,
      "GET /search?nope=1": 500,
      "GET /search?utm_source=x": 500,
      "GET /search?=1": 500,
      "GET /items/a?nope=b": 500,
      "GET /search?$alt=json": 500,
      "GET /search?$prettyPrint=true&text=a": 500,
      "GET /search?$alt=proto": 500,
      'POST /part/child?nope=b | {"text":"a"}': 500,
    },
  },
  {
    reason: "What the path or the body holds can be overwritten by a parameter.",
    rows: {
      "GET /items/a?name=b": 200,
      "GET /nested/a/b?child.name=c": 200,
      "POST /all?text=b | {}": 200,
      'POST /part/child?child.name=b | {"text":"a"}': 200,
    },
  },
  {
    reason: "Of a field that is given twice, and of a oneof, the last one counts.",
    rows: {
      "GET /search?small=1&small=2": 200,
      "GET /search?text=a&text=a": 200,
      "GET /search?child.text=a&child.text=b": 200,
      "GET /search?left=a&right=1": 200,
    },
  },
  {
    reason: "Parameters hold no JSON of messages.",
    rows: {
      "GET /search?value=1": 400,
      "GET /search?value=%22a%22": 400,
      "GET /search?fields=%7B%22a%22:1%7D": 400,
      "GET /search?list=%5B1%5D": 400,
    },
  },
  {
    reason:
      "Values are read as JSON, with blanks and `null`; texts of wrappers and masks are JSON texts in quotes, and masks are in camel case.",
    rows: {
      "GET /typed/small/%207": 200,
      "GET /search?small=+7": 200,
      "GET /search?small=null": 200,
      "GET /search?mask=small_unsigned": 400,
      "GET /search?mask=": 400,
      "GET /search?maybeText=": 400,
      "GET /search?maybeText=%22a%22": { method: "Search", maybeText: "a" },
      "GET /return/maybe_text?maybeText=": 400,
    },
  },
  {
    reason: "Parameters that Go's parser of queries refuses are left out.",
    rows: {
      "GET /search?text=a;b": { method: "Search" },
      "GET /search?text=%zz": 200,
      "GET /search?$alt=json;enum-encoding=int&kind=KIND_ONE": { method: "Search", kind: "KIND_ONE" },
    },
  },
  {
    reason: "A content-type is compared letter by letter, and need not be there.",
    rows: {
      'POST /all | application/json;charset=UTF-8 | {"text":"a"}': 415,
      'POST /all | Application/JSON | {"text":"a"}': 415,
      'POST /all | {"text":"a"}': 200,
      "GET /items/a | text/plain | x": 415,
    },
  },
  {
    reason: "A body that cannot be read, or that the rule has no place for, fails as UNKNOWN.",
    rows: {
      'POST /all | {"small":1.5}': 500,
      'POST /all | {"small":"x"}': 500,
      'POST /all | {"small":2147483648}': 500,
      'POST /all | {"small":true}': 500,
      'POST /all | {"smallUnsigned":-1}': 500,
      'POST /all | {"large":"9223372036854775808"}': 500,
      'POST /all | {"flag":"true"}': 500,
      'POST /all | {"flag":1}': 500,
      'POST /all | {"text":1}': 500,
      'POST /all | {"data":"@"}': 500,
      'POST /all | {"numbers":[null]}': 500,
      'POST /all | {"numbers":1}': 500,
      'POST /all | {"words":[1]}': 500,
      'POST /all | {"labels":{"a":1}}': 500,
      'POST /all | {"labels":[]}': 500,
      'POST /all | {"child":[]}': 500,
      'POST /all | {"at":"yesterday"}': 500,
      'POST /all | {"took":1}': 500,
      'POST /all | {"mask":"child_text"}': 500,
      'POST /all | {"left":"a","right":1}': 500,
      "POST /all | []": 500,
      "POST /all | 1": 500,
      'POST /all | "a"': 500,
      "POST /all | {": 500,
      "POST /all | {}x": 500,
      "POST /all | {} {}": 500,
      'POST /all | {"text":}': 500,
      'POST /all | {"text":"a",}': 500,
      "POST /all | {'text':'a'}": 500,
      'POST /all | {"text":"a"': 500,
      "POST /all | NaN": 500,
      'POST /all | {"text":"a","text":"b"}': 500,
      'POST /all | {"text":"a\nb"}': 500,
      'POST /all | {"text":"\\ud800"}': 500,
      'POST /all | {"precise":NaN}': 500,
      'POST /all | {"small":01}': 500,
      "POST /part/child | []": 500,
      'POST /part/words | "a"': 500,
      "POST /part/words | [1]": 500,
      'POST /part/words | {"words":["a"]}': 500,
      'POST /part/labels | {"a":1}': 500,
      'POST /part/labels | ["a"]': 500,
      "POST /part/text | 1": 500,
      "POST /part/large | 1.5": 500,
      "POST /part/children | [1]": 500,
      "POST /part/children | [": 500,
      "POST /all | content-encoding: gzip | no gzip": 500,
      "POST /nothing/a | {}": 500,
      'DELETE /items/a | {"text":"a"}': 500,
    },
  },
  {
    reason: "A request to change some fields has no mask.",
    rows: {
      'PATCH /child/x | {"text":"a"}': { method: "PatchChild", child: { name: "x", text: "a" } },
      'PATCH /child/x | {"name":"y","text":null}': { method: "PatchChild", child: { name: "x" } },
    },
  },
  {
    reason: "The header Accept is not looked at.",
    rows: { "GET /attend | x-server-timeout: 5 | accept: text/csv": 200 },
  },
  {
    reason: "What the call sends after its messages is left out.",
    rows: { "GET /attend | x-server-timeout: 5 | x-echo: hello": { "x-answer": "hello", "x-end": "undefined" } },
  },
  {
    reason: "A call without a timeout has no deadline.",
    rows: { "GET /attend": { method: "Attend" } },
  },
  {
    reason: "A field of the response that is not set and has a type with a JSON of its own is that type's default.",
    rows: { "GET /return/at": "1970-01-01T00:00:00Z", "GET /return/maybe_text": "" },
  },
  {
    reason: "With a body of bytes, parameters are left out.",
    rows: { "POST /files/a?id=b | text/plain | x": { method: "Upload", name: "a", text: "text/plain", data: "eA==" } },
  },
];
