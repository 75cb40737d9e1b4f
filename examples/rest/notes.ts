// A server with a method for each rule of REST, which docs/guides/rest.md calls line by line.

import { readFileSync } from "node:fs";
import { clone, create } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import { applyFieldMask } from "@tercel/aip";
import { createGateway, setHttpStatus } from "@tercel/gateway";
import { createWebSockets } from "@tercel/gateway/websocket";
import { createServer } from "@tercel/grpc";
import { aborted, invalidArgument, notFound, resourceExhausted, unavailable } from "@tercel/grpc/errors";
import { type Note, NoteSchema, Notes } from "./gen/example/notes/v1/notes_pb.ts";

const notes = new Map<string, Note>();
const files = new Map<string, { contentType: string; data: Uint8Array }>();
/** Names of notes by the key of the request that created them. */
const madeBy = new Map<string, string>();
const watched = ["One", "Two", "Three"];

function find(name: string): Note {
  const note = notes.get(name);
  if (note === undefined) throw notFound({ resource: { type: "note", name }, message: `${name} was not found` });
  return note;
}

function add(note: Note, name = `notes/${notes.size + 1}`): Note {
  const made = clone(NoteSchema, note);
  Object.assign(made, { name, etag: "v1", wordCount: BigInt(note.title.split(" ").length) });
  notes.set(name, made);
  return made;
}

const { TLS_CERT_FILE: cert, TLS_KEY_FILE: key, PORT: wantedPort = "8081" } = process.env;
const server = createServer({
  routes: (router) =>
    router.service(Notes, {
      getNote: ({ name }) => find(name),
      getDraft: () => ({ name: "notes/draft", title: "Not finished" }),
      listNotes: (request) => ({
        notes: request.pageSize > 0 ? [...notes.values()].slice(0, request.pageSize) : [],
        request,
      }),
      listTitles: () => ({ titles: [...notes.values()].map(({ title }) => title) }),
      createNote({ note = create(NoteSchema), idempotencyKey }, context) {
        if (note.title === "") throw invalidArgument({ field: "note.title", description: "must not be empty" });
        const earlier = idempotencyKey === "" ? undefined : madeBy.get(idempotencyKey);
        if (earlier !== undefined) return find(earlier);
        if (notes.size >= 4) throw resourceExhausted({ message: "no room for another note", retryAfterMs: 1500 });
        const made = add(note);
        if (idempotencyKey !== "") madeBy.set(idempotencyKey, made.name);
        context.responseHeader.set("location", `/v1/${made.name}`);
        return made;
      },
      updateNote({ note = create(NoteSchema), updateMask }) {
        const stored = find(note.name);
        if (note.etag !== "" && note.etag !== stored.etag) throw aborted({ message: `the note is at ${stored.etag}` });
        applyFieldMask(NoteSchema, stored, note, updateMask, {
          immutable: ["name"],
          outputOnly: ["etag", "word_count"],
        });
        stored.etag = `v${Number(stored.etag.slice(1)) + 1}`;
        return stored;
      },
      deleteNote({ name, etag }) {
        const stored = find(name);
        if (etag !== "" && etag !== stored.etag) throw aborted({ message: `the note is at ${stored.etag}` });
        notes.delete(name);
        return {};
      },
      copyNote({ name, title }, context) {
        const copy = add({ ...find(name), title: title || find(name).title });
        // The URL of the copy, for clients that follow it.
        context.responseHeader.set("location", `/v1/${copy.name}`);
        setHttpStatus(context, 303);
        return copy;
      },
      purgeNotes() {
        notes.clear();
        return {};
      },
      readFile({ path }) {
        const file = files.get(path);
        if (file === undefined)
          throw notFound({ resource: { type: "file", name: path }, message: `${path} was not found` });
        return file;
      },
      writeFile({ path, file }) {
        const { contentType = "", data = new Uint8Array(0) } = file ?? {};
        files.set(path, { contentType, data });
        return { path, bytes: BigInt(data.length), contentType };
      },
      async *exportNotes() {
        // The first message has the type, the others only bytes.
        yield { contentType: "text/csv", data: Buffer.from("name,title\n") };
        for (const { name, title } of notes.values()) yield { data: Buffer.from(`${name},${title}\n`) };
      },
      failNotes({ code }) {
        throw new ConnectError("as requested", code);
      },
      async *watchNotes({ resumeToken, failAfter }) {
        for (let at = Number(resumeToken); at < watched.length; at++) {
          if (failAfter > 0 && at >= failAfter) throw unavailable({ message: "the notes are away" });
          yield { resumeToken: String(at + 1), title: watched[at] as string };
        }
      },
      async importNotes(requests) {
        let count = 0;
        for await (const _ of requests) count++;
        return { count };
      },
      async *echoNotes(requests) {
        yield* requests;
      },
      async countNotes(_, context) {
        // A client with a shorter timeout gets DEADLINE_EXCEEDED.
        if (context.requestHeader.has("x-slowly")) await new Promise((resolve) => setTimeout(resolve, 2_000).unref());
        return { count: notes.size };
      },
    }),
  gateway: createGateway({
    rules: [{ selector: "example.notes.v1.Notes.CountNotes", pattern: { case: "get", value: "/v1/notes:count" } }],
    methods: [{ of: "example.notes.v1.Notes/CreateNote", successStatus: 201 }],
    unknownQuery: ["utm_*"],
    webSockets: createWebSockets(),
    cors: { origins: ["https://app.example.com"], credentials: true },
    errorDomain: "notes.example.com",
  }),
  maxReceiveMessageBytes: 64 * 1024,
  ...(cert !== undefined && key !== undefined && { tls: { cert: readFileSync(cert), key: readFileSync(key) } }),
});

const { port } = await server.listen({ port: Number(wantedPort) });
console.log(`${cert === undefined ? "http" : "https"}://127.0.0.1:${port}`);
process.on("SIGTERM", () => server.close({ deadlineMs: 1000 }));
