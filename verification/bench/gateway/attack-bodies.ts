import { brotliCompressSync } from "node:zlib";

/** What a hostile client sends as the body of a REST request, over either version of HTTP. */
export interface AttackBody {
  readonly type: string;
  readonly encoding?: string;
  /** Made when it is first needed: an attacker has one attack. */
  create(): Buffer;
}

const part = '--b\r\ncontent-disposition: form-data; name="message"\r\n\r\na\r\n';
const json = { type: "application/json" } as const;

export const attackBodies = {
  overLimit: { ...json, create: () => Buffer.alloc(5_000_000, " ") },
  nestedJson: { ...json, create: () => Buffer.from("[".repeat(100_000)) },
  /** 64 MiB of zeros. */
  brotliBomb: { ...json, encoding: "br", create: () => brotliCompressSync(Buffer.alloc(64 * 1024 * 1024)) },
  form: { type: "multipart/form-data; boundary=b", create: () => Buffer.from(`${part.repeat(100)}--b--\r\n`) },
} as const satisfies Readonly<Record<string, AttackBody>>;
