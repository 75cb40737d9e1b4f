import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Code, ConnectError } from "@connectrpc/connect";
import { createChannel, createClient, createServer } from "@tercel/grpc";
import { FileService } from "./gen/upload/v1/upload_pb.ts";
import { receiveFile } from "./receive-file.ts";
import { sendFile } from "./send-file.ts";

const folder = mkdtempSync(join(tmpdir(), "tercel-upload-"));
const [inbox, photo] = [join(folder, "inbox"), join(folder, "photo.raw")];
mkdirSync(inbox);
writeFileSync(photo, Buffer.alloc(1_000_000, "light and shadow "));

const server = createServer({
  routes: (router) => router.service(FileService, { uploadFile: (chunks) => receiveFile(chunks, inbox) }),
});
const { port } = await server.listen({ port: 0 });
const channel = createChannel(`127.0.0.1:${port}`);
const client = createClient(FileService, channel);

const { size } = await client.uploadFile(sendFile(photo));
console.log(
  `sent ${size} bytes, which arrived as they were: ${readFileSync(join(inbox, "photo.raw")).equals(readFileSync(photo))}`,
);

async function statusOf(
  chunks: AsyncIterable<{ name: string; data: Uint8Array; sha256?: Uint8Array }>,
): Promise<string> {
  const error = await client.uploadFile(chunks).catch(ConnectError.from);
  return error instanceof ConnectError ? `${Code[error.code]}: ${error.rawMessage}` : "stored";
}

async function* damaged() {
  for await (const chunk of sendFile(photo)) yield { ...chunk, data: new Uint8Array(chunk.data.length) };
}
console.log(await statusOf(damaged()));
console.log(await statusOf(sendFile(photo)));

async function* outside() {
  yield { name: "../photo.raw", data: new Uint8Array(1) };
}
console.log(await statusOf(outside()));
console.log("in the inbox:", readdirSync(inbox).join(", "));

await channel.close();
await server.close();
rmSync(folder, { recursive: true });
