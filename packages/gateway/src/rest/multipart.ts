import { Busboy, type BusboyInstance } from "@fastify/busboy";
import type { BodyPart } from "../rules/bind-parts.ts";
import { requestProblem } from "../rules/request-problem.ts";

/** As many as a query may have parameters. */
const maxParts = 200;
const maxPartHeadBytes = 4 * 1024;
const maxPartFields = 16;

/**
 * Takes a form apart that was read as a whole.
 *
 * @throws ConnectError InvalidArgument (rejects) for one that is not in order, and one of more than 200 parts
 */
export async function readMultipart(contentType: string, body: Uint8Array): Promise<BodyPart[]> {
  const parts: BodyPart[] = [];
  await new Promise<void>((resolve, reject) => {
    const fail = (problem: string): void => reject(requestProblem("INVALID_BODY", [], `the body: ${problem}`));
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
    busboy.on("finish", () => resolve());
    busboy.end(body);
  });
  return parts;
}
