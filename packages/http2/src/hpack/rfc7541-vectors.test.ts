import assert from "node:assert/strict";
import { test } from "node:test";
import { HpackDecoder } from "./decoder.ts";
import { HpackEncoder } from "./encoder.ts";
import { HpackError } from "./hpack-error.ts";

interface Vector {
  readonly hex: string;
  readonly fields: readonly string[];
  /** The dynamic table afterwards, newest first. */
  readonly table: readonly string[];
}

const authority = [":authority", "www.example.com"];
const noCache = ["cache-control", "no-cache"];
const customField = ["custom-key", "custom-value"];

const requests = [
  { fields: [":method", "GET", ":scheme", "http", ":path", "/", ...authority], table: authority },
  {
    fields: [":method", "GET", ":scheme", "http", ":path", "/", ...authority, ...noCache],
    table: [...noCache, ...authority],
  },
  {
    fields: [":method", "GET", ":scheme", "https", ":path", "/index.html", ...authority, ...customField],
    table: [...customField, ...noCache, ...authority],
  },
];

const secondOctober = (seconds: number) => ["date", `Mon, 21 Oct 2013 20:13:${seconds} GMT`];
const location = ["location", "https://www.example.com"];
const isPrivate = ["cache-control", "private"];
const gzip = ["content-encoding", "gzip"];
const cookie = ["set-cookie", "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"];

const responses = [
  {
    fields: [":status", "302", ...isPrivate, ...secondOctober(21), ...location],
    table: [...location, ...secondOctober(21), ...isPrivate, ":status", "302"],
  },
  {
    fields: [":status", "307", ...isPrivate, ...secondOctober(21), ...location],
    table: [":status", "307", ...location, ...secondOctober(21), ...isPrivate],
  },
  {
    fields: [":status", "200", ...isPrivate, ...secondOctober(22), ...location, ...gzip, ...cookie],
    table: [...cookie, ...gzip, ...secondOctober(22)],
  },
];

function withHex(lists: readonly Omit<Vector, "hex">[], ...hex: string[]): Vector[] {
  return lists.map((list, at) => ({ ...list, hex: hex[at] as string }));
}

const huffmanRequests = withHex(
  requests,
  "828684418cf1e3c2e5f23a6ba0ab90f4ff",
  "828684be5886a8eb10649cbf",
  "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf",
);

const sections: [title: string, maxTableBytes: number, vectors: readonly Vector[]][] = [
  [
    "C.2.1 literal with indexing",
    4096,
    [
      {
        hex: "400a637573746f6d2d6b65790d637573746f6d2d686561646572",
        fields: ["custom-key", "custom-header"],
        table: ["custom-key", "custom-header"],
      },
    ],
  ],
  [
    "C.2.2 literal without indexing",
    4096,
    [{ hex: "040c2f73616d706c652f70617468", fields: [":path", "/sample/path"], table: [] }],
  ],
  [
    "C.2.3 literal never indexed",
    4096,
    [{ hex: "100870617373776f726406736563726574", fields: ["password", "secret"], table: [] }],
  ],
  ["C.2.4 indexed", 4096, [{ hex: "82", fields: [":method", "GET"], table: [] }]],
  [
    "C.3 requests without Huffman encoding",
    4096,
    withHex(
      requests,
      "828684410f7777772e6578616d706c652e636f6d",
      "828684be58086e6f2d6361636865",
      "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565",
    ),
  ],
  ["C.4 requests with Huffman encoding", 4096, huffmanRequests],
  [
    "C.5 responses without Huffman encoding, with eviction",
    256,
    withHex(
      responses,
      "4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d54" +
        "6e1768747470733a2f2f7777772e6578616d706c652e636f6d",
      "4803333037c1c0bf",
      "88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a6970" +
        "7738666f6f3d4153444a4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076657273696f6e3d31",
    ),
  ],
  [
    "C.6 responses with Huffman encoding, with eviction",
    256,
    withHex(
      responses,
      "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3",
      "4883640effc1c0bf",
      "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab" +
        "77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
    ),
  ],
];

for (const [title, maxTableBytes, vectors] of sections) {
  test(`decodes RFC 7541 ${title}`, () => {
    const decoder = new HpackDecoder({ maxTableBytes });
    for (const { hex, fields, table } of vectors) {
      const bytes = Buffer.from(hex, "hex");
      assert.deepEqual(decoder.decode(bytes, 0, bytes.length).fields, fields);
      assert.deepEqual(tableOf(decoder, table.length / 2), table);
    }
    const beyond = Uint8Array.of(0x80 | (62 + (vectors.at(-1)?.table.length ?? 0) / 2));
    assert.throws(() => decoder.decode(beyond, 0, 1), HpackError);
  });
}

test("encodes the requests of RFC 7541 C.4 byte by byte", () => {
  const encoder = new HpackEncoder();
  const target = Buffer.alloc(512);
  for (const { hex, fields } of huffmanRequests) {
    assert.equal(target.toString("hex", 0, encoder.encode(fields, target, 0)), hex);
  }
});

function tableOf(decoder: HpackDecoder, entries: number): readonly string[] {
  const indexes = Uint8Array.from({ length: entries }, (_, age) => 0x80 | (62 + age));
  return decoder.decode(indexes, 0, entries).fields;
}
