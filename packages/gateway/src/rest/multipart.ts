import { Busboy, type BusboyInstance } from "@fastify/busboy";
import type { BodyPart } from "../rules/bind-parts.ts";
import { requestProblem } from "../rules/request-problem.ts";

/** Each takes a stream while it is read. */
const maxParts = 100;
const maxPartHeadBytes = 4 * 1024;
const maxPartFields = 16;

/** A form is there as a whole, so that reading it waits for nothing. One that is not read by then never would be. */
const maxReadMs = 10_000;

/** Its end, whatever became of it. */
let previous: Promise<unknown> = Promise.resolve();

/**
 * Takes a form apart that was read as a whole. One form at a time, with a turn of the event loop before each: it is work of this thread alone, and takes
 * objects for each part, so that forms at once would be no faster and hold more.
 *
 * @param isWanted whether the form is still of use when it is its turn
 * @throws ConnectError InvalidArgument (rejects) for one that is not in order, and one of more than 100 parts
 */
export function readMultipart(contentType: string, body: Uint8Array, isWanted: () => boolean): Promise<BodyPart[]> {
  const parts = previous
    .then(() => new Promise((resolve) => setImmediate(resolve)))
    .then(() => (isWanted() ? parseForm(contentType, body) : []));
  previous = parts.catch(() => {});
  return parts;
}

async function parseForm(contentType: string, body: Uint8Array): Promise<BodyPart[]> {
  const parts: BodyPart[] = [];
  await new Promise<void>((resolve, reject) => {
    const fail = (problem: string): void => {
      clearTimeout(timer);
      reject(requestProblem("INVALID_BODY", [], `the body: ${problem}`));
    };
    const timer = setTimeout(() => fail("not a form"), maxReadMs).unref();
    let busboy: BusboyInstance;
    try {
      busboy = new Busboy({
        headers: { "content-type": contentType },
        limits: { parts: maxParts, headerPairs: maxPartFields, headerSize: maxPartHeadBytes },
        // Text is decoded here, or what is not UTF-8 would become something else.
        isPartAFile: () => true,
      });
    } catch {
      fail("a form without a boundary");
      return;
    }
    busboy.on("file", (name, stream, _filename, _encoding, type) => {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("error", () => fail("the form ends inside a part"));
      stream.on("end", () =>
        parts.push({ name: name ?? "", contentType: type, data: new Uint8Array(Buffer.concat(chunks)) }),
      );
    });
    busboy.on("partsLimit", () => fail(`the form has more than ${maxParts} parts`));
    busboy.on("error", (error) => fail(`not a form: ${error instanceof Error ? error.message : String(error)}`));
    busboy.on("finish", () => {
      clearTimeout(timer);
      resolve();
    });
    busboy.end(body);
  });
  return parts;
}
